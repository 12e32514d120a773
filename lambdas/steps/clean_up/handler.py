"""The workflow's one Catch: remove what the run half made, and say in words why it ended."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.runtime.notification import failure_text
from lambdas.runtime.workflow_payload import run_of
from lambdas.steps.clean_up.effects import CleanUpEffects
from lambdas.steps.clean_up.environment import CleanUpEnvironment
from lambdas.steps.clean_up.leftovers import EndpointAction, judge
from watchkeeper.core.errors import UnavailableError
from watchkeeper.kinds import AnyRelease
from watchkeeper.lifecycle.run import TrainingRun

logger = Logger(service=CleanUpEnvironment.service)
tracer = Tracer(service=CleanUpEnvironment.service)


@functools.cache
def effects() -> CleanUpEffects:
    """Return the effects of this process."""
    return CleanUpEffects.in_aws(CleanUpEnvironment.from_environ())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return clean_up(event, effects())


def clean_up(payload: dict[str, Any], world: CleanUpEffects) -> dict[str, Any]:
    """Remove what nothing needs of a run; what does not exist is no error.

    Raises
    ------
    UnavailableError
        If the endpoint is still changing.
    """
    error = payload.get("error") or {}
    if not payload.get("run"):
        return {"reason": failure_text(error, ""), "removed": []}
    run = run_of(payload)
    sentence, removed = _take_back(run, world.releases.live(run.workload), world)
    logger.info("cleaned up", extra={"run_id": run.run_id, "removed": removed})
    return {"reason": failure_text(error, sentence), "removed": removed}


def _take_back(run: TrainingRun, live: AnyRelease | None, world: CleanUpEffects) -> tuple[str, list[str]]:
    names, resources = run.names, world.resources
    verdict = judge(run, resources.endpoint(names.endpoint), live)
    if verdict.action is EndpointAction.WAIT:
        raise UnavailableError(verdict.sentence)
    if verdict.action is EndpointAction.GO_BACK and live is not None:
        resources.update_endpoint(names.endpoint, live.endpoint_config)
    removals = [("model", names.preprocessor_model, resources.remove_model)]
    if verdict.action is EndpointAction.REMOVE:
        removals.append(("endpoint", names.endpoint, resources.remove_endpoint))
    if not verdict.run_is_needed:
        removals.append(("endpoint configuration", names.endpoint_config, resources.remove_endpoint_config))
        removals.append(("model", names.model, resources.remove_model))
    removed = [f"{kind} {name}" for kind, name, remove in removals if remove(name)]
    if not verdict.run_is_needed and world.releases.of_run(run.workload, run.run_id):
        world.releases.remove(run.workload, run.run_id)
        removed.append(f"release of run {run.run_id}")
    return verdict.sentence, removed
