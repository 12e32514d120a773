"""Where telemetry is fetched from after each interval, as functions are told it, and of which time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.metric_search import MetricSearch, search_for, search_of

_PLACEHOLDERS = ("{from}", "{to}")
_READS = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class MetricColumn:
    """Metrics of CloudWatch, their statistic, and the field of records that has its values."""

    metric: str
    """The name of all of them; empty if `search` finds them."""
    stat: str
    field: str
    search: str = ""
    """A search expression; empty if `metric` names them."""


@dataclass(frozen=True)
class MetricFeed:
    """Metrics of CloudWatch: those of a name in the namespace, or what a search finds."""

    namespace: str
    """Of all metrics whose search names none; may be empty if each does."""
    metrics: tuple[MetricColumn, ...]

    def search(self, column: MetricColumn, dimensions: Sequence[str]) -> MetricSearch:
        """Return what finds the metrics of a column, in a workload with these dimensions."""
        if column.search:
            return search_of(column.search).within(self.namespace)
        return search_for(self.namespace, column.metric, dimensions)


@dataclass(frozen=True)
class QueryFeed:
    """A query of Athena with the placeholders `{from}` and `{to}`."""

    query: str
    database: str
    workgroup: str

    def text(self, window: Window) -> str:
        """Return the query of a window, times in UTC."""
        begin, end = (each.strftime(_TIME) for each in (window.begin_at, window.end_at))
        return self.query.replace("{from}", begin).replace("{to}", end)


@dataclass(frozen=True)
class FolderFeed:
    """A bucket in which each interval has a folder."""

    bucket: str
    path: str


Feed = MetricFeed | QueryFeed | FolderFeed
_KINDS: dict[str, type[Any]] = {"cloudwatch": MetricFeed, "athena": QueryFeed, "folders": FolderFeed}


def feed_name(feed: Feed) -> str:
    """Return what a workload file calls where the feed comes from, such as `cloudwatch`."""
    return next(name for name, kind in _KINDS.items() if isinstance(feed, kind))


def feed_to_json(feed: Feed) -> str:
    """Write a feed as a function's environment has it."""
    return json.dumps({"kind": feed_name(feed), **asdict(feed)})


def feed_from_json(text: str) -> Feed:
    """Read what `feed_to_json` wrote.

    Examples
    --------
    >>> feed_from_json(feed_to_json(FolderFeed("plant", "gases/{{yyyyMMdd}}/")))
    FolderFeed(bucket='plant', path='gases/{{yyyyMMdd}}/')
    """
    document = json.loads(text)
    kind = _KINDS[document.pop("kind")]
    if kind is MetricFeed:
        document["metrics"] = tuple(MetricColumn(**each) for each in document["metrics"])
    feed: Feed = kind(**document)
    return feed


def check_query(query: str) -> None:
    """Refuse a query that does more than read, or does not say of which time.

    Raises
    ------
    InvalidInputError
        With what is missing.
    """
    if not _READS.match(query):
        raise InvalidInputError("must be one SELECT, which may begin with WITH")
    if ";" in query.rstrip().removesuffix(";"):
        raise InvalidInputError("must be one statement: there is a ; in it")
    missing = [name for name in _PLACEHOLDERS if name not in query]
    if missing:
        raise InvalidInputError(
            f"must ask for a time only: {' and '.join(missing)} is not in it, as in WHERE at >= TIMESTAMP "
            "'{from}' AND at < TIMESTAMP '{to}'"
        )


@dataclass(frozen=True)
class Window:
    """Whole intervals that are asked for."""

    begin: int
    """Seconds since 1970, the beginning of an interval."""
    end: int
    """Likewise; this interval does not belong to it."""
    interval_seconds: int

    @property
    def begin_at(self) -> datetime:
        """The begin as a time, aware, UTC."""
        return datetime.fromtimestamp(self.begin, timezone.utc)

    @property
    def end_at(self) -> datetime:
        """The end as a time, aware, UTC."""
        return datetime.fromtimestamp(self.end, timezone.utc)

    def starts(self) -> Iterator[int]:
        """Give the begin of each interval."""
        yield from range(self.begin, self.end, self.interval_seconds)


def window_due(scheduled: int, plan: WorkloadPlan, offset_seconds: int) -> Window:
    """Return what is asked for at a time: the newest interval that ended so long ago, and those before it of
    which late records are still taken.

    Examples
    --------
    >>> from watchkeeper.core.plan import MeasurePlan, TimestampPlan
    >>> plan = WorkloadPlan("w", TimestampPlan("t"), (MeasurePlan("m", "m"),), 300, lateness_seconds=400)
    >>> window_due(1_000_000_200, plan, 120)
    Window(begin=999999000, end=999999900, interval_seconds=300)
    """
    length = plan.interval_seconds
    end = (scheduled - offset_seconds) // length * length
    return Window(end - length * (1 + -(-plan.lateness_seconds // length)), end, length)
