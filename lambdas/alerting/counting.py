"""How many alerts incidents raise, by the rules of `publish_alert`: what a comparison expects of a version,
and what `status` counts against the budget."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta

from lambdas.alerting.alert import Claims
from lambdas.alerting.routing import routes_of
from watchkeeper.core.plan import AlertPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice


def alerts_raised(
    notices: Iterable[IncidentNotice], alerts: AlertPlan, whole: Callable[[str], Incident | None]
) -> int:
    """Return how many notices somebody is told: each counts once, whatever channels it goes to.

    Parameters
    ----------
    notices
        In the order of time. They are taken to come when they were.
    whole
        As `routes_of` takes it.
    """
    claims = defaultdict[tuple[str, str], Claims](Claims)
    count = 0
    for notice in notices:
        seconds = alerts.throttle_seconds if notice.what == "opened" else 0
        told = False
        at = EPOCH + timedelta(seconds=notice.at)
        for route in routes_of(notice, at, alerts, whole):
            key = (notice.series, route.channel)
            claims[key] = claims[key].with_claim(notice.alert_id, notice.at, seconds)
            told |= claims[key].holds(notice.alert_id)
        count += told
    return count


def notices_of(incidents: Iterable[Incident]) -> list[IncidentNotice]:
    """Return what was told of incidents that opened and got worse, in the order of time.

    What was snoozed is not among it: a timeline has what was to be told.
    """
    told = [
        (
            entry.at,
            IncidentNotice(
                "opened" if entry.what == "opened" else "escalated",
                dataclasses.replace(
                    incident, severity=entry.severity or incident.severity, snoozed_until=None
                ),
            ),
        )
        for incident in incidents
        for entry in incident.timeline
        if entry.what in ("opened", "escalated")
    ]
    return [notice for _, notice in sorted(told, key=lambda each: (each[0], each[1].alert_id))]
