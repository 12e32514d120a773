"""How a page goes over to a plan that has changed: other intervals, another time zone, other series.

It happens at the next object or tick of the shelf, once: the page remembers what it was fitted to.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.time_formats import EPOCH_UNITS
from watchkeeper.core.timestamps import EPOCH, parse_iso8601, time_zone
from watchkeeper.stream.closing import closed_at, keys_of
from watchkeeper.stream.page import KNOWN, NEVER, NO_RUN, THRESHOLD, Page, Quality, nothing_heard
from watchkeeper.stream.readings import Readings
from watchkeeper.telemetry.records import parse_object
from watchkeeper.telemetry.selection import is_excluded, is_watched
from watchkeeper.telemetry.series import parse_series_key

ISO8601 = "iso8601"
"""The one format whose times may say their offset or not."""
_MICROSECONDS = 1_000_000


def fitted(page: Page, plan: WorkloadPlan) -> tuple[Page, int]:
    """Return a page as a plan wants it: the same page where it was fitted to such a plan before.

    - Another interval: the page begins anew. What is open is dropped, what is closed gets no score.
    - With another interval or time zone, what is usual of how records come begins anew, too.
    - Another time zone, where times of readings depended on it: what is open or closed moves to when it was
      by the new zone, so that the next reading follows the last one. Intervals that were written under the
      wrong hour stay as they were.
    - Series whose measure the plan has no more, or that it excludes: what is open of them is dropped.
    - Series with other dimensions than the plan's: what is open of them closes and is scored.

    Returns
    -------
    Page, int
        And how many intervals will get no score.
    """
    dropped = 0
    if page.interval_seconds != plan.interval_seconds:
        page, dropped = _restarted(page, plan)
    zone, shape = "" if _tells_zone(plan.timestamp.format) else plan.timestamp.timezone, _shape(plan)
    if page.zone and zone and page.zone != zone:
        page = _moved(page, zone)
    if page.shape == shape:
        return page, dropped
    page, more = _retired(page, plan)
    return dataclasses.replace(page, shape=shape), dropped + more


def zone_of(readings: Readings, plan: WorkloadPlan) -> str:
    """Return the zone that the times of an object's readings depend on; empty where they say it themselves.

    The first line is looked at: a source writes its times in one way.
    """
    timestamp = plan.timestamp
    text = next(iter(readings.texts.values()), None)
    if _tells_zone(timestamp.format):
        return ""
    if timestamp.format != ISO8601 or text is None:
        return timestamp.timezone
    written = parse_object(text).get(timestamp.field)
    return "" if parse_iso8601(str(written)).tzinfo is not None else timestamp.timezone


def _tells_zone(timestamp_format: str) -> bool:
    return timestamp_format in EPOCH_UNITS or "%z" in timestamp_format


def _shape(plan: WorkloadPlan) -> str:
    """Return what is equal for plans that watch the same series."""
    names = sorted(measure.name for measure in plan.measures)
    excluded = sorted((one.measure or "", sorted(one.where.items())) for one in plan.exclude)
    kept = [sorted(plan.where.where.items())] if plan.where.where else []
    return short_hash(repr((names, plan.dimensions, excluded, *kept)))


def _moved(page: Page, zone: str) -> Page:
    """Read all times of a page in another zone: with the offset of its newest one, whole intervals."""
    newest = int(page.watermark.max(initial=NEVER))
    if newest == NEVER:
        return page
    instant = EPOCH + timedelta(microseconds=newest)
    wall = instant.astimezone(time_zone(page.zone)).replace(tzinfo=None)
    read_anew = wall.replace(tzinfo=time_zone(zone))
    seconds = int((read_anew - instant).total_seconds())
    step = round(seconds / page.interval_seconds) * page.interval_seconds

    def later(times: npt.NDArray[np.int64], by: int) -> npt.NDArray[np.int64]:
        return np.where(times == NEVER, NEVER, times + by)

    rows = {name: getattr(page, name).copy() for name in ("newest", "readings", "waiting", "context")}
    for column in rows.values():
        column["start"] = later(column["start"], step)
    states = page.states.copy()
    if len(states):
        states["last_time"] += step
    return dataclasses.replace(
        page,
        **rows,
        zone=zone,
        states=states,
        quality=Quality(),
        watermark=later(page.watermark, seconds * _MICROSECONDS),
        closed_until=later(page.closed_until, step),
        folded=tuple(dataclasses.replace(one, start=one.start + step) for one in page.folded),
    )


def _retired(page: Page, plan: WorkloadPlan) -> tuple[Page, int]:
    """Let series end that the plan does not watch any more."""
    unwatched = np.array([not is_watched(plan, name) for name in page.series], dtype=np.bool_)
    if not unwatched.any():
        return page, 0
    gone = unwatched & np.array([_is_gone(name, plan) for name in page.series], dtype=np.bool_)
    opened = {*zip(*keys_of(page.readings), strict=True), *((one.series, one.start) for one in page.folded)}
    dropped = sum(bool(gone[series]) for series, _ in opened) + int(gone[page.waiting["series"]].sum())
    page = dataclasses.replace(
        page,
        readings=page.readings[~gone[page.readings["series"]]],
        folded=tuple(one for one in page.folded if not gone[one.series]),
        waiting=page.waiting[~gone[page.waiting["series"]]],
        context=page.context[~gone[page.context["series"]]],
    )
    until = page.closed_until.copy()
    for series, start in opened:
        if unwatched[series] and not gone[series]:
            until[series] = max(until[series], start + page.interval_seconds)
    page = closed_at(page, until, plan)
    newest, watermark = page.newest.copy(), page.watermark.copy()
    newest[unwatched], watermark[unwatched] = nothing_heard(int(unwatched.sum())), NEVER
    return dataclasses.replace(page, newest=newest, watermark=watermark), dropped


def _is_gone(series: str, plan: WorkloadPlan) -> bool:
    """Tell whether nothing watches what a series measured, by whatever dimensions."""
    key = parse_series_key(series)
    known = any(measure.name == key.measure for measure in plan.measures)
    return not known or is_excluded(plan, key.measure, dict(key.dimensions))


def _restarted(page: Page, plan: WorkloadPlan) -> tuple[Page, int]:
    """Begin anew with the plan's interval: what is open is dropped, what is closed will get no score."""
    until = page.closed_until.copy()
    opened = {*zip(*keys_of(page.readings), strict=True), *((one.series, one.start) for one in page.folded)}
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
        quality=Quality(),
    )
    return restarted, len(opened) + int((page.waiting["scorable"] == 1).sum())
