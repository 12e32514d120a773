"""Routes of a workload file: what they are about, who receives them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.workloads.conftest import Problems
from watchkeeper.core.plan import (
    AlertRoute,
    EscalationPlan,
    HoursPlan,
    RouteFilter,
    SeriesSelection,
    WorkloadPlan,
)
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec

Load = Callable[..., WorkloadSpec]


def route(load: Load, text: str) -> AlertRoute:
    spec = load(f"dimensions: [hall]\nalerts: {{routes: [{{channel: ops, {text}}}]}}\n")
    plan = spec.plan()
    assert isinstance(plan, WorkloadPlan)
    return WorkloadPlan.from_json(plan.to_json()).alerts.routes[0]


def test_a_route_without_more_is_told_of_beginning_and_worse(load: Load) -> None:
    assert route(load, "severity_at_least: 80") == AlertRoute("ops", 80.0, ("opening", "escalation"))


def test_a_route_says_what_it_is_about(load: Load) -> None:
    found = route(
        load,
        "when: [opening, end], only: {series: [{measure: pressure, where: {hall: A}}], direction: above, "
        "hours: {begin: 18:00, end: '06:00', days: [mon, sun], timezone: Europe/Vienna}}",
    )
    assert found.when == ("opening", "end")
    assert found.only == RouteFilter(
        (SeriesSelection("pressure", {"hall": ("A",)}),),
        "above",
        HoursPlan(1080, 360, (0, 6), "Europe/Vienna"),
    )


def test_hours_are_of_the_zone_of_the_source_where_they_name_none(load: Load) -> None:
    text = load().model_dump_json()
    assert '"timezone":"UTC"' in text
    assert route(load, "only: {hours: {begin: '08:00'}}").only.hours == HoursPlan(480, 1440)


@pytest.mark.parametrize(
    "receiver",
    [
        "subscription: {protocol: sms, endpoint: '+14155550100'}",
        "subscription: {protocol: lambda, endpoint: 'arn:aws:lambda:us-east-1:123456789012:function:f'}",
        "webhook: {url: 'https://example.com/hook', secret: plant/key, format: markdown}",
        "webhook: {url: 'http://127.0.0.1:9000/hook', secret: plant/key}",
        "slack: {secret: plant/slack}",
        "event_bus: 'arn:aws:events:us-east-1:123456789012:event-bus/plant'",
    ],
)
def test_receivers(load: Load, receiver: str) -> None:
    spec = load(f"alerts: {{routes: [{{channel: ops, {receiver}}}]}}\n")
    assert isinstance(spec, AnomalyWorkload)
    assert spec.alerts.routes[0].model_dump()[receiver.partition(":")[0]] is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subscription: {protocol: sms, endpoint: '0664 123'}", "E.164"),
        ("subscription: {protocol: lambda, endpoint: f}", "ARN of a Lambda function"),
        ("webhook: {url: 'http://example.com/', secret: a}", "begins with https://"),
        ("webhook: {url: 'https://u:p@example.com/', secret: a}", "must have no password"),
        ("webhook: {url: 'https://example.com/', secret: whsec_MfKQ9r8GKYqrTwjU}", "not the secret"),
        ("slack: {secret: 'https://hooks.slack.com/services/T0/B0/X'}", "not the secret"),
        ("event_bus: plant", "ARN of an event bus"),
        ("slack: {secret: a}, webhook: {url: 'https://example.com/', secret: a}", "webhook already"),
        ("when: []", "nothing is ever told with an empty `when`"),
        ("escalate_after: 30m", "escalate_after and escalate_to belong together"),
        ("escalate_to: ops", "escalate_after and escalate_to belong together"),
        ("escalate_after: 1m, escalate_to: lead", "from 5m to 7d"),
        ("escalate_after: 30m, escalate_to: lead", "is no channel of a route here, which are ops"),
        ("escalate_after: 30m, escalate_to: ops", "in a circle: ops to ops"),
        ("digest: '24:00'", "of the next day"),
        ("digest: daily", "time of the day"),
        ("when: [opening, opening]", "is there 2 times"),
        ("only: {series: [{measure: presure}]}", "did you mean pressure"),
        ("only: {direction: up}", "'above', 'below' or 'silent'"),
        ("only: {hours: {begin: '25:00'}}", "time of the day"),
        ("only: {hours: {begin: '08:00', end: '08:00'}}", "is the time of begin"),
    ],
)
def test_what_is_refused(problems: Problems, good: str, text: str, message: str) -> None:
    found = problems(f"{good}alerts:\n  routes:\n    - {{channel: ops, {text}}}\n")
    assert message in "\n".join(map(str, found))
    assert len(found) == 1


def test_a_route_escalates_to_another_that_may_be_for_that_alone(load: Load) -> None:
    spec = load(
        "alerts: {routes: [{channel: ops, escalate_after: 30m, escalate_to: lead}, "
        "{channel: lead, when: []}]}\n"
    )
    first, second = spec.plan().alerts.routes  # type: ignore[union-attr]
    assert first.escalation == EscalationPlan(1800, "lead")
    assert (second.when, second.escalation) == ((), None)


def test_a_route_may_have_a_digest_and_nothing_else(load: Load) -> None:
    spec = load("alerts: {routes: [{channel: ops, when: [], digest: 07:30}]}\n")
    assert isinstance(spec, AnomalyWorkload)
    assert spec.alerts.routes[0].digest == 450


@pytest.mark.parametrize(
    ("receiver", "told"),
    [
        ("webhook: {url: 'https://example.com/hook/TOKEN?key=x', secret: plant/key}", "webhook example.com"),
        ("slack: {secret: plant/slack}", "slack plant/slack"),
        ("subscription: {protocol: sms, endpoint: '+14155550100'}", ""),
    ],
)
def test_the_plan_names_what_watchkeeper_delivers_to_without_what_may_be_secret(
    load: Load, receiver: str, told: str
) -> None:
    assert route(load, receiver).receiver == told
