"""Whether what is live is what was asked for."""

from __future__ import annotations

import math

from lambdas.adapters.sagemaker_resources import EndpointDescription
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.run import TrainingRun

IN_SERVICE = "InService"


class EndpointRolledBackError(ContractViolationError):
    """The endpoint serves another configuration than the one that the run asked for."""


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
