"""Series of a workload: listed by key, and one's points."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.adapters.score_reader import ScoreReader
from lambdas.console.documents.series import Points, SeriesItem
from lambdas.console.effects import ConsoleEffects
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_seconds, format_instant
from watchkeeper.stream.health import HealthName, SeriesHealth, end_of, health_of
from watchkeeper.telemetry.series import parse_series_key

LAST = timedelta(days=1)
"""Of what is asked for without a beginning."""


@dataclass(frozen=True)
class Chosen:
    """Which series."""

    prefix: str = ""
    contains: str = ""
    """Anywhere in the key, whatever the case."""
    measure: str | None = None
    health: HealthName | None = None

    def takes(self, one: SeriesHealth) -> bool:
        """Tell whether a series is one of them."""
        return (
            one.series.startswith(self.prefix)
            and self.contains.lower() in one.series.lower()
            and self.health in (None, one.health)
            and (self.measure is None or parse_series_key(one.series).measure == self.measure)
        )


def all_series(plan: WorkloadPlan, effects: ConsoleEffects) -> list[SeriesHealth]:
    """Return how all series of a workload go, by key."""
    heads = effects.heads(plan.workload)
    end = end_of(heads)
    if end is None:
        return []
    last = effects.week(plan, EPOCH + timedelta(seconds=end)).last
    return sorted(
        (one for head in heads for one in health_of(head, plan, last, end)), key=lambda one: one.series
    )


def listed(
    series: Sequence[SeriesHealth], chosen: Chosen, limit: int, after: str | None
) -> tuple[list[SeriesItem], str | None]:
    """Return some of the series, and the key of the last, where there are more.

    Parameters
    ----------
    series
        By key.
    after
        Those up to this key are left out.
    """
    first = bisect.bisect_left(series, chosen.prefix, key=lambda one: one.series)
    if after is not None:
        first = max(first, bisect.bisect_right(series, after, key=lambda one: one.series))
    found: list[SeriesHealth] = []
    for one in series[first:]:
        if not one.series.startswith(chosen.prefix):
            break
        if chosen.takes(one):
            found.append(one)
        if len(found) > limit:
            return [_item(each) for each in found[:limit]], found[limit - 1].series
    return [_item(each) for each in found], None


def points_of(
    reader: ScoreReader,
    plan: WorkloadPlan,
    series: str,
    times: tuple[datetime, datetime],
    most: int,
    begin: int | None,
) -> tuple[Points, int | None]:
    """Return scored intervals of a series.

    Parameters
    ----------
    times
        From the one until before the other.
    most
        Intervals that are looked at: so much of the time, whether all came or not.
    begin
        Where the part before ended, in seconds since 1970.

    Returns
    -------
    points, end
        Where the next part begins; None after the last.
    """
    first, end, following = part_of(plan, times, most, begin)
    answer: dict[str, Any] = reader.read(
        {
            "workload": plan.workload,
            "series": series,
            "since": format_instant(first),
            "until": format_instant(end),
            "interval_seconds": plan.interval_seconds,
            "goes_on": begin is not None,
        }
    )
    points = Points(
        series=series,
        interval_seconds=plan.interval_seconds,
        **answer["columns"],
        complete=following is None,
    )
    return points, following


def part_of(
    plan: WorkloadPlan, times: tuple[datetime, datetime], most: int, begin: int | None
) -> tuple[int, int, int | None]:
    """Return from when until when a part is, and where the next one begins; see `points_of`."""
    since, until = epoch_seconds(times[0]), epoch_seconds(times[1])
    if since >= until:
        raise ServiceProblemError(INVALID_REQUEST, "`from` must be before `to`")
    if begin is not None and not since <= begin < until:
        raise ServiceProblemError(INVALID_REQUEST, "the cursor is of other times: send `from` and `to` again")
    first = since if begin is None else begin
    end = min(until, first + most * plan.interval_seconds)
    return first, end, end if end < until else None


def _item(one: SeriesHealth) -> SeriesItem:
    key = parse_series_key(one.series)
    return SeriesItem(
        series=one.series,
        measure=key.measure,
        dimensions=dict(key.dimensions),
        last_value=one.last_value,
        last_at=one.last_start,
        health=one.health,
        muted=one.muted,
    )
