"""Metrics of CloudWatch as records: one for each interval and place, with a field for each metric.

Which metrics there are, ListMetrics says: those that had data within two weeks, or within three hours where
that is enough. A new one appears within 15 minutes. Search expressions are evaluated over that list: as
an expression of GetMetricData, SEARCH gives 500 series and says nothing of the others.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html, API_GetMetricData.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import product
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
Wanted = tuple[MetricColumn, FoundMetric, Place]


@dataclass(frozen=True)
class MetricList:
    """What ListMetrics knows, each list asked for once.

    Parameters
    ----------
    recent
        Whether metrics are left out that were silent for three hours.
    """

    client: CloudWatchClient
    recent: bool = False
    _asked: dict[tuple[str | None, str | None, Place], list[FoundMetric]] = field(default_factory=dict)

    def found_by(self, search: MetricSearch, dimensions: Sequence[str]) -> Iterator[FoundMetric]:
        """Give the metrics that a search finds, for a workload with these dimensions.

        Raises
        ------
        UnavailableError
            If CloudWatch does not answer.
        ContractViolationError
            If it may not be asked.
        """
        own = tuple(search.dimensions_of(dimensions))
        for asked in product(search.namespaces or [None], search.names or [None], [own]):
            if asked not in self._asked:
                self._asked[asked] = list(self._listed(*asked))
            yield from filter(search.finds, self._asked[asked])

    def _listed(self, namespace: str | None, name: str | None, dimensions: Place) -> Iterator[FoundMetric]:
        """Give the metrics with just these dimensions, in a namespace and of a name, or in and of any."""
        asked: dict[str, Any] = {"RecentlyActive": "PT3H"} if self.recent else {}
        if namespace is not None:
            asked["Namespace"] = namespace
        if name is not None:
            asked["MetricName"] = name
        if dimensions:
            asked["Dimensions"] = [{"Name": each} for each in dimensions]
        with translated(f"list the metrics {name or 'of any name'} of {namespace or 'any namespace'}"):
            pages: Iterable[Any] = self.client.get_paginator("list_metrics").paginate(**asked)
            found = [metric for page in pages for metric in page["Metrics"]]
        for metric in found:
            own = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
            if own.keys() == set(dimensions):
                yield FoundMetric(metric["Namespace"], metric["MetricName"], own)


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
            for at, place, name, value in self._values(wanted[first : first + QUERIES], window):
                found[at, place][name] = value
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

    def _wanted(self, window: Window) -> Iterator[Wanted]:
        """Give the metrics that are watched and there: in these dimensions, and in no other."""
        measures = defaultdict(list)
        for measure in self.plan.measures:
            measures[measure.field].append(measure.name)
        listing, names = MetricList(self.client, self.now - window.begin_at <= RECENTLY), self.plan.dimensions
        for column in self.feed.metrics:
            for found in listing.found_by(self.feed.search(column, names), names):
                place = found.place(names)
                dimensions = dict(zip(names, place, strict=True))
                if not all(is_excluded(self.plan, name, dimensions) for name in measures[column.field]):
                    yield column, found, place

    def _values(self, wanted: list[Wanted], window: Window) -> Iterator[tuple[int, Place, str, float]]:
        where = ", ".join(sorted({metric.namespace for _, metric, _ in wanted}))
        queries = [
            {"Id": f"q{number}", "MetricStat": self._stat(column, metric, window)}
            for number, (column, metric, _) in enumerate(wanted)
        ]
        with translated(f"read metrics of {where}"):
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
                    column, _, place = wanted[int(result["Id"][1:])]
                    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                        yield int(at.astimezone(timezone.utc).timestamp()), place, column.field, value
        unfinished = set(states.values()) - {_FINISHED}
        if _REFUSED in unfinished:
            raise ContractViolationError(f"CloudWatch refuses metrics of {where}")
        if unfinished:
            raise UnavailableError(
                f"CloudWatch has not answered whole: {', '.join(sorted(unfinished))} for metrics of {where}"
            )

    def _stat(self, column: MetricColumn, metric: FoundMetric, window: Window) -> dict[str, Any]:
        return {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions.items()],
            },
            "Period": window.interval_seconds,
            "Stat": column.stat,
        }
