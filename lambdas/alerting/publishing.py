"""What is told of an incident, a transaction, an answer that did not come, a day, or a test, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambdas.alerting.alert import alert_of
from lambdas.alerting.counting import alerts_between
from lambdas.alerting.digest import WEEK, DigestDue, digest_of, looked_back_to, period_of
from lambdas.alerting.effects import AlertEffects
from lambdas.alerting.formats import Announced
from lambdas.alerting.links import AnswerLinks, links_of
from lambdas.alerting.outcomes import PUBLISHED, Outcome
from lambdas.alerting.routing import routes_of
from lambdas.alerting.sample import RouteTest, sample_for
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice, notice_of
from watchkeeper.incidents.unanswered import Unanswered, to_be_answered, waits_for_an_answer


@dataclass(frozen=True)
class AlertReport:
    """Who was told, and who was not."""

    published: tuple[str, ...]
    """Channels that were told."""
    throttled: tuple[str, ...]
    """Channels that had an alert of the series shortly before or after, or that never heard of the incident
    which is over."""


def publish(event: Announced, at: datetime, effects: AlertEffects) -> AlertReport:
    """Publish to the channels whose routes the event concerns and that are not throttled.

    Of a workload that was paused when the bus took the event, nothing is told.

    Parameters
    ----------
    at
        When the alert bus took the event.

    Raises
    ------
    UnavailableError
        If something does not answer; what was claimed stays claimed.
    """
    if effects.incidents.pauses(event.workload).of_all(epoch_seconds(at)):
        return AlertReport((), ())
    alerts = effects.plans.alerts_of(event.workload)
    routes = routes_of(event, at, alerts, effects.incidents.find)
    channels = list(dict.fromkeys(route.channel for route in routes))
    told = _told(event, channels, alerts.throttle_seconds, effects)
    if told:
        if isinstance(event, IncidentNotice) and event.what != "closed":
            _wait_for_answers(event.incident, told, at, effects)
        zone, links = effects.plans.timezone_of(event.workload), _links(event, told, at, effects)
        effects.topic.publish(alert_of(event, told, zone, links))
    return AlertReport(told, tuple(channel for channel in channels if channel not in told))


def _told(
    event: Announced, channels: Sequence[str], throttle_seconds: int, effects: AlertEffects
) -> tuple[str, ...]:
    if isinstance(event, IncidentNotice) and event.what == "closed":
        known = effects.told.of(event.incident)
        return tuple(channel for channel in channels if channel in known)
    worse = isinstance(event, IncidentNotice) and event.what == "escalated"
    seconds = 0 if worse else throttle_seconds
    told = tuple(channel for channel in channels if effects.throttle.claim(event, channel, seconds))
    if told and isinstance(event, IncidentNotice):
        effects.told.add(event.incident, told)
    return told


def publish_unanswered(waited: Unanswered, at: datetime, effects: AlertEffects) -> AlertReport:
    """Tell the next route of an incident that is open still and that nobody has acknowledged or snoozed.

    An incident that is in another one by now is told as that one, once.
    """
    incident = effects.incidents.find(waited.incident_id)
    channels = {route.channel for route in effects.plans.alerts_of(waited.workload).routes}
    if incident is None or waited.to not in channels or not waits_for_an_answer(incident, at):
        return AlertReport((), ())
    if effects.incidents.pauses(waited.workload).of_all(epoch_seconds(at)):
        return AlertReport((), ())
    mark = f"unanswered#{waited.to}"
    if mark in effects.told.of(incident):
        return AlertReport((), (waited.to,))
    _wait_for_answers(incident, (waited.to,), at, effects)
    zone = effects.plans.timezone_of(waited.workload)
    notice = notice_of("unanswered", incident)
    links = _links(notice, (waited.to,), at, effects)
    effects.topic.publish(alert_of(notice, (waited.to,), zone, links))
    effects.told.add(incident, (waited.to, mark))
    return AlertReport((waited.to,), ())


def publish_digest(due: DigestDue, at: datetime, effects: AlertEffects) -> AlertReport:
    """Tell a route of the workload's day.

    Parameters
    ----------
    at
        When it was due.
    """
    plan = effects.plans.plan_of(due.workload)
    if due.channel not in {route.channel for route in plan.alerts.routes}:
        return AlertReport((), ())
    since, until = period_of(at, plan)
    book = effects.incidents.book(due.workload)
    first = looked_back_to(since, until, book.longest_seconds, book.open_since)
    found = effects.incidents.between(due.workload, first, epoch_seconds(at))
    alerts = alerts_between(found, plan.alerts, until - WEEK, until)
    digest = digest_of(plan, since, until, found, alerts, effects.dashboard)
    effects.topic.publish(alert_of(digest, (due.channel,), plan.timestamp.timezone))
    return AlertReport((due.channel,), ())


def publish_sample(test: RouteTest, effects: AlertEffects) -> None:
    """Send the sample of a test to its route, and note that the topic has it."""
    plan = effects.plans.any_plan_of(test.workload)
    zone = effects.plans.timezone_of(test.workload)
    effects.topic.publish(alert_of(sample_for(test, plan), (test.channel,), zone))
    effects.outcomes.add(test.test_id, PUBLISHED, Outcome("published"))


def _links(event: Announced, told: Sequence[str], at: datetime, effects: AlertEffects) -> AnswerLinks | None:
    """Return links by which an incident is answered, where the workload wants them."""
    seconds = effects.plans.alerts_of(event.workload).link_seconds
    page = effects.answer_page() if seconds and isinstance(event, IncidentNotice) else None
    if page is None or not isinstance(event, IncidentNotice):
        return None
    until = at + timedelta(seconds=seconds)
    return links_of(event.incident, told, until, page, effects.link_keys.signing())


def _wait_for_answers(incident: Incident, told: Sequence[str], at: datetime, effects: AlertEffects) -> None:
    for route in effects.plans.alerts_of(incident.workload).routes:
        waiting = to_be_answered(incident, route, at) if route.channel in told else None
        if waiting is not None:
            effects.unanswered.add(waiting)
