"""How a workload goes, for people: its series, its alerts against the budget, and what is to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from lambdas.adapters.anomaly_table import TableAnomalies
from lambdas.adapters.incident_store import Book, IncidentStore
from lambdas.alerting.counting import alerts_between
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_seconds, format_instant
from watchkeeper.incidents.pausing import Pause, Pauses, pause_in_words, with_pauses
from watchkeeper.judgement.calendars import runs_out
from watchkeeper.judgement.quality import signal_in_words
from watchkeeper.kinds import AnyPlan, AnyRelease
from watchkeeper.stream.health import (
    BEHIND_INTERVALS,
    HEALTHS,
    HealthName,
    PageHead,
    SeriesHealth,
    counts_of,
    end_of,
    health_of,
    unusual_of,
)

WEEK = timedelta(days=7)

Health = Literal["ok", "attention", "silent", "untrained"]


@dataclass(frozen=True)
class Week:
    """The seven days up to the end of the last interval."""

    anomalies: int = 0
    alerts: int = 0
    """That incidents began or got worse, where a route takes it, throttled as alerts are."""
    last: Mapping[str, int] = field(default_factory=dict)
    """Start of the last anomalous interval by series, of those that are not behind."""


class Watching(Protocol):
    """What is known of deployed workloads."""

    def live_release(self, workload: str) -> AnyRelease | None:
        """Return the release that judges now."""

    def heads(self, workload: str) -> Sequence[PageHead]:
        """Return the heads of a workload's pages."""

    def week(self, plan: WorkloadPlan, until: datetime) -> Week:
        """Return `week_of` a workload."""

    def open_incidents(self, workload: str) -> int:
        """Return how many incidents are not over."""

    def pauses(self, workload: str) -> Pauses:
        """Return when nothing is told of a workload, or of its series."""


@dataclass(frozen=True)
class WorkloadStatus:
    """How one workload goes."""

    workload: str
    kind: str
    timezone: str
    run_id: str | None
    """Of the live release."""
    released_at: str | None
    alarms: tuple[str, ...]
    """Those that are on."""
    health: Health = "ok"
    """`silent`: telemetry has stopped; `untrained`: no model is live; `attention`: see `why`."""
    why: tuple[str, ...] = ()
    """What is to be looked at, in words; nothing where all is well."""
    open_incidents: int = 0
    last_interval_end: str | None = None
    """The end of the last interval that has closed; ISO 8601, UTC."""
    anomalies_of_week: int = 0
    """In the seven days up to that."""
    alerts_of_week: int = 0
    """Likewise: that incidents began or got worse, where a route takes it, throttled as alerts are."""
    alerts_budget: float | None = None
    """What the gate allows in a week, of all series together."""
    healths: Mapping[HealthName, int] = field(default_factory=dict)
    """How many series are so, the worst first."""
    series: tuple[SeriesHealth, ...] = ()
    """The worst first, where each was asked for."""
    data_quality: Mapping[str, str] = field(default_factory=dict)
    """Since when each unusual signal of how telemetry comes is so; ISO 8601, UTC."""
    pauses: tuple[Pause, ...] = ()
    """Those that hold: nothing is told of the workload, or of a series."""


def status_of(
    watched: Watching,
    plan: AnyPlan,
    alarms: Sequence[str],
    now: datetime,
    *,
    is_silent: bool = False,
    each_series: bool = True,
) -> WorkloadStatus:
    """Return how a workload goes.

    Parameters
    ----------
    now
        By which calendars are told to run out, and pauses to hold.
    alarms
        Those of its own that are on.
    is_silent
        Whether it had telemetry and has none now: `lambdas.watching.watch_telemetry`.
    each_series
        Whether to tell of each, and not only how many are so.
    """
    live = watched.live_release(plan.workload)
    known: dict[str, Any] = {
        "workload": plan.workload,
        "kind": getattr(plan, "kind", "anomaly"),
        "run_id": live.run_id if live else None,
        "released_at": live.released_at if live else None,
        "alarms": tuple(alarms),
        "timezone": "UTC",
    }
    if isinstance(plan, WorkloadPlan):
        known |= _of_telemetry(watched, plan, now, each_series=each_series)
    ends = [runs_out(each, now.date()) for each in plan.calendars] if isinstance(plan, WorkloadPlan) else []
    health, why = _verdict(known, [each for each in ends if each is not None], is_silent=is_silent)
    return WorkloadStatus(health=health, why=why, **known)


def week_of(anomalies: TableAnomalies, incidents: IncidentStore, plan: WorkloadPlan, until: datetime) -> Week:
    """Return what happened in the seven days up to a time: the end of the last interval."""
    name, begin = plan.workload, until - WEEK
    recent = until - timedelta(seconds=(BEHIND_INTERVALS + 2) * plan.interval_seconds)
    found = incidents.between(name, epoch_seconds(begin - WEEK), epoch_seconds(until) - 1)
    return Week(
        anomalies=anomalies.count(name, begin, until),
        alerts=alerts_between(found, plan.alerts, begin, until),
        last={event.series: event.at for event in anomalies.between(name, recent, until, newest_first=False)},
    )


def open_incidents(store: IncidentStore, workload: str) -> int:
    """Return how many incidents of a workload are not over."""
    return open_count(store, workload, store.book(workload))


def open_count(store: IncidentStore, workload: str, book: Book) -> int:
    """Return what a book says, or what is counted where it is one of before."""
    if book.open_count is not None:
        return book.open_count
    if book.open_since is None:
        return 0
    return len(store.between(workload, book.open_since, book.last, open_only=True))


def _of_telemetry(
    watched: Watching, plan: WorkloadPlan, now: datetime, *, each_series: bool
) -> dict[str, Any]:
    pauses = watched.pauses(plan.workload)
    plan = with_pauses(plan, pauses, now)
    known: dict[str, Any] = {
        "pauses": tuple(pauses.now(now)),
        "timezone": plan.timestamp.timezone,
        "alerts_budget": plan.gate.max_alerts_per_week,
        "open_incidents": watched.open_incidents(plan.workload),
    }
    heads = list(watched.heads(plan.workload))
    end = end_of(heads)
    if end is None:
        return known
    until = EPOCH + timedelta(seconds=end)
    week = watched.week(plan, until)
    each = heads if each_series else []
    series = [one for head in each for one in health_of(head, plan, week.last, end)]
    unusual = {name: format_instant(since) for name, since in unusual_of(heads).items()}
    return {
        **known,
        "data_quality": unusual,
        "last_interval_end": format_instant(until),
        "anomalies_of_week": week.anomalies,
        "alerts_of_week": week.alerts,
        "healths": counts_of(heads, plan, week.last, end),
        "series": tuple(sorted(series, key=lambda one: (HEALTHS.index(one.health), one.series))),
    }


def _verdict(
    known: Mapping[str, Any], calendars: Sequence[str], *, is_silent: bool
) -> tuple[Health, tuple[str, ...]]:
    counts: Mapping[HealthName, int] = known.get("healths", {})
    series, silent, behind = sum(counts.values()), counts.get("silent", 0), counts.get("behind", 0)
    budget, alerts, incidents = (
        known.get("alerts_budget"),
        known.get("alerts_of_week", 0),
        known.get("open_incidents", 0),
    )
    said = [
        (is_silent, "telemetry has stopped coming"),
        (known["run_id"] is None, "no model is live"),
        (bool(known["alarms"]), f"alarms are on: {', '.join(known['alarms'])}"),
        (
            bool(known.get("data_quality")),
            f"data quality: {', '.join(dict.fromkeys(map(signal_in_words, known.get('data_quality', ()))))}",
        ),
        (incidents > 0, f"{incidents:,} incident{'' if incidents == 1 else 's'} open"),
        (silent > 0, f"{silent:,} of {series:,} series silent"),
        (behind > 0, f"{behind:,} of {series:,} series behind the others"),
        (
            budget is not None and alerts > budget,
            f"{alerts:,} alerts in the week, more than the {budget or 0:g} that the gate allows",
        ),
    ]
    paused = (pause_in_words(one, known["timezone"]) for one in known.get("pauses", ()))
    why = (*paused, *(sentence for holds, sentence in said if holds), *calendars)
    if is_silent:
        return "silent", why
    if known["run_id"] is None:
        return "untrained", why
    return ("attention" if why else "ok"), why
