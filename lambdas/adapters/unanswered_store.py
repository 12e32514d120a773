"""Incidents whose time to be answered runs: a partition of the incidents table, ordered by its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from lambdas.adapters.errors import translated
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.unanswered import Unanswered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "unanswered"
KEPT_DAYS = 30
"""Of what nobody looks at any more."""
_SECONDS_PER_DAY = 86_400


class UnansweredStore(Protocol):
    """What waits for an answer."""

    def add(self, waiting: Unanswered) -> None:
        """Let it wait; again changes nothing."""

    def due(self, now: datetime) -> list[Unanswered]:
        """Return what is due, the earliest first."""

    def forget(self, waiting: Unanswered) -> None:
        """Let it wait no more."""


@dataclass(frozen=True)
class TableUnanswered:
    """`UnansweredStore` in DynamoDB."""

    client: DynamoDBClient
    table: str
    clock: Callable[[], float] = time.time

    def add(self, waiting: Unanswered) -> None:
        with translated(f"write that {waiting.incident_id} waits for an answer"):
            self.client.put_item(
                TableName=self.table,
                Item={
                    "pk": {"S": PARTITION},
                    "sk": {"S": waiting.key},
                    "document": {"S": waiting.to_json()},
                    "expires_at": {"N": str(int(self.clock()) + KEPT_DAYS * _SECONDS_PER_DAY)},
                },
            )

    def due(self, now: datetime) -> list[Unanswered]:
        with translated("list incidents that wait for an answer"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk < :now",
                ExpressionAttributeValues={":pk": {"S": PARTITION}, ":now": {"S": format_instant(now) + "~"}},
                ConsistentRead=True,
            )
            return [Unanswered.from_json(item["document"]["S"]) for page in pages for item in page["Items"]]

    def forget(self, waiting: Unanswered) -> None:
        with translated(f"delete that {waiting.incident_id} waits for an answer"):
            self.client.delete_item(
                TableName=self.table, Key={"pk": {"S": PARTITION}, "sk": {"S": waiting.key}}
            )
