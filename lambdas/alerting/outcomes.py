"""What became of the sample of a test, as those say it who had it in their hands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from lambdas.adapters.errors import translated
from watchkeeper.core.documents import Document

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PUBLISHED = "published"
"""Instead of a channel: that the alert topic has the sample."""
KEPT_SECONDS = 86_400


@dataclass(frozen=True)
class Outcome(Document, name="outcome of a test"):
    """What became of a sample at one place."""

    state: Literal["published", "delivered", "refused"]
    said: str = ""
    """By the target, or by the error."""


class Outcomes(Protocol):
    """Outcomes of tests."""

    def add(self, test_id: str, place: str, outcome: Outcome) -> None:
        """Write down what became of a sample; again changes nothing.

        Parameters
        ----------
        place
            The route's channel, or `PUBLISHED`.
        """

    def find(self, test_id: str, place: str) -> Outcome | None:
        """Return what is known; None while nothing is."""


@dataclass(frozen=True)
class TableOutcomes:
    """`Outcomes` in the idempotency table, for a day."""

    client: DynamoDBClient
    table: str
    clock: Callable[[], float] = time.time

    def add(self, test_id: str, place: str, outcome: Outcome) -> None:
        key = _key(test_id, place)
        with translated(f"write {key}"):
            self.client.put_item(
                TableName=self.table,
                Item={
                    "id": {"S": key},
                    "outcome": {"S": outcome.to_json()},
                    "expiration": {"N": str(int(self.clock()) + KEPT_SECONDS)},
                },
            )

    def find(self, test_id: str, place: str) -> Outcome | None:
        key = _key(test_id, place)
        with translated(f"read {key}"):
            answer = self.client.get_item(TableName=self.table, Key={"id": {"S": key}}, ConsistentRead=True)
        return Outcome.from_json(answer["Item"]["outcome"]["S"]) if "Item" in answer else None


def _key(test_id: str, place: str) -> str:
    return f"test#{test_id}#{place}"
