"""A step of a workflow as a Lambda function: what it is told, what it may call, and its entry point."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from aws_lambda_powertools import Logger, Tracer

from lambdas.runtime.typed_environment import TypedEnvironment
from watchkeeper.core import layout

WORKLOAD = "{workload}"
"""In an object key of `AwsCalls`: each workload that the step serves."""
RUN_KEYS = f"{layout.RUNS}/{WORKLOAD}/*"
RUNS_PREFIX = f"{layout.RUNS}/"

Payload = dict[str, Any]
Effects = TypeVar("Effects")
Environment = TypeVar("Environment", bound="StepEnvironment")


@dataclass(frozen=True, kw_only=True)
class AwsCalls:
    """The calls that a step makes; its role is allowed these and nothing else.

    Logs, traces and the keys of what is read and written come without being named.
    """

    reads: tuple[str, ...] = ()
    """Object keys of the data bucket."""
    writes: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    """Key prefixes: where keys may not be listed, an absent object answers 403 and not 404."""
    reads_plans: bool = False
    series: tuple[str, ...] = ()
    """Actions on the series table, such as `GetItem`."""
    incidents: tuple[str, ...] = ()
    """Actions on the table of incidents, where people's verdicts are."""
    transactions: tuple[str, ...] = ()
    """Actions on the table of the fraud workloads' transactions."""
    arrivals: bool = False
    """Whether it lists these transactions in the order of their coming."""
    models: tuple[str, ...] = ()
    """SageMaker actions on the models of the workloads' runs."""
    packages: tuple[str, ...] = ()
    """SageMaker actions on the versions of the workloads' model package groups."""
    endpoint_configs: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    service_models: tuple[str, ...] = ()
    """SageMaker actions on the versions of the anomaly service's model package group."""
    endpoint_logs: tuple[str, ...] = ()
    """Actions of CloudWatch Logs on the log groups of the workloads' endpoints."""
    tells: bool = False
    """Whether it puts events on the alert bus."""


@dataclass(frozen=True, kw_only=True)
class StepEnvironment(TypedEnvironment):
    """What a step is told when it is deployed; `handle` stands in the same module."""

    purpose: ClassVar[str]
    """One line for the AWS console."""
    calls: ClassVar[AwsCalls]


def step_handler(
    rule: Callable[[Payload, Effects], Payload],
    environment: type[Environment],
    in_aws: Callable[[Environment], Effects],
) -> Callable[[Payload, Any], Payload]:
    """Return the Lambda entry point of a step.

    Parameters
    ----------
    rule
        What the step does with a state's payload; its answer goes back to the workflow.
    in_aws
        Makes the effects of the rule, once a process.
    """
    logger, tracer = Logger(service=environment.service), Tracer(service=environment.service)

    @functools.cache
    def effects() -> Effects:
        return in_aws(environment.from_environ())

    @logger.inject_lambda_context
    @tracer.capture_lambda_handler(capture_response=False)
    def handle(event: Payload, context: Any) -> Payload:
        return rule(event, effects())

    entry_point: Callable[[Payload, Any], Payload] = handle
    return entry_point
