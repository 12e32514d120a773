"""Pauses: a workload, or a series of it, of which nothing is told for a while.

It is scored all the same, so that the scores have no gap, the detector knows what was, and nothing is to be
caught up with afterwards. What was anomalous meanwhile is in the scores and among the anomalies, and in no
incident: neither while it is paused nor when it comes late.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchkeeper.core.documents import Document, plain
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MutePlan, SeriesSelection, WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant, in_zone, parse_instant
from watchkeeper.incidents.summary import LiveEvent
from watchkeeper.telemetry.series import parse_series_key

KEPT_SECONDS = 30 * 86_400
"""So long after its end a pause is kept: telemetry of its time may still come."""
MOST_PAUSES = 500
"""Of one workload: they are one item of a table."""
_FOREVER = 1 << 60


@dataclass(frozen=True)
class Pause:
    """A time in which nothing is told of a workload, or of one of its series."""

    series: str | None
    """Its key; None: of the whole workload."""
    since: str
    """ISO 8601, UTC."""
    until: str | None
    """None: until somebody resumes it."""
    who: str
    note: str | None = None
    resumed_by: str | None = None
    """Who ended it before its time."""

    @property
    def begin(self) -> int:
        """The same as `since`, in seconds since 1970."""
        return epoch_seconds(parse_instant(self.since))

    @property
    def end(self) -> int:
        """The same as `until`; later than all times where it is open."""
        return _FOREVER if self.until is None else epoch_seconds(parse_instant(self.until))

    def holds(self, at: int) -> bool:
        """Tell whether it is paused at a time, in seconds since 1970."""
        return self.begin <= at < self.end


@dataclass(frozen=True)
class Pauses(Document, name="pauses"):
    """All pauses of a workload, the oldest first."""

    items: tuple[Pause, ...] = ()

    def now(self, at: datetime) -> list[Pause]:
        """Return those that hold at a time; of the whole workload first."""
        found = [one for one in self.items if one.holds(epoch_seconds(at))]
        return sorted(found, key=lambda one: one.series or "")

    def of_all(self, at: int) -> bool:
        """Tell whether the whole workload is paused at a time, in seconds since 1970."""
        return any(one.series is None and one.holds(at) for one in self.items)

    def keep_quiet(self, series: str, start: int, seconds: int, arrived: int) -> bool:
        """Tell whether an anomaly is told to nobody.

        Parameters
        ----------
        series, start, seconds
            Its series; beginning and length of its interval.
        arrived
            When it was found, in seconds since 1970.
        """
        return any(
            one.series in (None, series)
            and (one.holds(arrived) or (start < one.end and start + seconds > one.begin))
            for one in self.items
        )


NO_PAUSES = Pauses()


def paused(
    pauses: Pauses,
    series: str | None,
    until: datetime | None,
    who: str,
    at: datetime,
    note: str | None = None,
) -> Pauses:
    """Return the pauses with one more; the same one again changes nothing, another end replaces the first.

    Raises
    ------
    InvalidInputError
        If the end is past, or there are too many.
    """
    if until is not None and until <= at:
        raise InvalidInputError(f"{format_instant(until)} is past: name a time that is to come")
    end = None if until is None else format_instant(until)
    standing = [one for one in pauses.now(at) if one.series == series]
    since = standing[0].since if standing else format_instant(at)
    new = Pause(series, since, end, who, note)
    if standing and dataclasses.replace(standing[0], who=who) == new:
        return pauses
    rest = [one for one in _kept(pauses, at) if one not in standing]
    if len(rest) >= MOST_PAUSES:
        raise InvalidInputError(
            f"{len(rest)} pauses of the workload are kept: pause all of it, or use `mute` in its file"
        )
    return Pauses((*rest, new))


def resumed(pauses: Pauses, series: str | None, who: str, at: datetime) -> Pauses:
    """Return the pauses without those that hold: they end now. What is not paused stays as it is.

    Parameters
    ----------
    series
        Its key; None: the whole workload, and each of its series.
    """
    now = [one for one in pauses.now(at) if series is None or one.series == series]
    if not now:
        return pauses
    ended = {one: dataclasses.replace(one, until=format_instant(at), resumed_by=who) for one in now}
    return Pauses(tuple(ended.get(one, one) for one in _kept(pauses, at)))


def with_pauses(plan: WorkloadPlan, pauses: Pauses, at: datetime) -> WorkloadPlan:
    """Return a plan that has the pauses which hold among its mutes, for who tells how series go."""
    held = tuple(MutePlan(_selection(one.series), one.end, one.note or "") for one in pauses.now(at))
    if not held:
        return plan
    alerts = dataclasses.replace(plan.alerts, mutes=(*plan.alerts.mutes, *held))
    return dataclasses.replace(plan, alerts=alerts)


def pause_in_words(pause: Pause, timezone: str = "UTC") -> str:
    """Return a pause in a sentence.

    Examples
    --------
    >>> pause_in_words(Pause(None, "2026-11-30T06:00:00Z", None, "ada", "maintenance"))
    'paused since 2026-11-30 06:00 UTC by ada: maintenance'
    """
    what = "" if pause.series is None else f"{pause.series} "
    end = "" if pause.until is None else f" until {in_zone(parse_instant(pause.until), timezone)}"
    note = "" if pause.note is None else f": {pause.note}"
    return f"{what}paused since {in_zone(parse_instant(pause.since), timezone)}{end} by {pause.who}{note}"


def events_of(workload: str, before: Pauses, after: Pauses, change: int, at: datetime) -> list[LiveEvent]:
    """Return what is told of a change of pauses.

    Parameters
    ----------
    change
        Its number among the changes of the workload.
    """
    return [
        LiveEvent(f"pause:{workload}:{change}:{number}", format_instant(at), "pause", workload, detail)
        for number, detail in enumerate(_changed(before, after))
    ]


def _changed(before: Pauses, after: Pauses) -> Iterator[dict[str, Any]]:
    for one in after.items:
        if one not in before.items:
            yield plain(one)


def _selection(series: str | None) -> SeriesSelection:
    if series is None:
        return SeriesSelection()
    key = parse_series_key(series)
    return SeriesSelection(key.measure, {name: (value,) for name, value in key.dimensions})


def _kept(pauses: Pauses, at: datetime) -> list[Pause]:
    return [one for one in pauses.items if one.end > epoch_seconds(at) - KEPT_SECONDS]
