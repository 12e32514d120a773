"""Executions of the training workflow: start one, and follow its states as they happen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from rich.live import Live
from rich.table import Table

from cli.failures import StepFailedError
from lambdas.console.steps import Step, steps_of
from watchkeeper.command.failures import RejectedError
from watchkeeper.command.screen import console, say
from watchkeeper.core.causes import words_of_cause

POLL_SECONDS = 0.5
FINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
_UNSEEN = frozenset({"Choice", "Pass"})
_HISTORY_PAGE = 1000


@dataclass(frozen=True)
class Outcome:
    """How an execution ended."""

    execution_arn: str
    status: str
    steps: list[Step]
    state: dict[str, Any]
    """The workflow's last state; empty unless it succeeded."""
    error: str | None
    cause: str | None


def start(session: boto3.Session, state_machine_arn: str, payload: dict[str, Any]) -> str:
    """Start an execution and return its ARN."""
    client = session.client("stepfunctions")
    started = client.start_execution(stateMachineArn=state_machine_arn, input=json.dumps(payload))
    execution_arn: str = started["executionArn"]
    return execution_arn


def run_to_its_end(session: boto3.Session, state_machine_arn: str, payload: dict[str, Any]) -> Outcome:
    """Start an execution and follow its states until it has succeeded.

    Raises
    ------
    StepFailedError
        With the readable reason, if it did not succeed.
    """
    execution_arn = start(session, state_machine_arn, payload)
    say(f"execution: {execution_arn}")
    return succeeded(follow(session, execution_arn))


def follow(
    session: boto3.Session, execution_arn: str, *, sleep: Callable[[float], None] = time.sleep
) -> Outcome:
    """Show the states of an execution until it ends."""
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        for outcome in progress(session, execution_arn, sleep=sleep):
            live.update(steps_table(outcome.steps))
    console.print(steps_table(outcome.steps))
    return outcome


def succeeded(outcome: Outcome) -> Outcome:
    """Return the outcome of an execution that succeeded.

    Raises
    ------
    StepFailedError
        With the readable reason, if it did not.
    RejectedError
        If it did, and the gate refuses the model.
    """
    if outcome.status != "SUCCEEDED":
        error, cause = outcome.error or "no error name", words_of_cause(outcome.cause or "no cause")
        reason = cause if cause.startswith(error) else f"{error}: {cause}"
        raise StepFailedError(
            f"the training ended {outcome.status}: {reason}\nexecution: {outcome.execution_arn}"
        )
    decision = outcome.state.get("decision")
    if decision is not None and not decision["approved"]:
        reasons = "".join(f"\n  {reason}" for reason in decision["reasons"])
        raise RejectedError(
            f"the model is rejected, and what scored before goes on:{reasons}\n"
            f"execution: {outcome.execution_arn}"
        )
    return outcome


def progress(
    session: boto3.Session, execution_arn: str, *, sleep: Callable[[float], None]
) -> Iterator[Outcome]:
    """Give the execution as it is, again and again; the last one has ended."""
    client = session.client("stepfunctions")
    while True:
        # The status first: an execution that has ended has its whole history.
        described = client.describe_execution(executionArn=execution_arn)
        pages = client.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn, PaginationConfig={"PageSize": _HISTORY_PAGE}
        )
        steps = steps_of((event for page in pages for event in page["events"]), unseen=_UNSEEN)
        yield Outcome(
            execution_arn,
            described["status"],
            steps,
            json.loads(described.get("output") or "{}") if described["status"] == "SUCCEEDED" else {},
            described.get("error"),
            described.get("cause"),
        )
        if described["status"] in FINAL:
            return
        sleep(POLL_SECONDS)


def steps_table(steps: list[Step]) -> Table:
    """Lay out steps with their durations."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    for step in steps:
        mark = "[red]✗[/]" if step.error else "[green]✓[/]" if step.ended_at else "[yellow]…[/]"
        seconds = "" if step.seconds is None else f"{step.seconds:7.1f} s"
        times = f"×{step.visits}" if step.visits > 1 else ""
        table.add_row(mark, step.name, seconds, step.error or times)
    return table
