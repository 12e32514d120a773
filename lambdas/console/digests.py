"""A day of workloads, by the function that makes a route's digest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from lambdas.alerting.counting import alerts_between
from lambdas.alerting.digest import WEEK, Listed, digest_of, looked_back_to
from lambdas.console.documents.digests import (
    DayDigest,
    DigestIncident,
    DigestQuality,
    WorkloadDigest,
)
from lambdas.console.effects import ConsoleEffects
from lambdas.console.log import log_of
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import UTC, epoch_seconds, time_zone

MOST_INTERVALS = 5_000
"""Of a day, whose telemetry is counted."""


def day_digest(day: date, plans: Sequence[WorkloadPlan], effects: ConsoleEffects) -> DayDigest:
    """Return a day of workloads.

    Raises
    ------
    ServiceProblemError
        If the day has not begun anywhere.
    """
    begun = [plan for plan in plans if _bounds(day, plan)[0] < effects.now()]
    if plans and not begun:
        raise ServiceProblemError(INVALID_REQUEST, f"date {day} has not begun: ask for today or a day before")
    items = effects.for_each(lambda plan: _digest(day, plan, effects), begun)
    return DayDigest(date=day.isoformat(), items=sorted(items, key=_by_what_there_is_to_see))


def _digest(day: date, plan: WorkloadPlan, effects: ConsoleEffects) -> WorkloadDigest:
    since, until = _bounds(day, plan)
    until = min(until, effects.now())
    book = effects.incidents.book(plan.workload)
    first = looked_back_to(since, until, book.longest_seconds, book.open_since)
    found = effects.incidents.between(plan.workload, first, epoch_seconds(until) - 1)
    alerts = alerts_between(found, plan.alerts, until - WEEK, until)
    digest = digest_of(plan, since, until, found, alerts, "")
    return WorkloadDigest(
        workload=plan.workload,
        since=digest.since,
        until=digest.until,
        time_zone=digest.timezone,
        opened=_incidents(digest.opened),
        open=_incidents(digest.open),
        closed=_incidents(digest.closed),
        counts=digest.counts,
        alerts_7d=digest.alerts_of_week,
        alert_budget_7d=digest.alerts_budget,
        silent=list(digest.silent),
        quality=_quality(plan, since, until, effects),
    )


def _bounds(day: date, plan: WorkloadPlan) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a day by the clocks of the workload's zone."""
    zone = time_zone(plan.timestamp.timezone)
    midnights = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    since, until = (each.astimezone(UTC) for each in midnights)
    return since, until


def _incidents(listed: Sequence[Listed]) -> list[DigestIncident]:
    return [
        DigestIncident(
            incident_id=each.incident_id,
            title=each.title,
            severity=each.severity,
            state=each.state,
            opened_at=each.opened_at,
            last_at=each.last_at,
            assigned_to=each.assigned_to,
        )
        for each in listed
    ]


def _quality(plan: WorkloadPlan, since: datetime, until: datetime, effects: ConsoleEffects) -> DigestQuality:
    log, following = log_of(effects.scores, plan, (since, until), MOST_INTERVALS, None)
    return DigestQuality(
        records=sum(each.accepted for each in log.items),
        late=sum(each.late for each in log.items),
        duplicated=sum(each.duplicated for each in log.items),
        refused=sum(sum(each.refused.values()) for each in log.items),
        off_clock=sum(each.off_clock for each in log.items),
        says=[event.says for event in log.events if event.began],
        complete=following is None,
    )


def _by_what_there_is_to_see(one: WorkloadDigest) -> tuple[int, int, int, str]:
    counts = one.counts
    return (-counts["open"], -counts["opened"] - counts["closed"], -len(one.quality.says), one.workload)
