"""Taking readings in: which count, and which intervals they close.

Deliveries come at least once, in any order, and late. What they close does not depend on that: a record
counts once, an interval closes when its series has seen an event time of at least its end plus the plan's
lateness, and an object that was taken in already changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import Aggregate, WorkloadPlan
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
    stacked,
    with_series,
)
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.telemetry.intervals import Aggregation
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
    late: Integers
    """Numbers of the lines with a reading whose interval had closed before the object came, ascending."""
    dropped: int = 0
    """Intervals of the length that the plan had before: open ones, and closed ones that will get no score."""


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
    nothing = np.zeros(0, dtype=np.int64)
    if page.knows(source.number):
        return TakenIn(page, nothing, dropped)
    page = with_series(page, readings.series)
    late = nothing
    if len(readings.rows):
        page, late = _merged(page, readings)
    entry = np.array([(source.number, 0)], dtype=APPLIED)
    applied = stacked([page.applied, entry])[-MAX_APPLIED_OBJECTS:]
    return TakenIn(_closed(dataclasses.replace(page, applied=applied), plan), late, dropped)


def close_until(page: Page, seconds: int, plan: WorkloadPlan) -> Page:
    """Close, in every series of a page, the intervals that end at or before a time, as far as they are open.

    Parameters
    ----------
    seconds
        Since 1970. What comes of those intervals from then on is late.
    """
    until = seconds // plan.interval_seconds * plan.interval_seconds
    return _closed_at(page, np.maximum(page.closed_until, until), plan)


def _merged(page: Page, readings: Readings) -> tuple[Page, Integers]:
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
    merged = dataclasses.replace(page, readings=kept, watermark=watermark)
    return merged, np.unique(found["line"][~in_time]).astype(np.int64)


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
    page = _closed_at(page, np.maximum(boundary, page.closed_until), plan)
    return _with_few_readings(page)


def _closed_at(page: Page, boundary: Integers, plan: WorkloadPlan) -> Page:
    closing = page.readings["start"] < boundary[page.readings["series"]]
    of_fold = [one.start < boundary[one.series] for one in page.folded]
    waiting = page.waiting
    if closing.any() or any(of_fold):
        done = [one for one, closes in zip(page.folded, of_fold, strict=True) if closes]
        closed = _aggregated(page, page.readings[closing], done, plan)
        waiting = in_order(stacked([page.waiting, closed]))
    if len(waiting) > MAX_WAITING_INTERVALS:
        raise UnavailableError(
            f"shelf {page.shelf!r} of {page.workload}: {len(waiting)} intervals would wait to be scored, "
            f"{MAX_WAITING_INTERVALS} may: scoring is behind, or one object spans too long a time"
        )
    return dataclasses.replace(
        page,
        closed_until=boundary,
        readings=page.readings[~closing],
        folded=tuple(one for one, closes in zip(page.folded, of_fold, strict=True) if not closes),
        waiting=waiting,
    )


def _aggregated(page: Page, readings: Records, folded: list[Folded], plan: WorkloadPlan) -> Records:
    """Return the intervals that these readings, in order, and folded ones make."""
    begins = firsts(readings, "series", "start")
    counts = np.diff(np.append(begins, len(readings)))
    closed = np.zeros(len(begins), dtype=WAITING)
    closed["series"], closed["start"] = readings["series"][begins], readings["start"][begins]
    closed["value"], closed["scorable"] = readings["value"][begins], 1
    aggregate_of = _aggregates(page, plan)
    kept = {(one.series, one.start): one.aggregation for one in folded}
    several = counts > 1
    if kept:  # what is folded may have readings beside it, and their rows must not stand for the interval
        several |= np.array([key in kept for key in zip(*_keys(closed), strict=True)], dtype=np.bool_)
    for place in np.flatnonzero(several).tolist():
        series, start = int(closed["series"][place]), int(closed["start"][place])
        values = readings["value"][begins[place] : begins[place] + counts[place]]
        found = _with(kept.pop((series, start), None), values[~np.isnan(values)].tolist())
        closed["value"][place] = found.value(aggregate_of(series))
    rest = [(series, start, found.value(aggregate_of(series)), 1) for (series, start), found in kept.items()]
    return stacked([closed, np.array(rest, dtype=WAITING)])


def _with(folded: Aggregation | None, values: list[float]) -> Aggregation:
    if folded is None:
        return Aggregation.of_values(values)
    return folded.merge(Aggregation.of_values(values)) if values else folded


def _keys(rows: Records) -> tuple[list[int], list[int]]:
    return rows["series"].tolist(), rows["start"].tolist()


def _aggregates(page: Page, plan: WorkloadPlan) -> Callable[[int], Aggregate]:
    known: dict[str, Aggregate] = {}

    def of(series: int) -> Aggregate:
        key = page.series[series]
        measure = key.partition("|")[0]
        if measure not in known:
            known[measure] = measure_of(key, plan).aggregate
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
        states=page.states[:0],
        runs=(),
        learner="",
    )
    return restarted, len(opened) + int((page.waiting["scorable"] == 1).sum())
