"""Executions of state machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lambdas.adapters.errors import translated

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
