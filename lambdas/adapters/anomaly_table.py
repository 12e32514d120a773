"""Anomalies in their table, read back in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambdas.adapters.errors import translated
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.timestamps import format_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class TableAnomalies:
    """Anomalies of all workloads in DynamoDB."""

    client: DynamoDBClient
    table: str

    def between(
        self,
        workload: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        newest_first: bool = True,
    ) -> Iterator[AnomalyEvent]:
        """Yield a workload's anomalies of the intervals that begin from `since` until before `until`."""
        # a sort key is `INTERVAL_START#ID`, and a start alone is before all of its own
        return self._found(
            workload,
            {
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
                "ExpressionAttributeValues": {
                    ":pk": {"S": workload},
                    ":first": {"S": format_instant(since) if since else "0"},
                    ":last": {"S": format_instant(until) if until else "9999"},
                },
                "ScanIndexForward": not newest_first,
            },
        )

    def count(self, workload: str, since: datetime, until: datetime) -> int:
        """Return how many anomalies `between` would yield."""
        with translated(f"count anomalies of {workload}"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                Select="COUNT",
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": workload},
                    ":first": {"S": format_instant(since)},
                    ":last": {"S": format_instant(until)},
                },
            )
            return sum(page["Count"] for page in pages)

    def beginning(self, workload: str, id_: str) -> Iterator[AnomalyEvent]:
        """Yield a workload's anomalies whose ids begin so; all that it has are looked at."""
        return self._found(
            workload,
            {
                "KeyConditionExpression": "pk = :pk",
                "FilterExpression": "begins_with(anomaly_id, :id)",
                "ExpressionAttributeValues": {":pk": {"S": workload}, ":id": {"S": id_}},
            },
        )

    def _found(self, workload: str, query: dict[str, Any]) -> Iterator[AnomalyEvent]:
        with translated(f"list anomalies of {workload}"):
            for page in self.client.get_paginator("query").paginate(TableName=self.table, **query):
                for item in page["Items"]:
                    yield AnomalyEvent.from_json(item["document"]["S"])
