"""First state of the training workflow: refuse what cannot succeed, and name all that the run will make."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.adapters.object_store import ObjectUri
from lambdas.runtime.workflow_payload import text_of
from lambdas.steps.validate_input.effects import ValidationEffects
from lambdas.steps.validate_input.environment import ValidateInputEnvironment
from lambdas.steps.validate_input.execution_input import (
    ExecutionInput,
    RunningExecution,
    checked_input,
    refuse_if_older_runs,
)
from lambdas.steps.validate_input.registered_models import registered_artifact
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.kinds import AnyPlan, AnyRelease
from watchkeeper.lifecycle.release import Release
from watchkeeper.lifecycle.run import TrainingRun, training_run
from watchkeeper.regression.manifest import schema_hash
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.release import RegressionRelease

logger = Logger(service=ValidateInputEnvironment.service)
tracer = Tracer(service=ValidateInputEnvironment.service)


@functools.cache
def effects() -> ValidationEffects:
    """Return the effects of this process."""
    return ValidationEffects.in_aws(ValidateInputEnvironment.from_environ())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return validate(event, effects())


def validate(payload: dict[str, Any], world: ValidationEffects) -> dict[str, Any]:
    """Check the execution and write its plan.

    Raises
    ------
    InvalidInputError
        If the input is wrong, there is nothing to train on, the registered model may not serve, or an older
        execution runs (`TrainingInProgressError`).
    """
    wanted = checked_input(payload.get("input"))
    own = RunningExecution(parse_instant(text_of(payload, "started_at")), text_of(payload, "execution_arn"))
    refuse_if_older_runs(own, world.executions.running(text_of(payload, "state_machine_arn")))
    plan = world.plans.any_plan_of(text_of(payload, "workload"))
    _check_window(wanted, plan)
    run = training_run(
        workload=plan.workload,
        bucket=world.bucket,
        execution_arn=own.execution_arn,
        started_at=own.started_at,
        reason=wanted.reason,
    )
    sources = _sources(run, plan, world)
    artifact = registered_artifact(plan, world.bucket, world.registered)
    world.objects.write(ObjectUri.parse(run.uris.plan), plan.to_json().encode())
    champion = _champion(plan, world)
    return {
        "run": run.to_dict(),
        "champion": {
            "exists": champion is not None,
            "model": champion.model if champion else None,
            "run_id": champion.run_id if champion else None,
        },
        "endpoint": {"exists": world.resources.endpoint(run.names.endpoint) is not None},
        "window": wanted.window(),
        "sources": sources,
        "registered": {"uri": artifact},
    }


def _check_window(wanted: ExecutionInput, plan: AnyPlan) -> None:
    if isinstance(plan, RegressionPlan) and plan.history.timestamp is None and (wanted.start or wanted.end):
        raise InvalidInputError(
            f"execution input: the rows of workload {plan.workload!r} have no time; leave start and end out, "
            "or name the column in history.timestamp"
        )


def _champion(plan: AnyPlan, world: ValidationEffects) -> AnyRelease | None:
    """Return the live release whose model can answer the rows that this plan makes."""
    live = world.releases.live(plan.workload)
    if live is None or not world.resources.model_exists(live.model):
        return None
    match plan, live:
        case WorkloadPlan(), Release():
            return live
        case RegressionPlan(), RegressionRelease() if live.schema_hash == schema_hash(plan):
            return live
    logger.info("the live model takes other rows: no comparison", extra={"run_id": live.run_id})
    return None


def _sources(run: TrainingRun, plan: AnyPlan, world: ValidationEffects) -> dict[str, bool]:
    """Tell which of the two places that data may come from have objects; a table has its history only."""
    places = {"history": run.uris.history}
    if isinstance(plan, WorkloadPlan):
        places["raw"] = run.uris.raw
    found = {name: world.objects.any_under(ObjectUri.parse(uri)) for name, uri in places.items()}
    if not any(found.values()):
        raise InvalidInputError(
            f"workload {run.workload!r} has nothing to train on: no object under "
            f"{' or '.join(places.values())}; upload its history as .csv or .jsonl to {run.uris.history}"
        )
    return {"history": False, "raw": False, **found}
