"""A worker that dies lets go of its messages within seconds; its hold on a key ends before they return."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from moto import mock_aws

from lambdas.adapters import clients
from lambdas.runtime import holding, queue_handler
from lambdas.runtime.holding import BATCH, BEAT_SECONDS, HELD_SECONDS, held
from lambdas.runtime.queue_handler import LEASE_SECONDS, once

LOGGER = Logger(service="test")
ARN = "arn:aws:sqs:us-east-1:123456789012:work.fifo"


class FakeQueue:
    """Keeps what it is told, or refuses."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.told: list[dict[str, int]] = []
        self.twice = threading.Event()
        self.refuses = refuses

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"https://sqs/{QueueName}"}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ChangeMessageVisibilityBatch")
        self.told.append({entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in Entries})
        if len(self.told) > 1:
            self.twice.set()


def records(count: int) -> list[dict[str, Any]]:
    return [{"receiptHandle": f"r{number}", "eventSourceARN": ARN} for number in range(count)]


def test_messages_are_held_for_seconds_again_and_again_while_the_worker_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(holding, "BEAT_SECONDS", 0.001)
    queue = FakeQueue()

    with held(records(2), lambda: cast("Any", queue), LOGGER):
        assert queue.twice.wait(10)

    assert queue.told[0] == {"r0": HELD_SECONDS, "r1": HELD_SECONDS}
    assert BEAT_SECONDS * 2 < HELD_SECONDS  # one heartbeat may be lost
    beats = len(queue.told)
    time.sleep(0.02)
    assert len(queue.told) == beats  # it ended with the block


def test_a_large_batch_is_held_in_calls_that_sqs_takes() -> None:
    queue = FakeQueue()

    with held(records(BATCH + 1), lambda: cast("Any", queue), LOGGER):
        pass

    assert [len(each) for each in queue.told[:2]] == [BATCH, 1]


def test_work_goes_on_where_the_queue_cannot_be_told() -> None:
    done: list[str] = []

    with held(records(1), lambda: cast("Any", FakeQueue(refuses=True)), LOGGER):
        done.append("work")

    assert done == ["work"]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="done",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        monkeypatch.setattr(clients, "dynamodb", lambda: client)
        queue_handler._layer.cache_clear()
        yield "done"
        queue_handler._layer.cache_clear()


def context(remaining_seconds: int) -> LambdaContext:
    return cast(
        "LambdaContext",
        SimpleNamespace(get_remaining_time_in_millis=lambda: remaining_seconds * 1000, function_name="f"),
    )


def test_a_key_is_held_no_longer_than_a_message_of_a_dead_worker_is_hidden(table: str) -> None:
    held_until: list[float] = []

    def look() -> None:
        (item,) = clients.dynamodb().scan(TableName=table)["Items"]
        held_until.append(int(item["in_progress_expiration"]["N"]) / 1000)

    before = time.time()
    once(table, "object", context(120), look)

    assert held_until[0] - before < HELD_SECONDS
    assert LEASE_SECONDS < HELD_SECONDS


def test_the_second_delivery_of_a_dead_workers_message_is_done_and_a_third_is_not(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def dies_while_working() -> None:
        time.sleep(0.05)  # its lease of a hundredth ends
        once(table, "object", context(120), lambda: done.append("second"))

    monkeypatch.setattr(queue_handler, "LEASE_SECONDS", 0.01)
    once(table, "object", context(120), dies_while_working)
    once(table, "object", context(120), lambda: done.append("third"))

    assert done == ["second"]
