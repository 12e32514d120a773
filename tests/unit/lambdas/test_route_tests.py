"""A test of routes tells what became of each sample, and leaves no trace among alerts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.adapters.alert_subscriptions import AlertSubscription, SnsSubscribers, Undelivered
from lambdas.alerting.alert import alert_of, announced, delivered
from lambdas.alerting.formats import GSM_CHARACTERS, in_words, short_text
from lambdas.alerting.outcomes import PUBLISHED, Outcome, Outcomes, TableOutcomes
from lambdas.alerting.publishing import publish_sample
from lambdas.alerting.route_tests import SETTLE_SECONDS, RouteOutcome, RouteTesting, try_routes
from lambdas.alerting.sample import ROUTE_TEST_DETAIL_TYPE, RouteTest, Sample, sample_for
from tests.unit.lambdas.builders import make_plan
from tests.unit.lambdas.conftest import IDEMPOTENCY_TABLE
from tests.unit.lambdas.fakes import AlertFakes, FakeOutcomes
from tests.unit.lambdas.fraud_builders import PLAN as FRAUD_PLAN
from watchkeeper.core.plan import AlertRoute, WorkloadPlan
from watchkeeper.fraud.plan import FraudPlan

TEST = RouteTest("0123456789abcdef", "pump", "operations", "2026-11-30T12:00:00Z")


@dataclass
class Deployed:
    """A project whose alert bus is read at once."""

    subscriptions: list[AlertSubscription] = field(default_factory=list)
    undelivered: Callable[[str], list[Undelivered]] = lambda mark: []
    delivers: Outcome | None = None
    """What `deliver_alert` notes."""
    is_alive: bool = True
    outcomes: FakeOutcomes = field(default_factory=FakeOutcomes)
    now: float = 1_000_000.0
    asked: list[RouteTest] = field(default_factory=list)

    def put(self, detail_type: str, details: list[str]) -> None:
        assert detail_type == ROUTE_TEST_DETAIL_TYPE
        self.asked += map(RouteTest.from_json, details)
        for test in self.asked:
            if self.is_alive:
                self.outcomes.add(test.test_id, PUBLISHED, Outcome("published"))
            if self.delivers is not None:
                self.outcomes.add(test.test_id, test.channel, self.delivers)

    def of(self, workload: str) -> list[AlertSubscription]:
        return self.subscriptions

    def take_undelivered(self, mark: str) -> list[Undelivered]:
        return self.undelivered(mark)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def test(self, *routes: AlertRoute) -> list[RouteOutcome]:
        testing = RouteTesting(self, self.outcomes, self, lambda: self.now, self.sleep)  # type: ignore[arg-type]
        return try_routes("pump", routes, testing)


def subscription(protocol: str = "email", confirmed: bool = True, **changes: Any) -> AlertSubscription:
    made = AlertSubscription(protocol, "ops@example.com", "arn:aws:sns:1", confirmed, ("ops",), None, False)
    return replace(made, **changes)


OPS = AlertRoute("ops")
HOOK = AlertRoute("hook", receiver="webhook example.com")


def test_what_sns_sends_is_told_with_how_to_look() -> None:
    [found] = Deployed([subscription()]).test(OPS)
    assert (found.verdict, found.receiver) == ("sent", "email ops@example.com")
    assert "inbox of ops@example.com" in found.said


def test_failures_of_all_routes_are_waited_for_together() -> None:
    deployed = Deployed([subscription(channels=None)])
    begun = deployed.now
    found = deployed.test(*(AlertRoute(f"ops_{number}") for number in range(10)))
    assert {each.verdict for each in found} == {"sent"}
    assert deployed.now - begun == SETTLE_SECONDS


def test_what_a_target_answers_is_told() -> None:
    [taken] = Deployed(delivers=Outcome("delivered", "example.com answered 204")).test(HOOK)
    [not_taken] = Deployed(delivers=Outcome("refused", "example.com answered 401")).test(HOOK)
    assert (taken.verdict, taken.said, taken.failed) == ("delivered", "example.com answered 204", False)
    assert (not_taken.verdict, not_taken.said, not_taken.failed) == (
        "refused",
        "example.com answered 401",
        True,
    )


@pytest.mark.parametrize(
    ("deployed", "route", "said"),
    [
        (Deployed(is_alive=False), OPS, "log of publish_alert"),
        (Deployed(), HOOK, "log of deliver_alert"),
        (Deployed(), OPS, "nobody is subscribed"),
        (Deployed([subscription(confirmed=False, channels=None)]), OPS, "not confirmed"),
        (
            Deployed([subscription("sqs")], lambda mark: [Undelivered(mark, "KMSAccessDenied: no key")]),
            OPS,
            "KMSAccessDenied: no key",
        ),
    ],
)
def test_what_does_not_arrive_failed_and_is_told_why(
    deployed: Deployed, route: AlertRoute, said: str
) -> None:
    [found] = deployed.test(route)
    assert found.failed
    assert said in found.said


def test_one_of_several_receivers_is_named_where_sns_tells() -> None:
    first, second = subscription("sqs"), subscription("lambda", arn="arn:aws:sns:2", endpoint="f")
    body = json.dumps({"UnsubscribeURL": "https://sns/?SubscriptionArn=arn:aws:sns:2"})
    found = Deployed([first, second], lambda mark: [Undelivered(body, "gone")]).test(OPS)
    assert [each.failed for each in found] == [False, True]


def test_our_own_queue_is_no_receiver_of_its_own() -> None:
    own = subscription(
        "sqs", endpoint="arn:aws:sqs:r:1:Watchkeeper-pump-AlertDelivery1", raw=True, channels=("hook",)
    )
    found = Deployed([own], delivers=Outcome("delivered")).test(HOOK)
    assert [each.receiver for each in found] == ["webhook example.com"]


@pytest.mark.parametrize("plan", [make_plan(), FRAUD_PLAN], ids=["anomaly", "fraud"])
def test_a_sample_is_marked_wherever_it_is_read(plan: WorkloadPlan | FraudPlan) -> None:
    sample = sample_for(replace(TEST, workload=plan.workload), plan)
    alert = alert_of(sample, ["operations"])
    assert alert.subject.startswith(f"TEST [{plan.workload}]")
    assert alert.severity == 100
    for words in ("text", "markdown", "slack"):
        text = in_words(words, sample, "UTC")  # type: ignore[arg-type]
        assert "Nothing has happened" in text
        assert TEST.test_id in text
    assert len(short_text(sample, "UTC")) <= GSM_CHARACTERS
    document = json.loads(alert.messages["sqs"])
    assert (document["test"], document["alert_id"]) == (TEST.test_id, TEST.test_id)
    read = delivered(alert.messages["sqs"])
    assert read.event == sample
    assert isinstance(read.event, Sample)


def test_a_sample_is_published_past_throttle_and_told_channels() -> None:
    fakes = AlertFakes(make_plan())
    message = json.dumps(
        {"detail-type": ROUTE_TEST_DETAIL_TYPE, "time": "2026-11-30T12:00:00Z", "detail": TEST.to_dict()}
    )
    assert announced(message) == (TEST, datetime(2026, 11, 30, 12, tzinfo=UTC))
    publish_sample(TEST, fakes.effects)
    [alert] = fakes.topic.alerts
    assert alert.channels == ("operations",)
    assert (fakes.throttle.claims, fakes.told.channels, fakes.unanswered.waiting) == ({}, {}, {})
    assert fakes.outcomes.find(TEST.test_id, PUBLISHED) == Outcome("published")


@pytest.fixture(params=["fake", "table"])
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    if request.param == "fake":
        return FakeOutcomes()
    request.getfixturevalue("aws")
    return TableOutcomes(clients.dynamodb(), IDEMPOTENCY_TABLE)


def test_an_outcome_is_found_by_test_and_place(outcomes: Outcomes) -> None:
    outcomes.add("t", "ops", Outcome("refused", "no"))
    assert outcomes.find("t", "ops") == Outcome("refused", "no")
    assert outcomes.find("t", PUBLISHED) is None


def test_subscribers_and_what_did_not_reach_them_are_read(aws: object) -> None:
    sns, sqs = clients.sns(), clients.sqs()
    topic = sns.create_topic(Name="tested")["TopicArn"]
    url = sqs.create_queue(QueueName="undelivered")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"workload": ["pump"], "routes": ["ops"], "severity": [{"numeric": [">=", 90]}]}
    for workload in ("pump", "other"):
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn.replace("undelivered", workload),
            Attributes={
                "FilterPolicy": json.dumps({**policy, "workload": [workload]}),
                "RawMessageDelivery": "true",
            },
        )
    subscribers = SnsSubscribers(sns, sqs, topic, arn)
    [found] = subscribers.of("pump")
    assert (found.channels, found.severity_at_least, found.raw, found.confirmed) == (("ops",), 90, True, True)
    reason = {"ErrorMessage": {"DataType": "String", "StringValue": "no such queue"}}
    for body in ("of t1", "of t2", "other"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=reason)
    assert subscribers.take_undelivered("t1") == [Undelivered("of t1", "no such queue")]
    assert subscribers.take_undelivered("t1") == []
