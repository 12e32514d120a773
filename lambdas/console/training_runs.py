"""Training runs as executions of a workload's state machine: listed, looked into, started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters.errors import translated, unless
from lambdas.console.remembering import Remembered
from lambdas.console.steps import Step, steps_of
from watchkeeper.core import layout
from watchkeeper.lifecycle.run import run_id_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

ABSENT = frozenset({"ExecutionDoesNotExist", "StateMachineDoesNotExist"})
TRAINING = "training"
_EVENTS_AT_ONCE = 1000
_FOREVER = float("inf")


@dataclass(frozen=True)
class Run:
    """An execution of a training workflow."""

    workload: str
    execution: str
    """ARN."""
    status: str
    """Of Step Functions."""
    started_at: datetime
    ended_at: datetime | None
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    """The workflow's last state; empty unless it succeeded."""
    error: str | None = None
    cause: str | None = None

    @property
    def run_id(self) -> str:
        """What its first state calls it."""
        return run_id_of(self.execution, self.started_at)


class TrainingRuns(Protocol):
    """Runs of workloads."""

    def listed(self, workload: str, most: int, cursor: str | None) -> tuple[list[Run], str | None]:
        """Return runs, the newest first, and where the next part begins."""

    def found(self, workload: str, run_id: str) -> Run | None:
        """Return one run."""

    def steps(self, run: Run) -> list[Step]:
        """Return the states that it went through, those that only choose and pass included."""

    def definition(self, run: Run) -> dict[str, Any]:
        """Return the definition that it was started with, in the Amazon States Language."""

    def start(self, workload: str, document: Mapping[str, Any]) -> Run:
        """Start one."""


def execution_input(reason: str, start: str | None = None, end: str | None = None) -> dict[str, Any]:
    """Return the input of an execution; ends that are not set stay away."""
    return {"reason": reason, **({"start": start} if start else {}), **({"end": end} if end else {})}


@dataclass(frozen=True)
class StepFunctionsRuns:
    """`TrainingRuns` in Step Functions.

    Parameters
    ----------
    state_machines
        ARN of a state machine without its name.
    """

    client: SFNClient
    state_machines: str
    _ended: Remembered[Run] = field(default_factory=lambda: Remembered(_FOREVER))

    def listed(self, workload: str, most: int, cursor: str | None) -> tuple[list[Run], str | None]:
        from_there: dict[str, Any] = {"nextToken": cursor} if cursor else {}
        machine = self._machine(workload)
        page = unless(
            ABSENT,
            f"list executions of {machine}",
            lambda: self.client.list_executions(stateMachineArn=machine, maxResults=most, **from_there),
        )
        if page is None:
            return [], None
        return [self._described(workload, each) for each in page["executions"]], page.get("nextToken")

    def found(self, workload: str, run_id: str) -> Run | None:
        cursor: str | None = None
        while True:
            some, cursor = self._summaries(workload, cursor)
            for each in some:
                if run_id_of(each["executionArn"], _utc(each["startDate"])) == run_id:
                    return self._described(workload, each)
            if cursor is None or (some and f"{_utc(some[-1]['startDate']):%Y%m%d%H%M%S}" < run_id[:14]):
                return None

    def steps(self, run: Run) -> list[Step]:
        with translated(f"read the history of {run.execution}"):
            pages = self.client.get_paginator("get_execution_history").paginate(
                executionArn=run.execution, PaginationConfig={"PageSize": _EVENTS_AT_ONCE}
            )
            return steps_of(event for page in pages for event in page["events"])

    def definition(self, run: Run) -> dict[str, Any]:
        with translated(f"read the definition of {run.execution}"):
            found = self.client.describe_state_machine_for_execution(executionArn=run.execution)
        document: dict[str, Any] = json.loads(found["definition"])
        return document

    def start(self, workload: str, document: Mapping[str, Any]) -> Run:
        machine = self._machine(workload)
        with translated(f"start {machine}"):
            started = self.client.start_execution(stateMachineArn=machine, input=json.dumps(document))
        return Run(workload, started["executionArn"], "RUNNING", _utc(started["startDate"]), None, document)

    def _machine(self, workload: str) -> str:
        return f"{self.state_machines}:{layout.state_machine_name(workload, TRAINING)}"

    def _summaries(self, workload: str, cursor: str | None) -> tuple[list[Any], str | None]:
        from_there: dict[str, Any] = {"nextToken": cursor} if cursor else {}
        machine = self._machine(workload)
        page: Any = unless(
            ABSENT,
            f"list executions of {machine}",
            lambda: self.client.list_executions(stateMachineArn=machine, maxResults=1000, **from_there),
        )
        return ([], None) if page is None else (page["executions"], page.get("nextToken"))

    def _described(self, workload: str, summary: Any) -> Run:
        if summary["status"] == "RUNNING":
            return self._describe(workload, summary["executionArn"])
        # one that has ended stays as it is
        arn: str = summary["executionArn"]
        return self._ended.get(arn, lambda: self._describe(workload, arn))

    def _describe(self, workload: str, arn: str) -> Run:
        with translated(f"describe {arn}"):
            found: Any = self.client.describe_execution(executionArn=arn)
        ended = found.get("stopDate")
        return Run(
            workload,
            arn,
            found["status"],
            _utc(found["startDate"]),
            None if ended is None else _utc(ended),
            json.loads(found.get("input") or "{}"),
            json.loads(found.get("output") or "{}") if found["status"] == "SUCCEEDED" else {},
            found.get("error"),
            found.get("cause"),
        )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)
