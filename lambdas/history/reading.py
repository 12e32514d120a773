"""Read the scored intervals of one series back: merged days, merged hours, and what came since.

Days are of delivery, and the intervals of a day may be of any time before: a day's file says from when to
when they are. Nothing is delivered more than a day before it was measured, so days before that are not
looked at.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any, Protocol

from lambdas.history.merging import FIRST, LAST, MergedObjects, Stored
from watchkeeper.anomalies import merged
from watchkeeper.anomalies.quality import (
    IntervalCounts,
    QualityEvent,
    counts_in,
    events_in,
    of_quality,
    of_scores,
    once,
    summed,
)
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.stream.placement import bits_of

AT_ONCE = 16
OBJECTS = 256
"""Scores objects that are read into one table."""
POINT_COLUMNS = (
    *("start", "value", "expected", "lower", "upper", "score", "threshold", "severity", "anomalous"),
)
"""Of `read_columns`: start in seconds since 1970, and what a score line calls so, but for `score` and
`anomalous`."""
AHEAD = timedelta(days=1)
"""An event time may be so much later than its delivery: `watchkeeper.telemetry.records`."""


class ReadableObjects(MergedObjects, Protocol):
    """The data bucket, as reading needs it."""

    def folders(self, prefix: str) -> list[str]:
        """Return the prefixes one level below a prefix."""

    def opened(self, key: str) -> IO[bytes]:
        """Return an object as a file of which only what is read is fetched."""


@dataclass(frozen=True)
class Wanted:
    """Intervals of a series that begin from a time until before another."""

    workload: str
    series: str | None
    """None: of all series."""
    since: datetime
    until: datetime


def read_series(objects: ReadableObjects, wanted: Wanted) -> list[ScoreLine]:
    """Return the scored intervals of one series in the order of time, each once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files, arrived = _sources(objects, wanted, pool)
        found = {
            line.interval_start: line
            for function, keys in ((_of_file(objects, wanted), files), (_of_object(objects, wanted), arrived))
            for lines in pool.map(function, keys)
            for line in lines
        }
    return [found[start] for start in sorted(found)]


def read_columns(
    objects: ReadableObjects, wanted: Wanted, interval_seconds: int, *, goes_on: bool = False
) -> dict[str, list[Any]]:
    """Return the scored intervals of one series in the order of time as columns of the same length.

    Where intervals are missing, one row without a value stands for all of them, in the first one's place: so
    a line that is drawn of the columns breaks there.

    Parameters
    ----------
    goes_on
        Whether these follow others: what is missing at the beginning is marked, too.
    """
    rows: dict[int, tuple[Any, ...]] = {}
    span = format_instant(wanted.since), format_instant(wanted.until)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files, arrived = _sources(objects, wanted, pool)
        for found in (
            *pool.map(lambda key: _rows_of_file(objects.opened(key), wanted.series or "", *span), files),
            *pool.map(lambda key: _rows_of_object(objects.read(key), wanted.series or "", *span), arrived),
        ):
            rows.update(found)
    starts = sorted(rows)
    ordered: list[tuple[Any, ...]] = []
    last = epoch_seconds(wanted.since) - interval_seconds if goes_on else None
    for start in starts:
        if last is not None and start - last > interval_seconds:
            ordered.append((last + interval_seconds, *[None] * (len(POINT_COLUMNS) - 2), False))
        ordered.append((start, *rows[start]))
        last = start
    return {name: [row[place] for row in ordered] for place, name in enumerate(POINT_COLUMNS)}


@dataclass(frozen=True)
class Log:
    """How telemetry came, and what of it was unusual, in the order of time."""

    intervals: list[IntervalCounts]
    events: list[QualityEvent]


def read_log(objects: ReadableObjects, wanted: Wanted) -> Log:
    """Return how the telemetry of all series came, an interval a row, and what was unusual."""
    lines: list[bytes] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files, arrived = _sources(objects, wanted, pool)
        for of_file in pool.map(lambda key: merged.quality_of_file(objects.opened(key)), files):
            lines += of_file
        for body in pool.map(objects.read, arrived):
            lines += of_quality(gzip.decompress(body).splitlines())
    since, until = format_instant(wanted.since), format_instant(wanted.until)
    return Log(
        [one for one in summed(counts_in(lines)) if since <= one.interval_start < until],
        [event for event in once(events_in(lines)) if since <= event.interval_start < until],
    )


def read_tables(objects: ReadableObjects, wanted: Wanted) -> Iterator[Any]:
    """Yield the scored intervals as Arrow tables with the columns of `watchkeeper.anomalies.merged`.

    An interval is in one of them; within each, rows are in the order of series and time. Of a merged file no
    more than a group of rows is held at a time, of what came since, `OBJECTS` objects.
    """
    span = format_instant(wanted.since), format_instant(wanted.until)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files, arrived = _sources(objects, wanted, pool)
        for key in sorted(files):
            yield from merged.tables_of(objects.opened(key), wanted.series, *span)
        for first in range(0, len(arrived), OBJECTS):
            some = pool.map(objects.read, sorted(arrived)[first : first + OBJECTS])
            table = merged.table_of(gzip.decompress(body) for body in some)
            yield merged.chosen(table, wanted.series, *span)


def _sources(
    objects: ReadableObjects, wanted: Wanted, pool: ThreadPoolExecutor
) -> tuple[list[str], list[str]]:
    """Return the merged files, and the scores objects that are in none, which may have what is wanted."""
    first_date = f"{wanted.since - AHEAD:%Y-%m-%d}"
    days = {
        layout.date_of_key(day.key): day
        for day in objects.listed(layout.merged_days_prefix(wanted.workload))
        if layout.date_of_key(day.key) >= first_date
    }
    dates = map(layout.date_of_key, objects.folders(layout.scores_prefix(wanted.workload)))
    open_dates = [date for date in dates if date >= first_date and date not in days]
    overlaps = pool.map(_overlaps(objects, wanted), days.values())
    files = [day.key for day, overlap in zip(days.values(), overlaps, strict=True) if overlap]
    arrived: list[str] = []
    for hours, sources in pool.map(_open_date(objects, wanted), open_dates):
        files += hours
        arrived += sources
    return files, arrived


def _overlaps(objects: ReadableObjects, wanted: Wanted) -> Callable[[Stored], bool]:
    since, until = format_instant(wanted.since), format_instant(wanted.until)

    def overlaps(day: Stored) -> bool:
        said = objects.metadata(day.key) or {}
        return said.get(FIRST, since) < until and said.get(LAST, since) >= since

    return overlaps


def _open_date(objects: ReadableObjects, wanted: Wanted) -> Callable[[str], tuple[list[str], list[str]]]:
    bits = None if wanted.series is None else bits_of(wanted.series)

    def open_date(date: str) -> tuple[list[str], list[str]]:
        """Return the merged hours of a date, and the shelf's scores objects of the other hours."""
        hours = [each.key for each in objects.listed(layout.merged_hours_prefix(wanted.workload, date))]
        sources = [
            source.key
            for folder in objects.folders(layout.scores_of_date(wanted.workload, date))
            if layout.merged_hour_key(wanted.workload, layout.hour_of_scores_key(folder)) not in hours
            for source in objects.listed(folder)
            if bits is None or bits.startswith(layout.shelf_of_scores_key(source.key))
        ]
        return hours, sources

    return open_date


_KEPT = ("value", "expected", "lower", "upper", "anomaly_score", "threshold", "severity", "is_anomaly")
Rows = list[tuple[int, tuple[Any, ...]]]


def _rows_of_file(file: IO[bytes], series: str, since: str, until: str) -> Rows:
    found: Rows = []
    for table in merged.tables_of(file, series, since, until):
        starts = table["interval_start"].cast("int64").to_pylist()
        columns = [table[name].to_pylist() for name in _KEPT]
        columns[-1] = list(map(bool, columns[-1]))
        found += [(start // 1000, row) for start, row in zip(starts, zip(*columns, strict=True), strict=True)]
    return found


def _rows_of_object(packed: bytes, series: str, since: str, until: str) -> Rows:
    name = json.dumps(series).encode()  # most lines are of other series, and are not parsed
    scores = of_scores(gzip.decompress(packed).splitlines())
    lines = [json.loads(line) for line in scores if name in line]
    return [
        (
            epoch_seconds(parse_instant(line["interval_start"])),
            (*(line.get(each) for each in _KEPT[:-1]), bool(line.get("is_anomaly"))),
        )
        for line in lines
        if line["series"] == series and since <= line["interval_start"] < until
    ]


def _of_file(objects: ReadableObjects, wanted: Wanted) -> Callable[[str], list[ScoreLine]]:
    since, until = format_instant(wanted.since), format_instant(wanted.until)
    return lambda key: merged.lines_of(
        objects.opened(key), wanted.workload, wanted.series or "", since, until
    )


def _of_object(objects: ReadableObjects, wanted: Wanted) -> Callable[[str], list[ScoreLine]]:
    since, until = format_instant(wanted.since), format_instant(wanted.until)

    def of_object(key: str) -> list[ScoreLine]:
        name = json.dumps(wanted.series).encode()  # most lines are of other series, and are not parsed
        lines = (
            ScoreLine.from_json(line)
            for line in of_scores(gzip.decompress(objects.read(key)).splitlines())
            if name in line
        )
        return [
            line for line in lines if line.series == wanted.series and since <= line.interval_start < until
        ]

    return of_object
