"""Who is subscribed to the alert topic, and the alerts that SNS could not deliver to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lambdas.adapters.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS = 5
"""So long an undelivered alert that is looked at is not seen by others."""
LOOKS = 10
"""Of ten messages each, at the undelivered alerts."""


@dataclass(frozen=True)
class AlertSubscription:
    """One subscription to the alert topic."""

    protocol: str
    endpoint: str
    arn: str
    confirmed: bool
    channels: tuple[str, ...] | None
    """None: all, or of one that is not confirmed: AWS does not tell."""
    severity_at_least: float | None
    raw: bool
    """Whether a queue gets the alert without what SNS puts around it."""
    asks_for: tuple[str, ...] = ()
    """Attributes of alerts that its filter is about beside workload, channels and severity."""


@dataclass(frozen=True)
class Undelivered:
    """An alert that SNS could not deliver."""

    body: str
    reason: str


class Subscribers(Protocol):
    """The alert topic's subscriptions, and what did not reach them."""

    def of(self, workload: str) -> list[AlertSubscription]:
        """Return who gets a workload's alerts."""

    def take_undelivered(self, mark: str) -> list[Undelivered]:
        """Remove the undelivered alerts that contain a text, and return them; the others stay."""


@dataclass(frozen=True)
class SnsSubscribers:
    """`Subscribers` in SNS and its dead-letter queue."""

    sns: SNSClient
    sqs: SQSClient
    topic_arn: str
    undelivered_arn: str

    def of(self, workload: str) -> list[AlertSubscription]:
        with translated(f"list subscriptions of {self.topic_arn}"):
            return list(self._of(workload))

    def _of(self, workload: str) -> Iterator[AlertSubscription]:
        pages = self.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.topic_arn)
        for found in (each for page in pages for each in page["Subscriptions"]):
            protocol, endpoint, arn = found["Protocol"], found["Endpoint"], found["SubscriptionArn"]
            if not arn.startswith("arn:"):
                yield AlertSubscription(protocol, endpoint, arn, False, None, None, False)
                continue
            answer = unless(
                ("NotFound",),
                f"read subscription {arn}",
                lambda arn=arn: self.sns.get_subscription_attributes(SubscriptionArn=arn),  # type: ignore[misc]
            )
            if answer is None:
                continue  # it ended meanwhile
            attributes = answer["Attributes"]
            policy = json.loads(attributes.get("FilterPolicy") or "{}")
            if workload not in policy.get("workload", [workload]):
                continue
            severity = policy.get("severity", [None])[0]
            yield AlertSubscription(
                protocol,
                endpoint,
                arn,
                confirmed=attributes.get("PendingConfirmation") != "true",
                channels=tuple(policy["routes"]) if "routes" in policy else None,
                severity_at_least=(
                    severity["numeric"][1] if isinstance(severity, dict) and "numeric" in severity else None
                ),
                raw=attributes.get("RawMessageDelivery") == "true",
                asks_for=tuple(sorted(policy.keys() - {"workload", "routes", "severity"})),
            )

    def take_undelivered(self, mark: str) -> list[Undelivered]:
        found, seen = list[Undelivered](), set[str]()
        with translated(f"look at {self.undelivered_arn}"):
            name, owner = self.undelivered_arn.split(":")[5], self.undelivered_arn.split(":")[4]
            url = self.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"]
            for _ in range(LOOKS):
                answer = self.sqs.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=HIDDEN_SECONDS,
                    MessageAttributeNames=["All"],
                )
                messages = answer.get("Messages", [])
                for message in messages:
                    if mark in message["Body"] and message["MessageId"] not in seen:
                        said = {
                            key: each.get("StringValue", "")
                            for key, each in message.get("MessageAttributes", {}).items()
                        }
                        reason = ": ".join(
                            said[key] for key in ("ErrorCode", "ErrorMessage") if said.get(key)
                        )
                        found.append(Undelivered(message["Body"], reason))
                        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    seen.add(message["MessageId"])
                if not messages:
                    break
        return found
