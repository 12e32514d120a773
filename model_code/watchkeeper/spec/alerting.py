"""Where alerts go and how often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from watchkeeper.core.plan import (
    AlertKind,
    AlertMoment,
    AlertPlan,
    AlertRoute,
    EscalationPlan,
    MutePlan,
    RouteFilter,
    Side,
)
from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY
from watchkeeper.spec.fields import Duration, Name
from watchkeeper.spec.hours import MINUTES_A_DAY, Clock, Hours
from watchkeeper.spec.receiving import EventBus, Slack, Subscription, Webhook
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.selecting import Selection


class Only(Section):
    """What a route is about; what is not said is not asked."""

    series: list[Selection] = Field(default_factory=list, max_length=100)
    """Incidents that touch a series of one of these measures and dimension values."""
    direction: Side | None = None
    """Where that series has to be: above or below its usual range, or silent."""
    hours: Hours | None = None
    """What happens at these hours; what happens at others is kept, and not told here later."""
    kind: AlertKind | None = None
    """incident: values; data_quality: how telemetry comes. Without it both, or, where the route names series
    or a direction, incidents."""

    @field_validator("kind")
    @classmethod
    def _has_series(cls, kind: AlertKind | None, info: ValidationInfo) -> AlertKind | None:
        if kind == "data_quality" and (info.data.get("series") or info.data.get("direction")):
            raise ValueError("data_quality is of a whole workload: leave series and direction out")
        return kind

    def plan(self, timezone: str) -> RouteFilter:
        """Return what the running parts know of it."""
        return RouteFilter(
            tuple(one.plan() for one in self.series),
            self.direction,
            None if self.hours is None else self.hours.plan(timezone),
            self.kind,
        )


SHORTEST_LINK, LONGEST_LINK = timedelta(hours=1), timedelta(days=30)
LEAST_ANSWER, MOST_ANSWER = timedelta(minutes=5), timedelta(days=7)
RECEIVERS = ("subscription", "webhook", "slack", "event_bus")


class Route(Section):
    """What of which incidents goes to a channel."""

    channel: Name
    """Name of the channel; subscribers filter on it."""
    severity_at_least: float = Field(default=THRESHOLD_SEVERITY, ge=0, le=MAX_SEVERITY)
    """From 0 to 100; without it, the threshold's."""
    when: list[AlertMoment] = Field(
        default_factory=lambda: list[AlertMoment](("opening", "escalation")), max_length=3
    )
    """What is told: that an incident began, that it got worse, that it is over. An empty list is for a route
    that others escalate to, or that gets a digest only."""
    only: Only = Only()
    """Which of the workload's incidents; without it, all."""
    escalate_after: Duration | None = None
    """An incident that nobody has acknowledged or snoozed so long after this route was told of it is told to
    `escalate_to`, within five minutes."""
    escalate_to: Name | None = None
    """Channel of another route, whatever that one's `when`, `only` and `severity_at_least` say."""
    digest: Clock | None = None
    """Each day at this time, by the clocks of the source's zone: what opened, is open and ended."""
    subscription: Subscription | None = None
    """Who receives them; without any receiver, whoever subscribes to the alert topic."""
    webhook: Webhook | None = None
    """A URL that is sent them, signed, until it takes them."""
    slack: Slack | None = None
    """A channel of Slack, or of what takes Slack's webhooks, such as Mattermost."""
    event_bus: EventBus | None = None
    """An event bus of EventBridge that gets them."""

    @field_validator("when")
    @classmethod
    def _are_different(cls, when: list[AlertMoment]) -> list[AlertMoment]:
        refuse_repeats(list(when), "moment")
        return when

    @field_validator(*RECEIVERS[1:])
    @classmethod
    def _is_the_only_receiver(cls, receiver: object, info: ValidationInfo) -> object:
        other = next((name for name in RECEIVERS if info.data.get(name) is not None), None)
        if receiver is not None and other is not None:
            raise ValueError(f"the route has the receiver {other} already: write a route for each")
        return receiver

    @field_validator("escalate_after")
    @classmethod
    def _can_be_kept(cls, after: timedelta | None) -> timedelta | None:
        if after is not None and not LEAST_ANSWER <= after <= MOST_ANSWER:
            raise ValueError("must be from 5m to 7d: what is not answered is looked for each five minutes")
        return after

    @field_validator("digest")
    @classmethod
    def _is_a_time_of_the_day(cls, minute: int | None) -> int | None:
        if minute == MINUTES_A_DAY:
            raise ValueError('"24:00" is "00:00" of the next day: write that')
        return minute

    @property
    def receiver(self) -> str:
        """What Watchkeeper delivers to itself, for people; empty where SNS delivers, or nobody."""
        if self.webhook is not None:
            return f"webhook {urlsplit(self.webhook.url).netloc}"  # its path may be secret
        if self.slack is not None:
            return f"slack {self.slack.secret}"
        return "" if self.event_bus is None else f"event_bus {self.event_bus}"

    def check(self, measures: Sequence[str], dimensions: Sequence[str]) -> None:
        """Refuse a filter by a measure or dimension that the workload does not have.

        Raises
        ------
        ValueError
            With the channel, and the names that there are.
        """
        try:
            for one in self.only.series:
                one.check(measures, dimensions)
        except ValueError as error:
            raise ValueError(f"route {self.channel}, only.series: {error}") from error

    def plan(self, timezone: str) -> AlertRoute:
        """Return what the running parts know of it."""
        return AlertRoute(
            self.channel,
            self.severity_at_least,
            tuple(self.when),
            self.only.plan(timezone),
            None
            if self.escalate_after is None or self.escalate_to is None
            else EscalationPlan(int(self.escalate_after.total_seconds()), self.escalate_to),
            self.receiver,
        )


class Silence(Section):
    """When a series, and the workload as a whole, says nothing for too long."""

    after: Duration
    """Without a reading for so long, a series is an anomaly and the workload has an alarm."""
    severity: float = Field(default=80.0, ge=THRESHOLD_SEVERITY, le=MAX_SEVERITY)
    """Of that anomaly."""

    @field_validator("after")
    @classmethod
    def _can_be_watched(cls, after: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= after <= timedelta(days=7):
            raise ValueError("must be from 1m to 7d: an alarm looks back no further")
        return after


class Alerts(Section):
    """Where alerts go and how often."""

    throttle: Duration = timedelta(hours=1)
    """After an alert, how long the same series raises no other one on that route."""
    routes: list[Route] = Field(default_factory=list, max_length=20)
    """Where alerts go."""
    answer_links: Duration | None = None
    """E-mails, Slack, webhooks and queues get links by which an alert is answered without a sign-in, for so
    long: acknowledge, real, expected, noise. Without the key there are none."""

    @field_validator("routes")
    @classmethod
    def _have_different_channels(cls, routes: list[Route]) -> list[Route]:
        refuse_repeats([route.channel for route in routes], "channel")
        _refuse_what_leads_nowhere(routes)
        return routes

    @field_validator("answer_links")
    @classmethod
    def _can_be_checked(cls, lasting: timedelta | None) -> timedelta | None:
        if lasting is not None and not SHORTEST_LINK <= lasting <= LONGEST_LINK:
            raise ValueError("must be from 1h to 30d: a key that was exchanged is accepted for 30d")
        return lasting

    def check(self, measures: Sequence[str], dimensions: Sequence[str]) -> None:
        """Refuse a filter by a measure or dimension that the workload does not have.

        Raises
        ------
        ValueError
            As `Route.check`.
        """
        for route in self.routes:
            route.check(measures, dimensions)

    def refuse_what_is_of_incidents(self) -> None:
        """Refuse what makes sense of incidents only, where a decision is told once.

        Raises
        ------
        ValueError
            With the channel and the key.
        """
        if self.answer_links is not None:
            raise ValueError("answer_links answer incidents, and a transaction is none: leave it out")
        for route in self.routes:
            keys = {
                "when": "when" in route.model_fields_set,
                "only.series": bool(route.only.series),
                "only.direction": route.only.direction is not None,
                "only.kind": route.only.kind is not None,
                "escalate_after": route.escalate_after is not None,
                "digest": route.digest is not None,
            }
            if any(keys.values()):
                found = next(key for key, there in keys.items() if there)
                raise ValueError(
                    f"route {route.channel}: {found} is of incidents, and transactions are told one by one: "
                    "leave it out; severity_at_least and only.hours choose among them"
                )

    def plan(self, timezone: str, mutes: tuple[MutePlan, ...] = ()) -> AlertPlan:
        """Return what the running parts know of it.

        Parameters
        ----------
        timezone
            IANA name of the zone of hours that name none.
        """
        return AlertPlan(
            routes=tuple(route.plan(timezone) for route in self.routes),
            throttle_seconds=int(self.throttle.total_seconds()),
            mutes=mutes,
            link_seconds=0 if self.answer_links is None else int(self.answer_links.total_seconds()),
        )


def _refuse_what_leads_nowhere(routes: Sequence[Route]) -> None:
    """Refuse escalations to no route, or in a circle, and routes that are never told."""
    targets = {route.channel: route.escalate_to for route in routes if route.escalate_to is not None}
    channels = ", ".join(route.channel for route in routes)
    for route in routes:
        if (route.escalate_after is None) != (route.escalate_to is None):
            raise ValueError(
                f"route {route.channel}: escalate_after and escalate_to belong together: say both, or none"
            )
        passed = [route.channel]
        while (following := targets.get(passed[-1])) is not None:
            if following not in {each.channel for each in routes}:
                raise ValueError(
                    f"route {passed[-1]}: escalate_to {following!r} is no channel of a route here, which are "
                    f"{channels}"
                )
            if following in passed:
                raise ValueError(
                    f"route {route.channel}: escalations go in a circle: {' to '.join([*passed, following])}"
                )
            passed.append(following)
        if not route.when and route.digest is None and route.channel not in targets.values():
            raise ValueError(
                f"route {route.channel}: nothing is ever told with an empty `when`, unless another route "
                "escalates to it or it has a digest"
            )


__all__ = ["Alerts", "Route", "Silence", "Subscription"]
