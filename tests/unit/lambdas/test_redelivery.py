from __future__ import annotations

from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from lambdas.runtime.queue_handler import LONGEST_SECONDS, bring_again_soon, seconds_until_again

LOGGER = Logger(service="test")
ARN = "arn:aws:sqs:us-east-1:123456789012:work.fifo"


class FakeQueue:
    """Remembers what it was told; `refusing` stands for a queue that cannot be told."""

    def __init__(self, *, refusing: bool = False) -> None:
        self.refusing = refusing
        self.told: list[tuple[str, str, int]] = []

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"https://queue/{QueueName}"}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        if self.refusing:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ChangeMessageVisibility")
        self.told.append((QueueUrl, ReceiptHandle, VisibilityTimeout))


def batch(*received: int) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "eventSourceARN": ARN,
                "attributes": {"ApproximateReceiveCount": str(count)},
            }
            for number, count in enumerate(received)
        ]
    }


def failures(*identifiers: str) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def test_only_failed_messages_come_again_soon_and_later_each_time() -> None:
    queue = FakeQueue()
    answer = failures("m1", "m2")

    assert bring_again_soon(batch(1, 1, 2), answer, lambda: queue, LOGGER) is answer  # type: ignore[arg-type, return-value]

    url = "https://queue/work.fifo"
    assert queue.told == [(url, "r1", seconds_until_again(1)), (url, "r2", seconds_until_again(2))]
    assert seconds_until_again(1) < seconds_until_again(2) < LONGEST_SECONDS == seconds_until_again(9)


def test_a_batch_without_failures_asks_the_queue_nothing() -> None:
    def no_client() -> Any:
        pytest.fail("the queue was asked")

    assert bring_again_soon(batch(1), failures(), no_client, LOGGER) == failures()


def test_a_queue_that_cannot_be_told_costs_no_message() -> None:
    answer = failures("m0")

    told = bring_again_soon(batch(1), answer, lambda: FakeQueue(refusing=True), LOGGER)  # type: ignore[arg-type, return-value]

    assert told == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
