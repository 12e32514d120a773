"""Metrics of CloudWatch as records: one for each interval and place, with a field for each metric.

Which metrics there are, ListMetrics says: those that had data within two weeks, or within three hours where
that is enough. A new one appears within 15 minutes. It has no bound, whereas GetMetricData gives 500 series
of a SEARCH expression and says nothing of the others: so searches are held against the list, too.
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
from watchkeeper.telemetry.metric_search import FoundMetric, MetricSearch
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
class _Wanted:
    """A metric that is read, and the field that has its values."""

    namespace: str
    metric: str
    column: MetricColumn
    place: Place


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

    def _wanted(self, window: Window) -> Iterator[_Wanted]:
        """Give the metrics that are watched and there: in these dimensions, and in no other."""
        measures = defaultdict(list)
        for measure in self.plan.measures:
            measures[measure.field].append(measure.name)
        names = self.plan.dimensions
        columns: dict[tuple[str, str | None], list[tuple[MetricColumn, MetricSearch]]] = defaultdict(list)
        for column in self.feed.metrics:
            search = self.feed.search(column, names)
            columns[search.namespace, search.metric].append((column, search))
        taken: dict[tuple[str, Place], str] = {}
        for (namespace, metric), asking in columns.items():
            for found in self._listed(namespace, metric, window):
                for column, search in asking:
                    if not search.finds(found) or all(
                        is_excluded(self.plan, name, found.dimensions) for name in measures[column.field]
                    ):
                        continue
                    place = tuple(found.dimensions[name] for name in names)
                    other = taken.setdefault((column.field, place), found.metric)
                    if other != found.metric:
                        at = ", ".join(f"{name} {value}" for name, value in found.dimensions.items())
                        raise ContractViolationError(
                            f"the search for the field {column.field!r} finds both {other} and {found.metric}"
                            f'{f" of {at}" if at else ""}: name one by MetricName="{other}"'
                        )
                    yield _Wanted(namespace, found.metric, column, place)

    def _listed(self, namespace: str, metric: str | None, window: Window) -> Iterator[FoundMetric]:
        """Give the metrics of a namespace that have the dimensions: all, or those of one name."""
        asked: dict[str, Any] = {}
        if metric is not None:
            asked["MetricName"] = metric
        if self.now - window.begin_at <= RECENTLY:
            asked["RecentlyActive"] = "PT3H"
        if self.plan.dimensions:
            asked["Dimensions"] = [{"Name": name} for name in self.plan.dimensions]
        with translated(f"list the metrics {metric or ''} of {namespace}".replace("  ", " ")):
            pages: Iterable[Any] = self.client.get_paginator("list_metrics").paginate(
                Namespace=namespace, **asked
            )
            for page in pages:
                for each in page["Metrics"]:
                    dimensions = {one["Name"]: one["Value"] for one in each.get("Dimensions", [])}
                    yield FoundMetric(namespace, each["MetricName"], dimensions)

    def _values(self, wanted: list[_Wanted], window: Window) -> Iterator[tuple[int, Place, str, float]]:
        queries = [
            {"Id": f"q{number}", "MetricStat": self._stat(each, window)} for number, each in enumerate(wanted)
        ]
        namespaces = ", ".join(sorted({each.namespace for each in wanted}))
        with translated(f"read metrics of {namespaces}"):
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
                    asked = wanted[int(result["Id"][1:])]
                    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                        yield (
                            int(at.astimezone(timezone.utc).timestamp()),
                            asked.place,
                            asked.column.field,
                            value,
                        )
        unfinished = set(states.values()) - {_FINISHED}
        if _REFUSED in unfinished:
            raise ContractViolationError(f"CloudWatch refuses metrics of {namespaces}")
        if unfinished:
            raise UnavailableError(
                f"CloudWatch has not answered whole: {', '.join(sorted(unfinished))} for metrics of "
                f"{namespaces}"
            )

    def _stat(self, asked: _Wanted, window: Window) -> dict[str, Any]:
        return {
            "Metric": {
                "Namespace": asked.namespace,
                "MetricName": asked.metric,
                "Dimensions": [
                    {"Name": name, "Value": value}
                    for name, value in zip(self.plan.dimensions, asked.place, strict=True)
                ],
            },
            "Period": window.interval_seconds,
            "Stat": asked.column.stat,
        }
