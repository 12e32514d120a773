"""Taking readings in: which count, and which intervals they close.

Deliveries come at least once, in any order, and late. What they close does not depend on that: a record
counts once, an interval closes when its series has seen an event time of at least its end plus the plan's
lateness, and an object that was taken in already changes nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.closing import closed_at, folded_with
from watchkeeper.stream.counting import Arrived, counted
from watchkeeper.stream.fitting import fitted, zone_of
from watchkeeper.stream.page import (
    APPLIED,
    NEVER,
    READING,
    Folded,
    Integers,
    Page,
    Records,
    firsts,
    stacked,
    with_series,
)
from watchkeeper.stream.readings import Readings, Source

MAX_READINGS = 4096
"""Of one series in open intervals, the readings that are kept one by one. Beyond it the oldest intervals'
are folded, and a second delivery of such a reading inside another object counts twice."""

MAX_APPLIED_OBJECTS = 1024
"""Objects that are known to be taken in. An older one that comes again is late in all closed intervals."""

_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class TakenIn:
    """A page after the readings of an object, and what became of them."""

    page: Page
    late: tuple[int, ...] = ()
    """Numbers of the lines with a reading whose interval had closed before the object came, ascending."""
    dropped: int = 0
    """Intervals that will get no score because the plan has changed; see `watchkeeper.stream.fitting`."""
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
    page, dropped = fitted(page, plan)
    if page.knows(source.number):
        return TakenIn(page, dropped=dropped)
    known = set(page.series)
    page = dataclasses.replace(with_series(page, readings.series), zone=zone_of(readings, plan))
    before = page
    new = page.positions_of(sorted(set(readings.series) - known))
    page, arrived = _merged(page, readings, new)
    late = tuple(np.unique(arrived.rows["line"][~arrived.in_time]).tolist())
    if readings.series or readings.whole is not None:
        page = counted(before, page, arrived, source, plan)
    entry = np.array([(source.number, 0)], dtype=APPLIED)
    applied = stacked([page.applied, entry])[-MAX_APPLIED_OBJECTS:]
    return TakenIn(_closed(dataclasses.replace(page, applied=applied), plan), late, dropped)


def _merged(page: Page, readings: Readings, new_series: Integers) -> tuple[Page, Arrived]:
    found = readings.rows
    new = np.zeros(len(found), dtype=READING)
    new["series"] = page.positions_of(readings.series)[found["series"]]
    length = page.interval_seconds
    new["start"] = found["event_time"] // (length * _MICROSECONDS) * length
    new["record_id"], new["value"] = found["identity"], found["value"]
    in_time = new["start"] >= page.closed_until[new["series"]]
    kept, taken = _unique(page.readings, new[in_time])
    watermark = page.watermark.copy()
    np.maximum.at(watermark, new["series"][in_time][taken], found["event_time"][in_time][taken])
    newest = page.newest.copy()
    newest["silent"][watermark > page.watermark] = 0
    merged = dataclasses.replace(page, readings=kept, watermark=watermark, newest=newest)
    fresh = np.zeros(len(found), dtype=np.bool_)
    fresh[np.flatnonzero(in_time)[taken]] = True
    series = new["series"].astype(np.int64)
    return merged, Arrived(found, series, new["start"], in_time, fresh, new_series, readings.whole)


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
            folded[key] = folded_with(folded.get(key), values)
    rows = tuple(Folded(series, start, found) for (series, start), found in sorted(folded.items(), key=_key))
    return dataclasses.replace(page, readings=page.readings[~folding], folded=rows)


def _key(item: tuple[tuple[int, int], Any]) -> tuple[int, int]:
    return item[0]
