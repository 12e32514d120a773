"""Training runs in Step Functions: what is asked of it, and that an end is asked for once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.console.steps import steps_of
from lambdas.console.training_runs import StepFunctionsRuns
from watchkeeper.lifecycle.run import run_id_of

MACHINES = "arn:aws:states:eu-west-1:123456789012:stateMachine"
MACHINE = f"{MACHINES}:watchkeeper-air-quality-training"
BEGAN = datetime(2026, 11, 30, 2, tzinfo=timezone.utc)


def arn(name: str) -> str:
    return f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"


def summary(name: str, status: str, hours: int = 0) -> dict[str, Any]:
    return {
        "executionArn": arn(name),
        "stateMachineArn": MACHINE,
        "name": name,
        "status": status,
        "startDate": BEGAN - timedelta(hours=hours),
    }


def description(name: str, status: str, hours: int = 0, **more: Any) -> dict[str, Any]:
    return {**summary(name, status, hours), "input": '{"reason": "manual"}', **more}


@pytest.fixture
def stubbed() -> Any:
    client = boto3.client(
        "stepfunctions",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stubber:
        yield StepFunctionsRuns(client, MACHINES), stubber
        stubber.assert_no_pending_responses()


def test_runs_are_listed_with_what_their_executions_say(stubbed: Any) -> None:
    runs, stub = stubbed
    executions = [summary("a", "RUNNING"), summary("b", "SUCCEEDED", 5)]
    output = json.dumps({"decision": {"approved": True, "reasons": []}})
    ended = description("b", "SUCCEEDED", 5, stopDate=BEGAN, output=output)
    stub.add_response(
        "list_executions",
        {"executions": executions, "nextToken": "more"},
        {"stateMachineArn": MACHINE, "maxResults": 2},
    )
    stub.add_response("describe_execution", description("a", "RUNNING"), {"executionArn": arn("a")})
    stub.add_response("describe_execution", ended, {"executionArn": arn("b")})
    found, cursor = runs.listed("air_quality", 2, None)
    assert [(run.status, run.run_id) for run in found] == [
        ("RUNNING", run_id_of(arn("a"), BEGAN)),
        ("SUCCEEDED", run_id_of(arn("b"), BEGAN - timedelta(hours=5))),
    ]
    assert (found[1].output["decision"]["approved"], found[1].ended_at, cursor) == (True, BEGAN, "more")

    stub.add_response(
        "list_executions",
        {"executions": executions},
        {"stateMachineArn": MACHINE, "maxResults": 2, "nextToken": "more"},
    )
    stub.add_response("describe_execution", description("a", "RUNNING"), {"executionArn": arn("a")})
    assert runs.listed("air_quality", 2, "more")[1] is None  # b has ended, and is not asked for again


def test_a_run_is_found_by_its_id_and_no_further_than_it_could_be(stubbed: Any) -> None:
    runs, stub = stubbed
    page = {"executions": [summary("a", "RUNNING"), summary("b", "FAILED", 5)], "nextToken": "older"}
    stub.add_response("list_executions", page, {"stateMachineArn": MACHINE, "maxResults": 1000})
    stub.add_response("describe_execution", description("b", "FAILED", 5, error="E", cause="why"))
    found = runs.found("air_quality", run_id_of(arn("b"), BEGAN - timedelta(hours=5)))
    assert (found.status, found.error, found.cause, dict(found.output)) == ("FAILED", "E", "why", {})
    stub.add_response("list_executions", page)
    assert runs.found("air_quality", "20261130010000-none") is None


def test_a_workload_without_a_workflow_has_no_runs(stubbed: Any) -> None:
    runs, stub = stubbed
    stub.add_client_error("list_executions", "StateMachineDoesNotExist")
    assert runs.listed("air_quality", 20, None) == ([], None)


def test_a_run_is_started_with_its_input(stubbed: Any) -> None:
    runs, stub = stubbed
    stub.add_response(
        "start_execution",
        {"executionArn": arn("c"), "startDate": BEGAN},
        {"stateMachineArn": MACHINE, "input": '{"reason": "new sensors"}'},
    )
    assert runs.start("air_quality", {"reason": "new sensors"}).run_id == run_id_of(arn("c"), BEGAN)


def event(kind: str, second: int, **details: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": BEGAN + timedelta(seconds=second), **details}


def test_an_attempt_that_failed_is_forgotten_when_a_later_one_goes_well() -> None:
    entered = event("TaskStateEntered", 0, stateEnteredEventDetails={"name": "Evaluate"})
    failed = event("TaskFailed", 1, taskFailedEventDetails={"error": "UnavailableError", "cause": "busy"})
    exited = event("TaskStateExited", 9, stateExitedEventDetails={"name": "Evaluate"})
    [step] = steps_of([entered, failed, event("TaskSucceeded", 8), exited])
    assert (step.error, step.left, step.seconds) == (None, True, 9.0)
    [caught] = steps_of([entered, failed, exited])
    assert (caught.error, caught.cause, caught.left) == ("UnavailableError", "busy", True)
    late = event("TaskTimedOut", 5, taskTimedOutEventDetails={"error": "States.Timeout"})
    [timed_out] = steps_of([entered, late])
    assert (timed_out.error, timed_out.ended_at) == ("States.Timeout", None)
