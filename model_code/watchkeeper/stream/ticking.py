"""What a tick does to a page: intervals close by the time that has passed, and silence is told.

A tick carries the time that it was scheduled for, which counts as an event: the clock is not asked. A record
may be under way for the plan's `delivery_seconds`, so a tick closes what has ended by its own time less that
and the plan's lateness. Records that come later are late, as if the series itself had gone on.

Only live series feel it: those of which something closed near the tick's time. History that is replayed is
far from it, and closes by its own event times alone. Of a measure without a value for empty intervals, only
what has records closes: a device that kept its records while it was away loses none of the other intervals.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.closing import closed_at
from watchkeeper.stream.fitting import fitted
from watchkeeper.stream.intake import TakenIn
from watchkeeper.stream.page import APPLIED, NEVER, Integers, Page, stacked
from watchkeeper.stream.tick_message import Tick
from watchkeeper.telemetry.missing import MAX_FILLED_INTERVALS

LIVE_STEPS = 10
"""A series is live if its last closed interval is at most so many intervals or ticks behind."""

_MICROSECONDS = 1_000_000
_FOREVER = 1 << 62
_LONG_AGO = np.int64(NEVER) // 4
"""Stands for `NEVER` where times are subtracted."""


def ticked(page: Page, tick: Tick, plan: WorkloadPlan) -> TakenIn | None:
    """Close what has ended, and say which series are silent.

    Returns
    -------
    TakenIn or None
        None if the page stays as it is, so that nothing is to be written. A tick that comes again, or after
        a later one, does nothing.

    Raises
    ------
    UnavailableError
        If too much waits to be scored; see `watchkeeper.stream.intake.take_in`.
    """
    if page.interval_seconds != plan.interval_seconds or page.knows(tick.source.number):
        return None
    stored = page
    page, dropped = fitted(page, plan) if page.shape else (page, 0)  # none has taken anything in yet
    silent = _silent(page, tick.seconds, plan)
    until = _until(page, tick.seconds, plan)
    if not len(silent) and page is stored and np.array_equal(until, page.closed_until):
        return None
    closed = closed_at(page, until, plan)
    newest = closed.newest.copy()
    newest["silent"][silent] = 1
    applied = stacked([closed.applied, np.array([(tick.source.number, 0)], dtype=APPLIED)])
    return TakenIn(
        dataclasses.replace(closed, newest=newest, applied=applied),
        dropped=dropped,
        silent=tuple(silent.tolist()),
    )


def due(page: Page, plan: WorkloadPlan) -> tuple[int, int] | None:
    """Return the first and the last instant at which a tick can have something to do, in seconds since 1970.

    None if it never has. Kept beside a page, it spares reading the page at every tick.
    """
    wait, length = plan.lateness_seconds + plan.delivery_seconds, plan.interval_seconds
    fills, until = _fills(page, plan), page.closed_until
    opened = [*zip(page.readings["series"].tolist(), page.readings["start"].tolist(), strict=True)]
    opened += [(one.series, one.start) for one in page.folded]
    opened += [(one, int(until[one])) for one in np.flatnonzero(fills & (_filled_until(page, plan) > until))]
    spans = [
        (start + length + wait, int(until[series]) + wait + _reach(plan))
        for series, start in set(opened)
        if until[series] != NEVER
    ]
    if plan.silence is not None:
        quiet = plan.silence.after_seconds + plan.delivery_seconds
        waits = (page.newest["silent"] == 0) & ~fills & (page.watermark != NEVER)
        spans += [
            (mark // _MICROSECONDS + quiet, mark // _MICROSECONDS + quiet + _reach(plan))
            for mark in page.watermark[waits].tolist()
        ]
    if len(page.waiting):  # it could not be scored: each tick is one more attempt
        spans.append((0, _FOREVER))
    now = int(page.watermark.max(initial=NEVER)) // _MICROSECONDS
    spans = [(first, last) for first, last in spans if last >= max(first, now)]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def _until(page: Page, seconds: int, plan: WorkloadPlan) -> Integers:
    """Return until when the intervals of each series are closed after a tick."""
    length = plan.interval_seconds
    boundary = (seconds - plan.lateness_seconds - plan.delivery_seconds) // length * length
    until = page.closed_until.copy()
    ended = page.readings["start"] < boundary
    np.maximum.at(until, page.readings["series"][ended], page.readings["start"][ended] + length)
    for one in page.folded:
        if one.start < boundary:
            until[one.series] = max(until[one.series], one.start + length)
    fills = _fills(page, plan) & (_filled_until(page, plan) > until)
    until[fills] = np.maximum(until[fills], boundary)
    behind = seconds - np.maximum(page.closed_until, _LONG_AGO)
    live = behind <= plan.lateness_seconds + plan.delivery_seconds + _reach(plan)
    until[~live] = page.closed_until[~live]
    return until


def _silent(page: Page, seconds: int, plan: WorkloadPlan) -> Integers:
    """Return the series that have been silent for long enough, and not so long that they are history."""
    if plan.silence is None:
        return np.zeros(0, dtype=np.int64)
    quiet = seconds - np.maximum(page.watermark // _MICROSECONDS, _LONG_AGO)
    allowed = plan.silence.after_seconds + plan.delivery_seconds
    told = (page.newest["silent"] == 1) | _fills(page, plan)
    return np.flatnonzero((quiet >= allowed) & (quiet <= allowed + _reach(plan)) & ~told)


def _reach(plan: WorkloadPlan) -> int:
    return LIVE_STEPS * max(plan.interval_seconds, plan.tick_seconds)


def _fills(page: Page, plan: WorkloadPlan) -> npt.NDArray[np.bool_]:
    """Return which series have a value where there are no records."""
    fills = {measure.name for measure in plan.measures if measure.fill != "ignore"}
    return np.array([name.partition("|")[0] in fills for name in page.series], dtype=np.bool_)


def _filled_until(page: Page, plan: WorkloadPlan) -> Integers:
    """Return until when empty intervals of each series have a value, if they are filled at all."""
    newest = np.maximum(page.newest["start"], _LONG_AGO)
    np.maximum.at(newest, page.readings["series"], page.readings["start"])
    until: Integers = newest + (1 + MAX_FILLED_INTERVALS) * plan.interval_seconds
    return until
