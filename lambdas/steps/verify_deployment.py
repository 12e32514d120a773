"""After a deployment: assert that the configuration that is live is the one that was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from lambdas.adapters import clients
from lambdas.adapters.sagemaker_resources import (
    EndpointDescription,
    SageMakerControlPlane,
    SageMakerResources,
)
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import AwsCalls, StepEnvironment, step_handler
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.run import TrainingRun

IN_SERVICE = "InService"


@dataclass(frozen=True, kw_only=True)
class VerifyDeploymentEnvironment(StepEnvironment):
    """What `verify_deployment` is told when it is deployed."""

    service: ClassVar[str] = "verify_deployment"
    purpose: ClassVar[str] = "Asserts that the live configuration is the requested one"
    calls: ClassVar[AwsCalls] = AwsCalls(
        endpoints=("DescribeEndpoint",), endpoint_configs=("DescribeEndpointConfig",)
    )


class EndpointRolledBackError(ContractViolationError):
    """The endpoint serves another configuration than the one that the run asked for."""


def verify(payload: dict[str, Any], resources: SageMakerResources) -> dict[str, Any]:
    """Check the run's deployment; see `check_deployment`."""
    run = run_of(payload)
    check_deployment(
        run,
        resources.endpoint(run.names.endpoint),
        resources.configured_weights(run.names.endpoint_config),
    )
    return {"endpoint": run.names.endpoint, "endpoint_config": run.names.endpoint_config}


def check_deployment(
    run: TrainingRun, live: EndpointDescription | None, asked_weights: dict[str, float] | None
) -> None:
    """Compare an endpoint with the run that deployed to it.

    Parameters
    ----------
    run
        The run; its configuration is what was asked for.
    live
        The endpoint; None if it does not exist.
    asked_weights
        Weights of the run's configuration; None if that does not exist.

    Raises
    ------
    EndpointRolledBackError
        If another configuration is live: SageMaker went back to it, which leaves the endpoint in service.
    ContractViolationError
        If the endpoint or its configuration is missing, or its status or variants are not those asked for.
    """
    name, asked = run.names.endpoint, run.names.endpoint_config
    if live is None:
        raise ContractViolationError(f"endpoint {name} does not exist, although it was deployed")
    if live.endpoint_config != asked:
        raise EndpointRolledBackError(
            f"endpoint {name} was rolled back: it is {live.status} with configuration "
            f"{live.endpoint_config}, asked for was {asked}; {live.failure_reason or 'no reason given'}"
        )
    if live.status != IN_SERVICE:
        raise ContractViolationError(
            f"endpoint {name} is {live.status}, not {IN_SERVICE}; {live.failure_reason or 'no reason given'}"
        )
    if asked_weights is None:
        raise ContractViolationError(f"endpoint configuration {asked} does not exist, although it is live")
    if layout.VARIANT not in asked_weights:
        raise ContractViolationError(f"endpoint configuration {asked} has no variant {layout.VARIANT}")
    if live.weights.keys() != asked_weights.keys() or not all(
        math.isclose(live.weights[variant], weight) for variant, weight in asked_weights.items()
    ):
        raise ContractViolationError(
            f"endpoint {name} has variants {live.weights}, its configuration asks for {asked_weights}"
        )


handle = step_handler(
    verify, VerifyDeploymentEnvironment, lambda _: SageMakerControlPlane(clients.sagemaker())
)
