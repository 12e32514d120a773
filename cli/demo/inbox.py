"""A real subscriber of the alert topic: a queue of the demo's own."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from cli.failures import StepFailedError
from watchkeeper.core import layout
from watchkeeper.incidents.notice import IncidentNotice, notice_text

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

RECEIVE_SECONDS = 2
MAX_MESSAGES = 10

_OF_NOTICE = [field.name for field in dataclasses.fields(IncidentNotice)]


@dataclass(frozen=True)
class Alert:
    """An alert as it was delivered."""

    subject: str
    message: str
    """The structured payload, JSON."""

    @property
    def of_incident(self) -> bool:
        """Whether it tells of an incident, and not of how telemetry comes."""
        return "incident" in json.loads(self.message)

    @property
    def notice(self) -> IncidentNotice:
        """What it tells of an incident."""
        payload = json.loads(self.message)
        return IncidentNotice.from_dict({name: payload[name] for name in _OF_NOTICE if name in payload})

    def text(self, timezone: str = "UTC") -> str:
        """Return the same alert as an e-mail subscriber reads it, times in the source's zone."""
        return notice_text(self.notice, timezone)


@dataclass(frozen=True)
class Inbox:
    """The queue that receives the alerts."""

    client: SQSClient
    queue_url: str

    def first(self, timeout_seconds: float) -> Alert:
        """Return the earliest of the alerts that come first; a queue keeps no order.

        Raises
        ------
        StepFailedError
            If none comes in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            received = self.receive()
            if received:
                return min(received, key=lambda alert: alert.notice.at)
        raise StepFailedError(f"no alert was delivered within {timeout_seconds:.0f} seconds")

    def until_quiet(self, timeout_seconds: float) -> list[Alert]:
        """Return all alerts: the first within a time, then as long as more come; empty if none does."""
        found: list[Alert] = []
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            received = self.receive()
            if found and not received:
                break
            found += received
        return sorted(found, key=lambda alert: alert.notice.at)

    def receive(self) -> list[Alert]:
        """Return the alerts of incidents that are there, and take all alerts out."""
        answer = self.client.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=RECEIVE_SECONDS
        )
        alerts = []
        for message in answer.get("Messages", []):
            alert = alert_in(message["Body"])
            if alert.of_incident:
                alerts.append(alert)
            self.client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return alerts


@contextmanager
def subscribed(session: boto3.Session, topic_arn: str, workload: str) -> Iterator[Inbox]:
    """Subscribe a new queue to a workload's alerts; remove both at the end."""
    sqs, sns = session.client("sqs"), session.client("sns")
    name = f"{layout.PREFIX}-demo-{layout.dashed(workload)}-{int(time.time())}"
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    subscription_arn = None
    try:
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
        queue_arn = attributes["QueueArn"]
        policy = json.dumps(_policy(queue_arn, topic_arn))
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
        subscription_arn = sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"FilterPolicy": json.dumps({"workload": [workload], "severity": [{"exists": True}]})},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        yield Inbox(sqs, queue_url)
    finally:
        if subscription_arn is not None:
            sns.unsubscribe(SubscriptionArn=subscription_arn)
        sqs.delete_queue(QueueUrl=queue_url)


def alert_in(body: str) -> Alert:
    """Read what SNS put in the queue: an envelope with the subject and the message."""
    envelope = json.loads(body)
    return Alert(envelope.get("Subject") or "(no subject)", _laid_out(envelope["Message"]))


def _laid_out(message: str) -> str:
    """Return a JSON message on several lines, any other as it is."""
    try:
        return json.dumps(json.loads(message), indent=2)
    except ValueError:
        return message


def _policy(queue_arn: str, topic_arn: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            }
        ],
    }
