"""How many alerts incidents raise, by the rules of `publish_alert`: what a comparison expects of a version,
and what `status` and digests count against the budget."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from lambdas.alerting.alert import Claims
from lambdas.alerting.routing import routes_of
from watchkeeper.core.plan import AlertPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice


def alerts_raised(
    notices: Iterable[tuple[datetime, IncidentNotice]],
    alerts: AlertPlan,
    whole: Callable[[str], Incident | None],
) -> int:
    """Return how many alerts notices raise; see `alerts_told`."""
    return len(alerts_told(notices, alerts, whole))


def alerts_told(
    notices: Iterable[tuple[datetime, IncidentNotice]],
    alerts: AlertPlan,
    whole: Callable[[str], Incident | None],
) -> list[IncidentNotice]:
    """Return the notices that somebody is told of: each once, whatever channels it goes to.

    Parameters
    ----------
    notices
        When each one came, and what it is; in the order of time.
    whole
        As `routes_of` takes it.
    """
    claims = defaultdict[tuple[str, str], Claims](Claims)
    found = []
    for at, notice in notices:
        seconds = alerts.throttle_seconds if notice.what == "opened" else 0
        told = False
        for route in routes_of(notice, at, alerts, whole):
            key = (notice.series, route.channel)
            claims[key] = claims[key].with_claim(notice.alert_id, notice.at, seconds)
            told |= claims[key].holds(notice.alert_id)
        if told:
            found.append(notice)
    return found


def alerts_between(
    incidents: Collection[Incident], alerts: AlertPlan, since: datetime, until: datetime
) -> int:
    """Return how many alerts incidents raised in a time; see `alerts_raised`."""
    whole = {each.incident_id: each for each in incidents}
    told = [(at, notice) for at, notice in notices_of(incidents) if since <= at < until]
    return alerts_raised(told, alerts, whole.get)


def notices_of(incidents: Iterable[Incident]) -> list[tuple[datetime, IncidentNotice]]:
    """Return what was told of incidents, by their timelines: that they opened and got worse.

    That one is over is no further alarm. What happened while one was snoozed is in no timeline.
    """
    told: list[tuple[datetime, IncidentNotice]] = []
    for incident in incidents:
        for entry in incident.timeline:
            if entry.what == "opened" or entry.what == "escalated":
                then = incident.severity if entry.severity is None else entry.severity
                as_it_was = dataclasses.replace(incident, severity=then, snoozed_until=None)
                told.append((parse_instant(entry.at), IncidentNotice(entry.what, as_it_was)))
    return sorted(told, key=lambda each: (each[0], each[1].alert_id))
