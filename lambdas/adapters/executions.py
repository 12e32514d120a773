"""Executions of state machines: those that run, and those of the service's tasks, started once a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters.errors import translated, unless
from watchkeeper.service.tasks import Task, execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True, order=True)
class RunningExecution:
    """An execution that has not ended; the order is the order of starting."""

    started_at: datetime
    execution_arn: str


@dataclass(frozen=True)
class StepFunctionsExecutions:
    """Executions in Step Functions."""

    client: SFNClient

    def running(self, state_machine_arn: str) -> list[RunningExecution]:
        """Return those of a state machine that have not ended."""
        with translated(f"list executions of {state_machine_arn}"):
            pages = self.client.get_paginator("list_executions").paginate(
                stateMachineArn=state_machine_arn, statusFilter="RUNNING"
            )
            return [
                RunningExecution(found["startDate"].astimezone(timezone.utc), found["executionArn"])
                for page in pages
                for found in page["executions"]
            ]

    def describe(self, arn: str) -> dict[str, Any]:
        """Return what Step Functions knows of an execution."""
        with translated(f"describe {arn}"):
            return dict(self.client.describe_execution(executionArn=arn))


class Workflows(Protocol):
    """The state machines of the tasks."""

    def execution_arn(self, task: Task, request: str) -> str:
        """Return the ARN that the execution of a request has, started or not."""

    def start(self, task: Task, request: str, document: str) -> None:
        """Start the execution of a request with its input, unless it was started before."""


@dataclass(frozen=True)
class StepFunctionsWorkflows:
    """`Workflows` in Step Functions.

    Parameters
    ----------
    state_machines
        ARN by task.
    """

    client: SFNClient
    state_machines: Mapping[Task, str]

    def execution_arn(self, task: Task, request: str) -> str:
        machine = self.state_machines[task].replace(":stateMachine:", ":execution:", 1)
        return f"{machine}:{execution_name(task, request)}"

    def start(self, task: Task, request: str, document: str) -> None:
        name = execution_name(task, request)
        machine = self.state_machines[task]
        unless(
            ("ExecutionAlreadyExists",),
            f"start {name}",
            lambda: self.client.start_execution(stateMachineArn=machine, name=name, input=document),
        )
