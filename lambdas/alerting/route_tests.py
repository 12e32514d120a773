"""A test of routes: each is sent a marked sample, by the way of every alert, and what became of it is told.

The commands and the console's API call `try_routes`. It needs, beside the deployed plan:

- `events:PutEvents` on the alert bus
- `dynamodb:GetItem` on the idempotency table, and its key
- `sns:ListSubscriptionsByTopic` and `GetSubscriptionAttributes` on the alert topic
- `sqs:GetQueueUrl`, `ReceiveMessage`, `DeleteMessage` on the queue of undelivered alerts
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lambdas.adapters.alert_subscriptions import AlertSubscription, Subscribers
from lambdas.adapters.event_bus import EventBus
from lambdas.alerting.outcomes import PUBLISHED, Outcomes
from lambdas.alerting.sample import ROUTE_TEST_DETAIL_TYPE, RouteTest
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import workload_stack
from watchkeeper.core.plan import AlertRoute
from watchkeeper.core.timestamps import UTC, format_instant

Verdict = Literal["delivered", "refused", "sent"]
WAIT_SECONDS = 20.0
"""How long a test waits for what becomes of its samples; API Gateway waits for 30."""
LOOK_SECONDS = 0.5
SETTLE_SECONDS = 3.0
"""How long after the topic took the samples their failures are waited for, of all routes together: SNS tells
at once what is refused."""

_HOW_TO_LOOK = {
    "email": "look into the inbox of {endpoint}",
    "email-json": "look into the inbox of {endpoint}",
    "sms": "look at the phone {endpoint}; an account in AWS's SMS sandbox reaches verified numbers only",
    "https": "look at what {endpoint} got; SNS tries again for hours where it does not answer",
    "http": "look at what {endpoint} got; SNS tries again for hours where it does not answer",
    "sqs": "receive from the queue {endpoint}",
    "lambda": "look into the log of {endpoint}",
}


@dataclass(frozen=True)
class RouteOutcome:
    """What became of a route's sample at one receiver."""

    channel: str
    receiver: str
    """What it is, and where, without what may be secret."""
    verdict: Verdict
    """`sent`: SNS has it and nobody tells whether it arrived; `said` is how to look."""
    said: str

    @property
    def failed(self) -> bool:
        """Whether it did not arrive."""
        return self.verdict == "refused"


@dataclass(frozen=True)
class RouteTesting:
    """What a test needs of the deployed project."""

    bus: EventBus
    outcomes: Outcomes
    subscribers: Subscribers
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def chosen_routes(workload: str, routes: Sequence[AlertRoute], channels: Sequence[str]) -> list[AlertRoute]:
    """Return the routes of some channels; all where none is named.

    Raises
    ------
    InvalidInputError
        If the workload has no routes, or none to one of the channels.
    """
    unknown = sorted({*channels} - {route.channel for route in routes})
    if unknown or not routes:
        there = ", ".join(dict.fromkeys(route.channel for route in routes))
        raise InvalidInputError(
            f"workload {workload} has no route to channel {unknown[0]!r}; it has {there}"
            if routes
            else f"workload {workload} has no routes, so nobody is told: add `alerts: {{routes: …}}` to its "
            "file and deploy"
        )
    return [route for route in routes if not channels or route.channel in channels]


def try_routes(
    workload: str, routes: Sequence[AlertRoute], testing: RouteTesting, wait_seconds: float = WAIT_SECONDS
) -> list[RouteOutcome]:
    """Send a sample to each route, and tell what became of it; it is no incident and no alert.

    Parameters
    ----------
    routes
        Of the deployed plan.
    wait_seconds
        What is not known by then failed.

    Returns
    -------
    list of RouteOutcome
        One or several of each route, in their order.
    """
    begun = testing.clock()
    at = format_instant(datetime.fromtimestamp(int(begun), UTC))
    tests = [RouteTest(uuid.uuid4().hex[:16], workload, route.channel, at) for route in routes]
    testing.bus.put(ROUTE_TEST_DETAIL_TYPE, [test.to_json() for test in tests])
    subscriptions = [
        each
        for each in testing.subscribers.of(workload)
        # our own queue, from which deliver_alert tells what became of it
        if not (each.raw and f":{workload_stack(workload)}-" in each.endpoint)
    ]
    deadline = begun + wait_seconds
    published = [_is_published(test, testing, deadline) for test in tests]
    settled = min(testing.clock() + SETTLE_SECONDS, deadline)
    return [
        outcome
        for route, test, has_topic in zip(routes, tests, published, strict=True)
        for outcome in _outcomes(route, test, subscriptions, testing, has_topic, settled, deadline)
    ]


def _outcomes(
    route: AlertRoute,
    test: RouteTest,
    subscriptions: Sequence[AlertSubscription],
    testing: RouteTesting,
    is_published: bool,
    settled: float,
    deadline: float,
) -> Iterator[RouteOutcome]:
    concerned = [each for each in subscriptions if each.channels is None or route.channel in each.channels]
    confirmed = [each for each in concerned if each.confirmed]
    if not is_published:
        yield RouteOutcome(
            route.channel,
            route.receiver or "alert topic",
            "refused",
            "the alert topic has not got it: look at the log of publish_alert, and at the alert queue's "
            "dead letters",
        )
        return
    if route.receiver:
        yield _delivered(route, test, testing, deadline)
    elif not concerned:
        yield RouteOutcome(
            route.channel,
            "nobody",
            "refused",
            f"nobody is subscribed: `watchkeeper subscribe {test.workload} email YOU@example.com "
            f"--channel {route.channel}`, or a receiver in the workload's file",
        )
    returned = _returned(test, testing, settled) if confirmed else []
    for each in concerned:
        yield _by_sns(route.channel, each, returned, len(confirmed))


def _is_published(test: RouteTest, testing: RouteTesting, deadline: float) -> bool:
    while testing.outcomes.find(test.test_id, PUBLISHED) is None:
        if testing.clock() >= deadline:
            return False
        testing.sleep(LOOK_SECONDS)
    return True


def _delivered(route: AlertRoute, test: RouteTest, testing: RouteTesting, deadline: float) -> RouteOutcome:
    while (outcome := testing.outcomes.find(test.test_id, route.channel)) is None:
        if testing.clock() >= deadline:
            return RouteOutcome(
                route.channel,
                route.receiver,
                "refused",
                "nothing was heard of it: look at the log of deliver_alert; a target that hangs is given up "
                "after ten seconds",
            )
        testing.sleep(LOOK_SECONDS)
    verdict: Verdict = "delivered" if outcome.state == "delivered" else "refused"
    return RouteOutcome(route.channel, route.receiver, verdict, outcome.said)


def _returned(test: RouteTest, testing: RouteTesting, settled: float) -> list[tuple[str, str]]:
    """Return what SNS could not deliver, body and reason; looked for until that is settled, and once."""
    while True:
        found = testing.subscribers.take_undelivered(test.test_id)
        if found or testing.clock() >= settled:
            return [(each.body, each.reason) for each in found]
        testing.sleep(LOOK_SECONDS)


def _by_sns(
    channel: str, subscription: AlertSubscription, returned: Sequence[tuple[str, str]], confirmed: int
) -> RouteOutcome:
    receiver = f"{subscription.protocol} {subscription.endpoint}"
    if not subscription.confirmed:
        said = "its subscription is not confirmed: AWS has sent a link there; until then nothing is sent"
        return RouteOutcome(channel, receiver, "refused", said)
    if subscription.asks_for:
        asked = ", ".join(subscription.asks_for)
        said = f"SNS holds it back: its filter asks for {asked}, which a sample has not"
        return RouteOutcome(channel, receiver, "sent", said)
    own = [reason for body, reason in returned if confirmed == 1 or subscription.arn in body]
    if own or (returned and not any("UnsubscribeURL" in body for body, _ in returned)):
        reason = (own or [returned[0][1]])[0] or "SNS says no reason"
        among = "" if own else ", or another receiver of this route,"
        return RouteOutcome(channel, receiver, "refused", f"it{among} did not take it: {reason}")
    look = _HOW_TO_LOOK.get(subscription.protocol, "look there").format(endpoint=subscription.endpoint)
    return RouteOutcome(channel, receiver, "sent", f"SNS has sent it; {look}")
