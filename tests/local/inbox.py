"""A subscriber of the alert topic: a queue of the test's own."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import uuid4

from tests.local.laptop import Laptop
from tests.local.waiting import until


class Inbox:
    """What SNS has delivered."""

    def __init__(self, laptop: Laptop, url: str) -> None:
        self._sqs = laptop.client("sqs")
        self._url = url
        self._messages: list[dict[str, Any]] = []

    def receive(self) -> list[dict[str, Any]]:
        """Take what has come, and return all that has come so far: SNS's envelopes."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            self._messages.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return list(self._messages)

    def first(self) -> dict[str, Any]:
        """Return the first message."""
        return until(self.receive, what="a message of the alert topic")[0]


@contextmanager
def subscribed(laptop: Laptop, **attributes: list[Any]) -> Iterator[Inbox]:
    """Subscribe a new queue to the messages with these attributes."""
    sqs, sns = laptop.client("sqs"), laptop.client("sns")
    url = sqs.create_queue(QueueName=f"journey-{uuid4().hex[:12]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = laptop.outputs["AlertTopicArn"]
    delivery = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [delivery]})})
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(attributes)},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    try:
        yield Inbox(laptop, url)
    finally:
        sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)


def alerts_of(laptop: Laptop, workload: str) -> AbstractContextManager[Inbox]:
    """Subscribe to a workload's alerts."""
    return subscribed(laptop, workload=[workload], severity=[{"exists": True}])


def outcomes_of(laptop: Laptop, workload: str) -> AbstractContextManager[Inbox]:
    """Subscribe to what is told of a workload's trainings."""
    return subscribed(laptop, workload=[workload], outcome=[{"exists": True}])
