"""Closing intervals: what their readings make, and what those have that have no readings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import MeasurePlan, WorkloadPlan
from watchkeeper.stream.page import NEVER, WAITING, Folded, Integers, Page, Records, firsts, in_order, stacked
from watchkeeper.telemetry.intervals import Aggregation
from watchkeeper.telemetry.missing import empty_starts, filler
from watchkeeper.telemetry.series import measure_of

MAX_WAITING_INTERVALS = 1_000_000
"""Of a page: beyond it, it would be too large to be read and written."""


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
        several |= np.array([key in kept for key in zip(*keys_of(closed), strict=True)], dtype=np.bool_)
    for place in np.flatnonzero(several).tolist():
        series, start = int(closed["series"][place]), int(closed["start"][place])
        values = readings["value"][begins[place] : begins[place] + counts[place]]
        found = folded_with(kept.pop((series, start), None), values[~np.isnan(values)].tolist())
        closed["value"][place] = found.value(measure(series).aggregate)
    rest = [
        (series, start, found.value(measure(series).aggregate), 1) for (series, start), found in kept.items()
    ]
    return stacked([closed, np.array(rest, dtype=WAITING)])


def folded_with(folded: Aggregation | None, values: list[float]) -> Aggregation:
    """Return an aggregation with more values in it."""
    if folded is None:
        return Aggregation.of_values(values)
    return folded.merge(Aggregation.of_values(values)) if values else folded


def keys_of(rows: Records) -> tuple[list[int], list[int]]:
    """Return series and start of each row."""
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
