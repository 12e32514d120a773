"""The beginning of a run of the drift monitor: is there a model to watch, and enough traffic to look at?"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.runtime.workflow_payload import number_of, text_of
from lambdas.runtime.workflow_step import WORKLOAD, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.regression.analysis_configuration import FILE_NAME, drift_configuration
from watchkeeper.regression.captures import Sample, instances_in
from watchkeeper.regression.drift import DriftReport
from watchkeeper.regression.drift_runs import DriftRun, drift_run
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.release import RegressionRelease
from watchkeeper.regression.rows import cells_of, features_of, format_cells

MAX_OBJECTS = 500
"""Of a run; an endpoint under load writes several a minute. Those that are read are spread evenly."""


@dataclass(frozen=True)
class CapturedRows:
    """What was found in the captured traffic."""

    rows: tuple[str, ...]
    """The sample, as lines of CSV in the plan's order."""
    rows_captured: int
    rows_unreadable: int
    objects: int
    objects_read: int


def collect_rows(
    objects: ObjectStore,
    bucket: str,
    plan: RegressionPlan,
    starts_at: datetime,
    ends_at: datetime,
    *,
    size: int,
) -> CapturedRows:
    """Sample the rows that the workload's endpoint was asked with from `starts_at` until before `ends_at`.

    The same traffic gives the same sample. A row counts as unreadable if the model would not take it.
    """
    keys = [
        key
        for prefix in hour_prefixes(plan.workload, starts_at, ends_at)
        for key in objects.keys_under(ObjectUri(bucket, prefix))
    ]
    chosen = spread(keys, MAX_OBJECTS)
    sample, unreadable = Sample(size), 0
    for key in chosen:
        body = objects.read(ObjectUri(bucket, key)) or b""
        for found in instances_in(body.splitlines()):
            if isinstance(found, InvalidInputError):
                unreadable += 1
                continue
            if not starts_at <= found.captured_at < ends_at:
                continue
            try:
                row = format_cells(features_of(cells_of(found.content, plan), plan))
            except InvalidInputError:
                unreadable += 1
                continue
            sample.add(found.identity, row)
    return CapturedRows(tuple(sample.items()), sample.seen, unreadable, len(keys), len(chosen))


def hour_prefixes(workload: str, starts_at: datetime, ends_at: datetime) -> Iterator[str]:
    """Yield the prefixes under which SageMaker writes what it captures in each hour, one hour more at the
    end: a file is named for when it was written."""
    root = f"{layout.capture_prefix(workload)}{layout.endpoint_name(workload)}/{layout.VARIANT}"
    hour = starts_at.replace(minute=0, second=0, microsecond=0)
    while hour <= ends_at + timedelta(hours=1):
        yield f"{root}/{hour:%Y/%m/%d/%H}/"
        hour += timedelta(hours=1)


def spread(keys: Sequence[str], count: int) -> list[str]:
    """Return at most `count` keys, spread evenly."""
    if len(keys) <= count:
        return list(keys)
    return [keys[position * len(keys) // count] for position in range(count)]


@dataclass(frozen=True, kw_only=True)
class CollectCapturesEnvironment(StepEnvironment):
    """What `collect_captures` is told when it is deployed."""

    service: ClassVar[str] = "collect_captures"
    purpose: ClassVar[str] = "Samples the captured traffic of an endpoint"
    calls: ClassVar[AwsCalls] = AwsCalls(
        reads=(
            f"{layout.capture_prefix(WORKLOAD)}*",
            f"{layout.run_prefix(WORKLOAD, '*')}plan.json",
            f"{layout.run_prefix(WORKLOAD, '*')}explain/config/{FILE_NAME}",
        ),
        lists=(layout.capture_prefix(WORKLOAD), layout.runs_of(WORKLOAD)),
        writes=(f"{layout.drift_prefix(WORKLOAD)}*",),
        series=("GetItem",),
    )

    data_bucket: str
    series_table: str


logger = Logger(service=CollectCapturesEnvironment.service)


@dataclass(frozen=True)
class Collected:
    """The answer of `collect_captures`."""

    run: DriftRun
    compare: bool
    """Whether there is something to compare."""
    report_uri: str
    """Where the report is in the end."""


@dataclass(frozen=True)
class CollectingEffects:
    """Everything outside of `collect_captures`."""

    bucket: str
    objects: ObjectStore
    releases: ReleaseStore

    @classmethod
    def in_aws(cls, environment: CollectCapturesEnvironment) -> CollectingEffects:
        """Return the effects in AWS."""
        return cls(
            bucket=environment.data_bucket,
            objects=S3ObjectStore(clients.s3()),
            releases=TableReleaseStore(clients.dynamodb(), environment.series_table),
        )


def collect(payload: dict[str, Any], effects: CollectingEffects) -> dict[str, Any]:
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
    release = effects.releases.live(workload)
    live = release if isinstance(release, RegressionRelease) else None
    run = drift_run(
        bucket=effects.bucket,
        workload=workload,
        execution_arn=text_of(payload, "execution_arn"),
        started_at=started_at,
        model_run_id=live.run_id if live else "",
    )
    if live is not None:
        report = dataclasses.replace(report, run_id=live.run_id, status="no_baseline")
    if live is not None and live.explanations:
        plan = _plan_of(run, effects)
        found = collect_rows(
            effects.objects, effects.bucket, plan, starts_at, started_at, size=int(number_of(payload, "rows"))
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
            _write_inputs(found.rows, run, plan, effects)
            report = dataclasses.replace(report, status="to_compare")
    compare = report.status == "to_compare"
    effects.objects.write(ObjectUri.parse(run.uris.draft), report.to_json().encode())
    logger.info("collected", extra={"workload": workload, "compare": compare, "rows": report.rows_captured})
    report_uri = run.report_uri if compare else run.uris.draft
    return dataclasses.asdict(Collected(run, compare, report_uri))


def _plan_of(run: DriftRun, effects: CollectingEffects) -> RegressionPlan:
    return RegressionPlan.from_json(_read(run.uris.training_plan, effects))


def _write_inputs(
    rows: tuple[str, ...], run: DriftRun, plan: RegressionPlan, effects: CollectingEffects
) -> None:
    training = json.loads(_read(run.uris.training_config, effects))
    configuration = drift_configuration(training, plan, baseline_uri=run.uris.baseline)
    body = "".join(f"{row}\n" for row in rows)
    effects.objects.write(ObjectUri.parse(f"{run.uris.rows}rows.csv"), body.encode())
    effects.objects.write(
        ObjectUri.parse(f"{run.uris.config}{FILE_NAME}"), json.dumps(configuration).encode()
    )


def _read(uri: str, effects: CollectingEffects) -> bytes:
    body = effects.objects.read(ObjectUri.parse(uri))
    if body is None:
        raise ContractViolationError(f"{uri} does not exist: the training run should have left it")
    return body


handle = step_handler(collect, CollectCapturesEnvironment, CollectingEffects.in_aws)
