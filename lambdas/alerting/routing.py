"""Which routes an incident or a transaction concerns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lambdas.alerting.formats import Announced
from watchkeeper.anomalies.quality import QualityEvent
from watchkeeper.core.plan import AlertMoment, AlertPlan, AlertRoute, HoursPlan, RouteFilter, Side
from watchkeeper.core.timestamps import time_zone
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice, Told
from watchkeeper.incidents.reasons import Direction, direction_of
from watchkeeper.incidents.touched import Touched
from watchkeeper.telemetry.selection import selects
from watchkeeper.telemetry.series import parse_series_key

MOMENTS: dict[Told, AlertMoment] = {"opened": "opening", "escalated": "escalation", "closed": "end"}
SIDES: dict[Direction, Side] = {"high": "above", "low": "below", "silent": "silent"}


def routes_of(
    event: Announced, at: datetime, alerts: AlertPlan, whole: Callable[[str], Incident | None]
) -> list[AlertRoute]:
    """Return the routes that an event concerns, in the plan's order.

    Parameters
    ----------
    at
        When the alert bus took the event: the same for each delivery.
    whole
        Finds an incident by its id. It is asked where a route asks for series, and the event's copy leaves
        some of the incident's out.
    """
    routes = [
        route
        for route in alerts.routes
        if event.severity >= route.severity_at_least
        and (route.only.hours is None or within(route.only.hours, at))
    ]
    if isinstance(event, QualityEvent):
        moment: AlertMoment = "opening" if event.began else "end"
        return [route for route in routes if moment in route.when and _is_of_quality(route.only)]
    if not isinstance(event, IncidentNotice):
        return routes
    routes = [route for route in routes if route.only.kind in (None, "incident")]
    if event.incident.is_snoozed(at):
        return []
    routes = [route for route in routes if MOMENTS[event.what] in route.when]
    touched = event.incident.touched
    if event.incident.left_out.get("touched") and any(_asks_for_series(route.only) for route in routes):
        found = whole(event.incident.incident_id)
        touched = touched if found is None else found.touched
    return [
        route
        for route in routes
        if not _asks_for_series(route.only) or any(_takes(route.only, part) for part in touched)
    ]


def _is_of_quality(only: RouteFilter) -> bool:
    return only.kind == "data_quality" or (only.kind is None and not _asks_for_series(only))


def _asks_for_series(only: RouteFilter) -> bool:
    return bool(only.series) or only.side is not None


def _takes(only: RouteFilter, part: Touched) -> bool:
    if only.side is not None and SIDES.get(direction_of(part)) != only.side:
        return False
    key = parse_series_key(part.series)
    dimensions = dict(key.dimensions)
    return not only.series or any(selects(one, key.measure, dimensions) for one in only.series)


def within(hours: HoursPlan, at: datetime) -> bool:
    """Tell whether an instant is within hours, as the clocks of their zone show it.

    Examples
    --------
    >>> from datetime import timezone
    >>> night = HoursPlan(22 * 60, 6 * 60, days=(4,))  # from Friday to Saturday
    >>> within(night, datetime(2026, 11, 28, 5, 59, tzinfo=timezone.utc))
    True
    """
    local = at.astimezone(time_zone(hours.timezone))
    minute, today = 60 * local.hour + local.minute, local.weekday()
    if hours.begin_minute < hours.end_minute:
        return today in hours.days and hours.begin_minute <= minute < hours.end_minute
    if minute >= hours.begin_minute:
        return today in hours.days
    return minute < hours.end_minute and (today - 1) % 7 in hours.days
