"""Metrics of CloudWatch as records: one for each interval and place, with a field for each metric.

Which metrics there are, ListMetrics says: those that had data within two weeks, or within three hours where
that is enough. A new one appears within 15 minutes. It has no bound, whereas a SEARCH expression gives 500
series and says nothing of the others.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html, API_GetMetricData.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lambdas.adapters.errors import translated
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.telemetry.feeds import MetricColumn, MetricFeed, Window
from watchkeeper.telemetry.history import HistoryLine
from watchkeeper.telemetry.records import Record, reader_of
from watchkeeper.telemetry.selection import is_excluded

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

QUERIES = 500
"""Most of one GetMetricData."""
RECENTLY = timedelta(hours=3)
"""What ListMetrics knows as recently active."""
_FINISHED = "Complete"
_REFUSED = "Forbidden"

Place = tuple[str, ...]
"""One value of each of the plan's dimensions."""


@dataclass(frozen=True)
class Metrics:
    """The metrics of a feed.

    Parameters
    ----------
    now
        Aware; metrics that were silent for three hours before are only looked for if the window is older.
    """

    client: CloudWatchClient
    feed: MetricFeed
    plan: WorkloadPlan
    now: datetime

    def lines(self, window: Window) -> Iterator[HistoryLine]:
        """Give a line for each interval and place with a value, in the order of time.

        Raises
        ------
        UnavailableError
            If CloudWatch does not answer, or not whole.
        ContractViolationError
            If it may not be asked.
        """
        found: dict[tuple[int, Place], dict[str, float]] = defaultdict(dict)
        wanted = list(self._wanted(window))
        for first in range(0, len(wanted), QUERIES):
            for at, place, field, value in self._values(wanted[first : first + QUERIES], window):
                found[at, place][field] = value
        reader, plan = reader_of(self.plan), self.plan
        for number, ((at, place), values) in enumerate(sorted(found.items()), start=1):
            fields: dict[str, Any] = {
                plan.timestamp.field: format_instant(at),
                **dict(zip(plan.dimensions, place, strict=True)),
                **values,
            }
            outcome: Record | InvalidInputError
            try:
                outcome = reader.record_of(fields)
            except InvalidInputError as error:
                outcome = error
            yield HistoryLine(number, json.dumps(fields), fields, outcome)

    def _wanted(self, window: Window) -> Iterator[tuple[MetricColumn, Place]]:
        """Give the metrics that are watched and there: in these dimensions, and in no other."""
        measures = defaultdict(list)
        for measure in self.plan.measures:
            measures[measure.field].append(measure.name)
        recent = self.now - window.begin_at <= RECENTLY
        asked: dict[str, Any] = {"RecentlyActive": "PT3H"} if recent else {}
        names = self.plan.dimensions
        if names:
            asked["Dimensions"] = [{"Name": name} for name in names]
        for metric in dict.fromkeys(column.metric for column in self.feed.metrics):
            with translated(f"list the metrics {metric} of {self.feed.namespace}"):
                pages: Iterable[Any] = self.client.get_paginator("list_metrics").paginate(
                    Namespace=self.feed.namespace, MetricName=metric, **asked
                )
                listed = [found for page in pages for found in page["Metrics"]]
            for found in listed:
                dimensions = {each["Name"]: each["Value"] for each in found.get("Dimensions", [])}
                if dimensions.keys() != set(names):
                    continue
                for column in self.feed.metrics:
                    if column.metric == metric and not all(
                        is_excluded(self.plan, name, dimensions) for name in measures[column.field]
                    ):
                        yield column, tuple(dimensions[name] for name in names)

    def _values(
        self, wanted: list[tuple[MetricColumn, Place]], window: Window
    ) -> Iterator[tuple[int, Place, str, float]]:
        queries = [
            {"Id": f"q{number}", "MetricStat": self._stat(column, place, window)}
            for number, (column, place) in enumerate(wanted)
        ]
        with translated(f"read metrics of {self.feed.namespace}"):
            pages: Iterable[Any] = self.client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries,  # type: ignore[arg-type]  # as the service's model has them
                StartTime=window.begin_at,
                EndTime=window.end_at,
                ScanBy="TimestampAscending",
            )
            states: dict[str, str] = {}
            for page in pages:
                for result in page["MetricDataResults"]:
                    states[result["Id"]] = result.get("StatusCode", _FINISHED)
                    column, place = wanted[int(result["Id"][1:])]
                    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                        yield int(at.astimezone(timezone.utc).timestamp()), place, column.field, value
        unfinished = set(states.values()) - {_FINISHED}
        if _REFUSED in unfinished:
            raise ContractViolationError(f"CloudWatch refuses metrics of {self.feed.namespace}")
        if unfinished:
            raise UnavailableError(
                f"CloudWatch has not answered whole: {', '.join(sorted(unfinished))} for metrics of "
                f"{self.feed.namespace}"
            )

    def _stat(self, column: MetricColumn, place: Place, window: Window) -> dict[str, Any]:
        return {
            "Metric": {
                "Namespace": self.feed.namespace,
                "MetricName": column.metric,
                "Dimensions": [
                    {"Name": name, "Value": value}
                    for name, value in zip(self.plan.dimensions, place, strict=True)
                ],
            },
            "Period": window.interval_seconds,
            "Stat": column.stat,
        }
