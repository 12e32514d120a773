"""Taking readings in: which count, and which intervals they close.

Deliveries come at least once, in any order, and late. What they close does not depend on that: a record
counts once, an interval closes when its series has seen an event time of at least its end plus the plan's
lateness, and an object that was taken in already changes nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import MeasurePlan, WorkloadPlan
from watchkeeper.stream.page import (
    APPLIED,
    KNOWN,
    NEVER,
    NO_RUN,
    READING,
    THRESHOLD,
    WAITING,
    Folded,
    Integers,
    Page,
    Records,
    firsts,
    in_order,
    nothing_heard,
    stacked,
    with_series,
)
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.telemetry.intervals import Aggregation
from watchkeeper.telemetry.missing import empty_starts, filler
from watchkeeper.telemetry.series import measure_of

MAX_READINGS = 4096
"""Of one series in open intervals, the readings that are kept one by one. Beyond it the oldest intervals'
are folded, and a second delivery of such a reading inside another object counts twice."""

MAX_APPLIED_OBJECTS = 1024
"""Objects that are known to be taken in. An older one that comes again is late in all closed intervals."""

MAX_WAITING_INTERVALS = 1_000_000
"""Of a page: beyond it, it would be too large to be read and written."""

_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class TakenIn:
    """A page after the readings of an object, and what became of them."""

    page: Page
    late: tuple[int, ...] = ()
    """Numbers of the lines with a reading whose interval had closed before the object came, ascending."""
    dropped: int = 0
    """Intervals of the length that the plan had before: open ones, and closed ones that will get no score."""
    silent: tuple[int, ...] = ()
    """Series, by position, that have said nothing for too long."""


def take_in(page: Page, readings: Readings, source: Source, plan: WorkloadPlan) -> TakenIn:
    """Merge the readings of an object into the page of its shelf.

    Parameters
    ----------
    page
        Not changed.
    readings
        Of the series that lie on this shelf.

    Raises
    ------
    UnavailableError
        If more than `MAX_WAITING_INTERVALS` would wait: scoring is behind, and the object must come again.
    """
    dropped = 0
    if page.interval_seconds != plan.interval_seconds:
        page, dropped = _restarted(page, plan)
    if page.knows(source.number):
        return TakenIn(page, dropped=dropped)
    page = with_series(page, readings.series)
    late: tuple[int, ...] = ()
    if len(readings.rows):
        page, late = _merged(page, readings)
    entry = np.array([(source.number, 0)], dtype=APPLIED)
    applied = stacked([page.applied, entry])[-MAX_APPLIED_OBJECTS:]
    return TakenIn(_closed(dataclasses.replace(page, applied=applied), plan), late, dropped)


def _merged(page: Page, readings: Readings) -> tuple[Page, tuple[int, ...]]:
    found = readings.rows
    new = np.zeros(len(found), dtype=READING)
    new["series"] = page.positions_of(readings.series)[found["series"]]
    length = page.interval_seconds
    new["start"] = found["event_time"] // (length * _MICROSECONDS) * length
    new["record_id"], new["value"] = found["record_id"], found["value"]
    in_time = new["start"] >= page.closed_until[new["series"]]
    kept, taken = _unique(page.readings, new[in_time])
    watermark = page.watermark.copy()
    np.maximum.at(watermark, new["series"][in_time][taken], found["event_time"][in_time][taken])
    newest = page.newest.copy()
    newest["silent"][watermark > page.watermark] = 0
    merged = dataclasses.replace(page, readings=kept, watermark=watermark, newest=newest)
    return merged, tuple(np.unique(found["line"][~in_time]).tolist())


def _unique(known: Records, new: Records) -> tuple[Records, npt.NDArray[np.intp]]:
    """Return what is known and, of each record that is not, its first reading; and which those are."""
    rows = stacked([known, new])
    order = np.lexsort((rows["record_id"], rows["start"], rows["series"]))
    chosen = order[firsts(rows[order], "series", "start", "record_id")]
    return rows[chosen], chosen[chosen >= len(known)] - len(known)


def _closed(page: Page, plan: WorkloadPlan) -> Page:
    """Close what the watermark of each series has left behind."""
    seen = page.watermark != NEVER
    behind = page.watermark // _MICROSECONDS - plan.lateness_seconds
    boundary = np.where(seen, behind // plan.interval_seconds * plan.interval_seconds, NEVER)
    page = closed_at(page, np.maximum(boundary, page.closed_until), plan)
    return _with_few_readings(page)


def closed_at(page: Page, boundary: Integers, plan: WorkloadPlan) -> Page:
    """Close the intervals that begin before a time, and fill those of them that have no records.

    Parameters
    ----------
    boundary
        Of each series, in seconds since 1970; not before its `closed_until`. What comes of those intervals
        from then on is late.
    """
    closing = page.readings["start"] < boundary[page.readings["series"]]
    of_fold = [one.start < boundary[one.series] for one in page.folded]
    done = [one for one, closes in zip(page.folded, of_fold, strict=True) if closes]
    closed = in_order(_aggregated(page, page.readings[closing], done, plan))
    empty = _empty(page, closed, boundary, plan)
    waiting = page.waiting
    if len(closed) or len(empty):
        waiting = in_order(stacked([page.waiting, closed, empty]))
    if len(waiting) > MAX_WAITING_INTERVALS:
        raise UnavailableError(
            f"shelf {page.shelf!r} of {page.workload}: {len(waiting)} intervals would wait to be scored, "
            f"{MAX_WAITING_INTERVALS} may: scoring is behind, or one object spans too long a time"
        )
    return dataclasses.replace(
        page,
        closed_until=boundary,
        newest=_newest(page, closed),
        readings=page.readings[~closing],
        folded=tuple(one for one, closes in zip(page.folded, of_fold, strict=True) if not closes),
        waiting=waiting,
    )


def _empty(page: Page, closed: Records, boundary: Integers, plan: WorkloadPlan) -> Records:
    """Return the intervals without records that close, where they have a value.

    Parameters
    ----------
    closed
        Those with records, in order.
    """
    if all(one.fill == "ignore" for one in plan.measures):
        return np.zeros(0, dtype=WAITING)
    length, measure = page.interval_seconds, measures_of(page, plan)
    begins = np.searchsorted(closed["series"], np.arange(len(page)))
    counts = np.bincount(closed["series"], minlength=len(page))
    heard = page.newest["start"] != NEVER
    first = np.where(heard, page.closed_until, boundary)
    only_now = ~heard & (counts > 0)
    first[only_now] = closed["start"][begins[only_now]]
    rows: list[tuple[int, int, float, int]] = []
    for series in np.flatnonzero((boundary - first) // length > counts).tolist():
        before = page.newest[series].item()[:2] if heard[series] else None
        of_series = closed[begins[series] : begins[series] + counts[series]]
        for start, value in [*zip(*_values(of_series), strict=True), (int(boundary[series]), math.nan)]:
            fill = None if before is None else filler(measure(series), before[1])
            if before is not None and fill is not None:
                starts = empty_starts(before[0], start, length)
                rows += [(series, at, fill, 1) for at in starts if at >= page.closed_until[series]]
            before = (start, value)
    return np.array(rows, dtype=WAITING)


def _newest(page: Page, closed: Records) -> Records:
    if not len(closed):
        return page.newest
    newest = page.newest.copy()
    lasts = np.append(firsts(closed, "series")[1:], len(closed)) - 1
    newest["start"][closed["series"][lasts]] = closed["start"][lasts]
    newest["value"][closed["series"][lasts]] = closed["value"][lasts]
    return newest


def _aggregated(page: Page, readings: Records, folded: list[Folded], plan: WorkloadPlan) -> Records:
    """Return the intervals that these readings, in order, and folded ones make."""
    begins = firsts(readings, "series", "start")
    counts = np.diff(np.append(begins, len(readings)))
    closed = np.zeros(len(begins), dtype=WAITING)
    closed["series"], closed["start"] = readings["series"][begins], readings["start"][begins]
    closed["value"], closed["scorable"] = readings["value"][begins], 1
    measure = measures_of(page, plan)
    kept = {(one.series, one.start): one.aggregation for one in folded}
    several = counts > 1
    if kept:  # what is folded may have readings beside it, and their rows must not stand for the interval
        several |= np.array([key in kept for key in zip(*_keys(closed), strict=True)], dtype=np.bool_)
    for place in np.flatnonzero(several).tolist():
        series, start = int(closed["series"][place]), int(closed["start"][place])
        values = readings["value"][begins[place] : begins[place] + counts[place]]
        found = _with(kept.pop((series, start), None), values[~np.isnan(values)].tolist())
        closed["value"][place] = found.value(measure(series).aggregate)
    rest = [
        (series, start, found.value(measure(series).aggregate), 1) for (series, start), found in kept.items()
    ]
    return stacked([closed, np.array(rest, dtype=WAITING)])


def _with(folded: Aggregation | None, values: list[float]) -> Aggregation:
    if folded is None:
        return Aggregation.of_values(values)
    return folded.merge(Aggregation.of_values(values)) if values else folded


def _keys(rows: Records) -> tuple[list[int], list[int]]:
    return rows["series"].tolist(), rows["start"].tolist()


def _values(rows: Records) -> tuple[list[int], list[float]]:
    return rows["start"].tolist(), rows["value"].tolist()


def measures_of(page: Page, plan: WorkloadPlan) -> Callable[[int], MeasurePlan]:
    """Return what finds the measure of a series by its position."""
    known: dict[str, MeasurePlan] = {}

    def of(series: int) -> MeasurePlan:
        key = page.series[series]
        measure = key.partition("|")[0]
        if measure not in known:
            known[measure] = measure_of(key, plan)
        return known[measure]

    return of


def _with_few_readings(page: Page) -> Page:
    """Fold the oldest readings of series that have more than `MAX_READINGS`."""
    counts = np.bincount(page.readings["series"], minlength=len(page))
    many = np.flatnonzero(counts > MAX_READINGS)
    if not len(many):
        return page
    folded = {(one.series, one.start): one.aggregation for one in page.folded}
    folding = np.zeros(len(page.readings), dtype=np.bool_)
    first_of = np.searchsorted(page.readings["series"], many)
    for series, first in zip(many.tolist(), first_of.tolist(), strict=True):
        folding[first : first + counts[series] - MAX_READINGS] = True
    oldest = page.readings[folding]
    begins = firsts(oldest, "series", "start")
    for begin, end in zip(begins, np.append(begins, len(oldest))[1:], strict=True):
        key = (int(oldest["series"][begin]), int(oldest["start"][begin]))
        values = oldest["value"][begin:end]
        values = values[~np.isnan(values)].tolist()
        if values:
            folded[key] = _with(folded.get(key), values)
    rows = tuple(Folded(series, start, found) for (series, start), found in sorted(folded.items(), key=_key))
    return dataclasses.replace(page, readings=page.readings[~folding], folded=rows)


def _key(item: tuple[tuple[int, int], Any]) -> tuple[int, int]:
    return item[0]


def _restarted(page: Page, plan: WorkloadPlan) -> tuple[Page, int]:
    """Begin anew with the plan's interval: what is open is dropped, what is closed will get no score."""
    until = page.closed_until.copy()
    opened = {*zip(*_keys(page.readings), strict=True), *((one.series, one.start) for one in page.folded)}
    for series, start in opened:
        until[series] = max(until[series], start + page.interval_seconds)
    length = plan.interval_seconds
    waiting = page.waiting.copy()
    waiting["scorable"] = 0
    thresholds = np.zeros(len(page), dtype=THRESHOLD)
    thresholds["run"] = NO_RUN
    restarted = dataclasses.replace(
        page,
        interval_seconds=length,
        closed_until=np.where(until == NEVER, NEVER, -(-until // length) * length),
        readings=page.readings[:0],
        folded=(),
        waiting=waiting,
        context=np.zeros(0, dtype=KNOWN),
        thresholds=thresholds,
        newest=nothing_heard(len(page)),
        states=page.states[:0],
        runs=(),
        learner="",
    )
    return restarted, len(opened) + int((page.waiting["scorable"] == 1).sum())
