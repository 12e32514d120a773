"""A task that died from outside does not stay open."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.steps.close_task import ClosingEffects, TableOpenRequests, close
from tests.unit.lambdas.service_dependencies import TABLE, create_table
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.service.tasks import Task, TaskFiles, task_input

ARN = "arn:aws:states:us-east-1:123456789012:execution:Train:train-0123"
INPUT = task_input(
    tenant="acme",
    request="0123",
    task=Task.TRAIN,
    bucket="bucket",
    parameters={"request_id": "0123"},
    files=TaskFiles(features="tenants/acme/p/f.csv"),
    charts=False,
).to_json()


def event(**detail: Any) -> str:
    return json.dumps(
        {
            "source": "aws.states",
            "time": "2026-01-01T00:00:09Z",
            "detail": {"executionArn": ARN, "status": "FAILED", "input": INPUT, **detail},
        }
    )


@dataclass
class KnownExecutions:
    """`Executions` that knows one."""

    asked: list[str] = field(default_factory=list)

    def describe(self, arn: str) -> dict[str, Any]:
        self.asked.append(arn)
        cause = "[problem:bad_time] row 3"
        return {"executionArn": arn, "status": "FAILED", "input": INPUT, "error": "Error", "cause": cause}


@pytest.fixture
def effects(aws: SimpleNamespace) -> ClosingEffects:
    create_table()
    return ClosingEffects(KnownExecutions(), TableOpenRequests(clients.dynamodb(), TABLE))


def put(status: str) -> None:
    clients.dynamodb().put_item(
        TableName=TABLE,
        Item={
            "pk": {"S": "tenant#acme"},
            "sk": {"S": "0123"},
            "status": {"S": status},
            "progress": {"M": {}},
            "history": {"L": [{"M": {"status": {"S": "queued"}, "at": {"S": "2026-01-01T00:00:00Z"}}}]},
        },
    )


def item() -> dict[str, Any]:
    key = {"pk": {"S": "tenant#acme"}, "sk": {"S": "0123"}}
    found: dict[str, Any] = clients.dynamodb().get_item(TableName=TABLE, Key=key)["Item"]
    return found


@pytest.mark.parametrize(
    ("detail", "kind", "words"),
    [
        ({"status": "TIMED_OUT"}, "task_timed_out", "longer"),
        ({"status": "ABORTED"}, "task_aborted", "stopped"),
        ({"status": "ABORTED", "cause": "by hand"}, "task_aborted", "by hand"),
        (
            {"error": "X", "cause": "[problem:non_numeric_value] column 'a'"},
            "non_numeric_value",
            "column 'a'",
        ),
        (
            {
                "error": "States.TaskFailed",
                "cause": json.dumps(
                    {
                        "ProcessingJobStatus": "Failed",
                        "ExitMessage": "[problem:bad_time] column 'timestamp', row 0",
                        "FailureReason": "AlgorithmError: See job logs for more information, exit code: 1",
                    }
                ),
            },
            "bad_time",
            "column 'timestamp', row 0",
        ),
        ({"error": "X", "cause": "broken"}, "task_failed", "X: broken"),
    ],
)
def test_an_open_request_becomes_a_failed_one(
    effects: ClosingEffects, detail: dict[str, Any], kind: str, words: str
) -> None:
    put("running")

    assert close(event(**detail), effects)

    closed = item()
    assert closed["status"] == {"S": "failed"}
    assert closed["error"]["M"]["type"] == {"S": kind}
    assert words in closed["error"]["M"]["message"]["S"]
    assert [each["M"]["status"]["S"] for each in closed["history"]["L"]] == ["queued", "failed"]
    assert "progress" not in closed


def test_a_second_delivery_changes_nothing(effects: ClosingEffects) -> None:
    put("queued")
    close(event(error="X"), effects)
    first = item()

    assert not close(event(error="Y"), effects)
    assert item() == first


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_finished_request_stays_as_it_is(effects: ClosingEffects, status: str) -> None:
    put(status)
    before = item()

    assert not close(event(error="X"), effects)
    assert item() == before


def test_a_request_that_is_gone_is_not_made_again(effects: ClosingEffects) -> None:
    assert not close(event(error="X"), effects)
    assert clients.dynamodb().scan(TableName=TABLE)["Items"] == []


@pytest.mark.parametrize("detail", [{"input": None, "status": "ABORTED"}, {"error": None, "cause": None}])
def test_asks_for_what_the_event_leaves_out(effects: ClosingEffects, detail: dict[str, Any]) -> None:
    put("running")

    assert close(event(**detail), effects)
    assert item()["error"]["M"]["type"] == {"S": "bad_time"}


@pytest.mark.parametrize("body", ["{}", "[]", "x", json.dumps({"detail": {}}), event(input="[]", error="X")])
def test_another_event_is_a_broken_contract(effects: ClosingEffects, body: str) -> None:
    with pytest.raises(ContractViolationError):
        close(body, effects)
