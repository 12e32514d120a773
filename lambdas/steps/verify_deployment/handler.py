"""After a deployment: assert that the configuration that is live is the one that was asked for."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.runtime.workflow_payload import run_of
from lambdas.steps.verify_deployment.deployment import check_deployment
from lambdas.steps.verify_deployment.effects import VerificationEffects
from lambdas.steps.verify_deployment.environment import VerifyDeploymentEnvironment

logger = Logger(service=VerifyDeploymentEnvironment.service)
tracer = Tracer(service=VerifyDeploymentEnvironment.service)


@functools.cache
def effects() -> VerificationEffects:
    """Return the effects of this process."""
    return VerificationEffects.in_aws()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return verify(event, effects())


def verify(payload: dict[str, Any], world: VerificationEffects) -> dict[str, Any]:
    """Check the run's deployment; see `check_deployment`."""
    run = run_of(payload)
    check_deployment(
        run,
        world.resources.endpoint(run.names.endpoint),
        world.resources.configured_weights(run.names.endpoint_config),
    )
    return {"endpoint": run.names.endpoint, "endpoint_config": run.names.endpoint_config}
