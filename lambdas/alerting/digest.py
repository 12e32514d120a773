"""A day of a workload in one message: what opened, what is open, what ended, and what says nothing.

A digest is about the day that ended an interval and its deliveries before the schedule's time: an incident
of a later interval may not be known by then, and is in the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from watchkeeper.anomalies.event import SUBJECT_LENGTH
from watchkeeper.core.documents import Document
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import UTC, epoch_seconds, format_instant, in_zone, parse_instant, time_zone
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.reasons import direction_of

DIGEST_DETAIL_TYPE = "Digest Due"
"""Of the schedule's message to `publish_alert`."""
WEEK = timedelta(days=7)
LISTED = 20
"""Incidents of a kind, and silent series; how many there are is told all the same."""


@dataclass(frozen=True)
class DigestDue(Document, name="digest that is due", refused_as="bad_event"):
    """That a route wants its digest."""

    workload: str
    channel: str


@dataclass(frozen=True)
class Listed:
    """What a digest says of an incident."""

    incident_id: str
    title: str
    severity: float
    state: str
    opened_at: str
    """ISO 8601, UTC, as the next."""
    last_at: str
    assigned_to: str | None
    link: str
    """The dashboard at that time."""


@dataclass(frozen=True)
class Digest(Document, name="digest"):
    """A day of a workload."""

    workload: str
    since: str
    """ISO 8601, UTC, as the next."""
    until: str
    timezone: str
    """IANA name of the zone in which people are told times."""
    opened: tuple[Listed, ...]
    """That began in the time, the most severe first, as in the next ones."""
    open: tuple[Listed, ...]
    """That were not over at the end of the time, whenever they began."""
    closed: tuple[Listed, ...]
    """That ended in the time."""
    counts: dict[str, int]
    """Of `opened`, `open`, `closed`, `silent`: how many there are, listed or not."""
    alerts_of_week: int
    """As `watchkeeper status` counts them, of the seven days before `until`."""
    alerts_budget: float
    """`gate.max_alerts_per_week`."""
    silent: tuple[str, ...]
    """Series of open incidents that say nothing."""

    @property
    def alert_id(self) -> str:
        """The same for each delivery."""
        return short_hash(f"digest|{self.workload}|{self.until}")

    @property
    def severity(self) -> float:
        """None: who filters by severity wants no digest."""
        return 0.0


def period_of(due: datetime, plan: WorkloadPlan) -> tuple[datetime, datetime]:
    """Return the day of which a digest tells: from the same time by the clocks of the zone.

    Parameters
    ----------
    due
        When the schedule wanted it.
    """
    known_after = timedelta(seconds=plan.interval_seconds + plan.lateness_seconds + plan.delivery_seconds)
    local = due.astimezone(time_zone(plan.timestamp.timezone))
    day_before = (local - timedelta(days=1)).astimezone(UTC)
    return day_before - known_after, due.astimezone(UTC) - known_after


def looked_back_to(since: datetime, until: datetime, longest_seconds: int, open_since: int | None) -> int:
    """Return from when on incidents have to be read for a digest, in seconds since 1970."""
    starts = [epoch_seconds(min(since, until - WEEK)) - longest_seconds]
    return min(starts if open_since is None else [*starts, open_since])


def digest_of(
    plan: WorkloadPlan,
    since: datetime,
    until: datetime,
    incidents: Sequence[Incident],
    alerts_of_week: int,
    dashboard: str,
) -> Digest:
    """Return what a digest says.

    Parameters
    ----------
    incidents
        All that began since `looked_back_to`.
    alerts_of_week
        `lambdas.alerting.counting.alerts_between` of the week before `until`.
    dashboard
        URL of the dashboard.
    """
    worst = sorted(incidents, key=lambda each: (-each.severity, each.opened_at, each.incident_id))
    opened = [each for each in worst if since <= parse_instant(each.opened_at) < until]
    still = [each for each in worst if _was_open(each, until)]
    over = [each for each in worst if each not in still and _ended_in(each, since, until)]
    silent = sorted(
        {part.series for each in still for part in each.touched if direction_of(part) == "silent"}
    )
    return Digest(
        workload=plan.workload,
        since=format_instant(since),
        until=format_instant(until),
        timezone=plan.timestamp.timezone,
        opened=_listed(opened, dashboard),
        open=_listed(still, dashboard),
        closed=_listed(over, dashboard),
        counts={"opened": len(opened), "open": len(still), "closed": len(over), "silent": len(silent)},
        alerts_of_week=alerts_of_week,
        alerts_budget=plan.gate.max_alerts_per_week,
        silent=tuple(silent[:LISTED]),
    )


def digest_subject(digest: Digest) -> str:
    """Return one line of at most 100 ASCII characters."""
    counts = digest.counts
    text = (
        f"[{digest.workload}] digest: {counts['opened']} opened, {counts['open']} open, "
        f"{counts['closed']} over"
    )
    return text[:SUBJECT_LENGTH]


def digest_text(digest: Digest) -> str:
    """Return the digest line by line."""
    zone = digest.timezone
    lines = [
        digest_subject(digest),
        "",
        f"Time:      {in_zone(parse_instant(digest.since), zone, until=parse_instant(digest.until))}",
        f"Alerts:    {digest.alerts_of_week} in seven days, of {digest.alerts_budget:g}",
    ]
    for name, said in (("open", "Open"), ("opened", "Opened"), ("closed", "Over")):
        lines += _section(said, digest.counts[name], getattr(digest, name), zone)
    lines += ["", f"Silent series: {digest.counts['silent'] or 'none'}"]
    return "\n".join([*lines, *(f"  {one}" for one in digest.silent)])


def _section(said: str, count: int, listed: Sequence[Listed], timezone: str) -> list[str]:
    lines = ["", f"{said}: {count or 'none'}"]
    for each in listed:
        span = in_zone(parse_instant(each.opened_at), timezone, until=parse_instant(each.last_at))
        whose = "" if each.assigned_to is None else f", {each.assigned_to}"
        lines += [
            f"  {each.title}",
            f"    severity {each.severity:.0f}, {each.state}{whose}, {span}, incident {each.incident_id}",
            f"    {each.link}",
        ]
    return lines + ([f"  and {count - len(listed)} more"] if count > len(listed) else [])


def _ended_in(incident: Incident, since: datetime, until: datetime) -> bool:
    return any(
        entry.what == "closed" and since <= parse_instant(entry.at) < until for entry in incident.timeline
    )


def _was_open(incident: Incident, until: datetime) -> bool:
    """Tell whether an incident was not over at a time, by what has become of it since."""
    ends = [
        entry.what
        for entry in incident.timeline
        if entry.what in ("closed", "reopened") and parse_instant(entry.at) < until
    ]
    return not ends or ends[-1] == "reopened"


def _listed(incidents: Sequence[Incident], dashboard: str) -> tuple[Listed, ...]:
    return tuple(
        Listed(
            each.incident_id,
            each.title,
            each.severity,
            each.state,
            each.opened_at,
            each.last_at,
            each.assigned_to,
            f"{dashboard}?start={quote(each.opened_at)}&end={quote(each.last_at)}",
        )
        for each in incidents[:LISTED]
    )
