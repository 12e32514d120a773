"""Series of a workload: listed by key, and one's points."""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.adapters.score_reader import ScoreReader
from lambdas.console.documents.series import Points, SeriesItem
from lambdas.console.effects import ConsoleEffects
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_seconds, format_instant
from watchkeeper.incidents.pausing import with_pauses
from watchkeeper.stream.health import HEALTHS, HealthName, SeriesHealth, end_of, healths_of, series_at
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

    def takes(self, series: str, health: HealthName) -> bool:
        """Tell whether a series is one of them, by its key and how it goes."""
        return (
            self.health in (None, health)
            and self.contains.lower() in series.lower()
            and (self.measure is None or parse_series_key(series).measure == self.measure)
        )


def listed(
    plan: WorkloadPlan, effects: ConsoleEffects, chosen: Chosen, limit: int, after: str | None
) -> tuple[list[SeriesItem], str | None, int]:
    """Return some of the series by key, the last key, where there are more, and how many there are of all.

    Parameters
    ----------
    after
        Those up to this key are left out.
    """
    heads = effects.heads(plan.workload)
    end = end_of(heads)
    if end is None:
        return [], None, 0
    plan = with_pauses(plan, effects.pauses(plan.workload), effects.now())
    last = effects.week(plan, EPOCH + timedelta(seconds=end)).last
    healths = [healths_of(head, plan, last, end) for head in heads]
    places = sorted(
        (name, shelf, position)
        for shelf, head in enumerate(heads)
        for position, name in enumerate(head.series)
    )
    first = bisect.bisect_left(places, (chosen.prefix,))
    if after is not None:
        first = max(first, bisect.bisect_right(places, after, key=lambda place: place[0]))
    found: list[SeriesItem] = []
    for name, shelf, position in itertools.islice(places, first, None):
        if not name.startswith(chosen.prefix):
            break
        if not chosen.takes(name, HEALTHS[healths[shelf][position]]):
            continue
        if len(found) == limit:
            return found, found[-1].series, len(places)
        found += map(_item, series_at(heads[shelf], plan, healths[shelf], [position], end))
    return found, None, len(places)


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
