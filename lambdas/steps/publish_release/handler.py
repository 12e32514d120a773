"""Last step of a deployment: the new release is the live one, and models that cannot return are removed."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.runtime.workflow_payload import run_of
from lambdas.steps.publish_release.effects import PublishingEffects
from lambdas.steps.publish_release.environment import PublishReleaseEnvironment
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.kinds import AnyRelease

logger = Logger(service=PublishReleaseEnvironment.service)
tracer = Tracer(service=PublishReleaseEnvironment.service)


@functools.cache
def effects() -> PublishingEffects:
    """Return the effects of this process."""
    return PublishingEffects.in_aws(PublishReleaseEnvironment.from_environ())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return publish(event, effects())


def publish(payload: dict[str, Any], world: PublishingEffects) -> dict[str, Any]:
    """Publish the run's release, and remove those older than the one that it replaces.

    Registered model packages stay: a retired model can be made from its package again.

    Raises
    ------
    ContractViolationError
        If the run has no staged release, or a newer run is live.
    UnavailableError
        If another release was published at the same time.
    """
    run = run_of(payload)
    release = world.releases.of_run(run.workload, run.run_id)
    if release is None:
        raise ContractViolationError(f"run {run.run_id} of {run.workload} has no staged release")
    previous = world.releases.publish(release)
    for old in retired(world.releases.staged(run.workload), release, previous):
        world.resources.remove_endpoint_config(old.endpoint_config)
        world.resources.remove_model(old.model)
        world.releases.remove(run.workload, old.run_id)
        logger.info("retired", extra={"run_id": old.run_id, "model": old.model})
    world.resources.remove_model(run.names.preprocessor_model)
    return {
        "previous": None
        if previous is None
        else {
            "run_id": previous.run_id,
            "model": previous.model,
            "endpoint_config": previous.endpoint_config,
            "model_package_arn": previous.model_package_arn,
        }
    }


def retired(staged: Iterable[AnyRelease], live: AnyRelease, previous: AnyRelease | None) -> list[AnyRelease]:
    """Return the releases of older runs than the live one, but for the one that it replaced."""
    kept = {live.run_id, *([previous.run_id] if previous else [])}
    return [release for release in staged if release.run_id < live.run_id and release.run_id not in kept]
