"""The beginning of a run of the drift monitor: is there a model to watch, and enough traffic to look at?"""

from __future__ import annotations

import dataclasses
import functools
import json
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.adapters.object_store import ObjectUri
from lambdas.runtime.workflow_payload import number_of, text_of
from lambdas.steps.collect_captures.captures import collect_rows
from lambdas.steps.collect_captures.effects import CollectingEffects
from lambdas.steps.collect_captures.environment import CollectCapturesEnvironment
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.regression.drift import DriftReport
from watchkeeper.regression.drift_configuration import drift_configuration
from watchkeeper.regression.drift_runs import DriftRun, drift_run
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.release import RegressionRelease

logger = Logger(service=CollectCapturesEnvironment.service)
tracer = Tracer(service=CollectCapturesEnvironment.service)


@functools.cache
def effects() -> CollectingEffects:
    """Return the effects of this process."""
    return CollectingEffects.in_aws(CollectCapturesEnvironment.from_environ())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return collect(event, effects())


def collect(payload: dict[str, Any], world: CollectingEffects) -> dict[str, Any]:
    """Sample the traffic of the time before the execution's start, and write what the job needs.

    Done again it writes the same, for the stretch of time comes from the execution.

    Raises
    ------
    ContractViolationError
        If what the training run left is missing.
    """
    workload, started_at = text_of(payload, "workload"), parse_instant(text_of(payload, "started_at"))
    starts_at = started_at - timedelta(seconds=number_of(payload, "window_seconds"))
    report = DriftReport(
        workload=workload,
        status="no_model",
        starts_at=format_instant(starts_at),
        ends_at=format_instant(started_at),
        ndcg_at_least=number_of(payload, "ndcg_at_least"),
        minimum_rows=int(number_of(payload, "minimum_rows")),
    )
    release = world.releases.live(workload)
    live = release if isinstance(release, RegressionRelease) else None
    run = drift_run(
        bucket=world.bucket,
        workload=workload,
        execution_arn=text_of(payload, "execution_arn"),
        started_at=started_at,
        model_run_id=live.run_id if live else "",
    )
    if live is not None:
        report = dataclasses.replace(report, run_id=live.run_id, status="no_baseline")
    if live is not None and live.explanations:
        plan = _plan_of(run, world)
        found = collect_rows(
            world.objects, world.bucket, plan, starts_at, started_at, size=int(number_of(payload, "rows"))
        )
        report = dataclasses.replace(
            report,
            status="too_few_rows",
            objects=found.objects,
            objects_read=found.objects_read,
            rows_captured=found.rows_captured,
            rows_unreadable=found.rows_unreadable,
            rows=len(found.rows),
        )
        if found.rows_captured >= report.minimum_rows:
            _write_inputs(found.rows, run, plan, world)
            report = dataclasses.replace(report, status="to_compare")
    compare = report.status == "to_compare"
    world.objects.write(ObjectUri.parse(run.uris.draft), report.to_json().encode())
    logger.info("collected", extra={"workload": workload, "compare": compare, "rows": report.rows_captured})
    report_uri = run.report_uri if compare else run.uris.draft
    return {"run": run.to_dict(), "compare": compare, "report_uri": report_uri}


def _plan_of(run: DriftRun, world: CollectingEffects) -> RegressionPlan:
    return RegressionPlan.from_json(_read(run.uris.training_plan, world))


def _write_inputs(
    rows: tuple[str, ...], run: DriftRun, plan: RegressionPlan, world: CollectingEffects
) -> None:
    training = json.loads(_read(run.uris.training_config, world))
    configuration = drift_configuration(training, plan, baseline_uri=run.uris.baseline)
    body = "".join(f"{row}\n" for row in rows)
    world.objects.write(ObjectUri.parse(f"{run.uris.rows}rows.csv"), body.encode())
    world.objects.write(
        ObjectUri.parse(f"{run.uris.config}analysis_config.json"), json.dumps(configuration).encode()
    )


def _read(uri: str, world: CollectingEffects) -> bytes:
    body = world.objects.read(ObjectUri.parse(uri))
    if body is None:
        raise ContractViolationError(f"{uri} does not exist: the training run should have left it")
    return body
