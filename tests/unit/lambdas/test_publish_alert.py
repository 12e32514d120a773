"""Alerts: routes, throttling, and what happens when deliveries repeat, race or fail."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters import clients
from lambdas.alerting.alert import MAX_CLAIMS, Claims, alert_of, announced
from lambdas.alerting.counting import alerts_raised
from lambdas.alerting.effects import CLAIMS_DAYS, TableThrottle, TableToldChannels, Throttle, ToldChannels
from lambdas.alerting.publishing import AlertReport, publish
from lambdas.incidents.responding import respond_of_workload
from tests.unit.lambdas.builders import BEGIN, make_event, make_notice, make_plan
from tests.unit.lambdas.conftest import IDEMPOTENCY_TABLE
from tests.unit.lambdas.fakes import AlertFakes, CrashError, FakeThrottle, FakeToldChannels
from tests.unit.lambdas.fraud_builders import PLAN as FRAUD_PLAN
from tests.unit.watchkeeper.incidents.anomalies import anomaly
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.plan import (
    AlertMoment,
    AlertPlan,
    AlertRoute,
    RouteFilter,
    SeriesSelection,
    WorkloadPlan,
)
from watchkeeper.core.timestamps import in_zone
from watchkeeper.fraud.decided import DECIDED_DETAIL_TYPE, DecidedTransaction
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.notice import IncidentNotice, Told, notice_of
from watchkeeper.incidents.pausing import paused, resumed

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def plan_that_tells_ends() -> WorkloadPlan:
    plan = make_plan()
    moments: tuple[AlertMoment, ...] = ("opening", "escalation", "end")
    routes = tuple(replace(route, when=moments) for route in plan.alerts.routes)
    return replace(plan, alerts=replace(plan.alerts, routes=routes))


@pytest.fixture(params=["fake", "table"])
def throttle(request: pytest.FixtureRequest) -> Throttle:
    if request.param == "fake":
        return FakeThrottle()
    request.getfixturevalue("aws")
    return TableThrottle(clients.dynamodb(), IDEMPOTENCY_TABLE)


def test_second_anomaly_within_the_throttle_is_held_back(throttle: Throttle) -> None:
    assert throttle.claim(make_notice(0), "operations", 3600)
    assert not throttle.claim(make_notice(59), "operations", 3600)
    assert throttle.claim(make_notice(60), "operations", 3600)


def test_earlier_anomaly_that_comes_later_is_held_back_too(throttle: Throttle) -> None:
    assert throttle.claim(make_notice(100), "operations", 3600)
    assert not throttle.claim(make_notice(41), "operations", 3600)
    assert throttle.claim(make_notice(40), "operations", 3600)


def test_same_anomaly_gets_the_same_answer_again(throttle: Throttle) -> None:
    for _ in range(2):
        assert throttle.claim(make_notice(0), "operations", 3600)
        assert not throttle.claim(make_notice(5), "operations", 3600)


def test_series_and_channels_are_throttled_apart(throttle: Throttle) -> None:
    assert throttle.claim(make_notice(0), "operations", 3600)
    assert throttle.claim(make_notice(1), "oncall", 3600)
    assert throttle.claim(make_notice(1, device="b"), "operations", 3600)


def test_zero_seconds_throttle_nothing(throttle: Throttle) -> None:
    assert all(throttle.claim(make_notice(minute), "operations", 0) for minute in range(5))


def test_two_workers_do_not_both_claim(aws: object) -> None:
    client = clients.dynamodb()
    other = TableThrottle(client, IDEMPOTENCY_TABLE)

    class Overtaken(TableThrottle):
        def _read(self, key: str) -> tuple[Claims, str | None]:
            found = super()._read(key)
            other.claim(make_notice(10), "operations", 3600)
            return found

    pauses: list[int] = []
    assert not Overtaken(client, IDEMPOTENCY_TABLE, pause=pauses.append).claim(
        make_notice(0), "operations", 3600
    )
    assert pauses == [0]


def test_claims_expire_after_the_last_one(aws: object) -> None:
    TableThrottle(clients.dynamodb(), IDEMPOTENCY_TABLE, clock=lambda: 5.0).claim(
        make_notice(0), "operations", 3600
    )
    (item,) = clients.dynamodb().scan(TableName=IDEMPOTENCY_TABLE)["Items"]
    assert item["id"] == {"S": "throttle#pump#operations#pressure|device=a"}
    assert item["expiration"] == {"N": str(5 + CLAIMS_DAYS * 86_400)}


@given(st.lists(st.integers(0, 500), max_size=60), st.integers(0, 100))
def test_claims_are_never_nearer_than_the_throttle_in_any_order(
    times: list[int], throttle_seconds: int
) -> None:
    claims = Claims()
    answers: dict[str, bool] = {}
    for at in times:
        claims = claims.with_claim(str(at), at, throttle_seconds)
        assert answers.setdefault(str(at), claims.holds(str(at))) == claims.holds(str(at))
    claimed = [at for at, _ in claims.entries]
    assert claimed == sorted(claimed)
    assert all(later - earlier >= throttle_seconds for earlier, later in pairwise(claimed))
    assert all(any(abs(at - other) < max(throttle_seconds, 1) for other in claimed) for at in times)
    assert Claims.from_json(claims.to_json()) == claims


def test_claims_do_not_grow_without_end() -> None:
    claims = Claims()
    for at in range(MAX_CLAIMS * 2):
        claims = claims.with_claim(str(at), at, 0)
    assert [at for at, _ in claims.entries] == list(range(MAX_CLAIMS, MAX_CLAIMS * 2))


def test_people_read_the_zone_of_the_source_and_programs_utc() -> None:
    event, notice = make_event(), make_notice()

    alert = alert_of(notice, ["operations"], "Asia/Kolkata")

    assert (
        in_zone(event.at, "Asia/Kolkata").partition(" (")[0].removesuffix(" IST") in alert.messages["email"]
    )
    structured = json.loads(alert.messages["sqs"])
    assert structured["anomaly"]["interval_start"] == event.interval_start
    assert structured["incident"]["opened_at"] == event.interval_start


def test_people_get_text_and_programs_get_the_event() -> None:
    notice = make_notice(3)
    alert = alert_of(notice, ["operations"])
    assert set(alert.messages) == {"default", "email", "sms", "http", "https", "lambda", "sqs"}
    assert "Observed:  90" in alert.messages["email"]
    structured = json.loads(alert.messages["sqs"])
    more = {name: structured.pop(name) for name in ("routes", "alert_id", "workload", "severity")}
    assert more == {
        "routes": ["operations"],
        "alert_id": notice.alert_id,
        "workload": "pump",
        "severity": 80.0,
    }
    assert IncidentNotice.from_dict(structured) == notice
    assert AnomalyEvent.from_dict(structured["anomaly"]) == notice.anomaly


def test_an_alert_of_as_much_as_a_notice_holds_fits_into_sns() -> None:
    events = [
        make_event(minute, device=f"d{device:04}" + "x" * 900)
        for device in range(300)
        for minute in range(0, 90, 2)
    ]
    [incident] = incidents_of(events, GroupingRule(gap_seconds=180))
    alert = alert_of(notice_of("escalated", incident, events[0]), ["operations"])
    assert len(json.dumps(alert.messages)) < 250_000
    assert json.loads(alert.messages["sqs"])["incident"]["left_out"]["touched"] > 200
    assert len(alert.subject) <= 100


def test_an_incident_that_is_worse_is_told_within_the_throttle_and_its_end_to_who_was_told() -> None:
    fakes = AlertFakes(plan_that_tells_ends())
    assert publish(make_notice(0), NOON, fakes.effects).published == ("operations",)
    assert publish(make_notice(0, 95.0, what="escalated"), NOON, fakes.effects).published == (
        "operations",
        "oncall",
    )
    assert publish(make_notice(0, 95.0, what="closed"), NOON, fakes.effects) == AlertReport(
        ("operations", "oncall"), ()
    )
    assert [alert.subject.partition(":")[0] for alert in fakes.topic.alerts] == [
        "[pump] incident",
        "[pump] incident is worse",
        "[pump] incident is over",
    ]


def test_of_a_paused_workload_nothing_is_told() -> None:
    fakes = AlertFakes(plan_that_tells_ends())
    respond_of_workload(fakes.incidents, "pump", lambda all_: paused(all_, None, None, "ada", NOON))
    for what in ("opened", "escalated", "closed"):
        assert publish(make_notice(what=what), NOON, fakes.effects) == AlertReport((), ())
    respond_of_workload(
        fakes.incidents, "pump", lambda all_: resumed(all_, None, "ada", NOON + timedelta(hours=1))
    )
    assert publish(make_notice(), NOON + timedelta(hours=1), fakes.effects).published == ("operations",)
    assert len(fakes.topic.alerts) == 1


def test_the_end_of_an_incident_that_nobody_was_told_of_is_told_to_nobody() -> None:
    fakes = AlertFakes(plan_that_tells_ends())
    publish(make_notice(0), NOON, fakes.effects)
    assert publish(make_notice(20), NOON, fakes.effects) == AlertReport((), ("operations",))
    assert publish(make_notice(20, what="closed"), NOON, fakes.effects) == AlertReport((), ("operations",))
    assert len(fakes.topic.alerts) == 1


@pytest.mark.parametrize("store", ["fake", "table"])
def test_channels_that_were_told_are_known_under_the_ids_of_before(
    store: str, request: pytest.FixtureRequest
) -> None:
    told: ToldChannels = FakeToldChannels()
    if store == "table":
        request.getfixturevalue("aws")
        told = TableToldChannels(clients.dynamodb(), IDEMPOTENCY_TABLE)
    before, now = make_notice(5).incident, make_notice(0).incident
    told.add(before, ["operations"])
    told.add(before, ["oncall", "operations"])
    assert told.of(now) == set()
    assert told.of(replace(now, former_ids=(before.incident_id,))) == {"operations", "oncall"}


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        '{"detail": {}}',
        '{"detail-type": "Other", "time": "2026-11-30T12:00:00Z", "detail": {}}',
        '{"detail-type": "Incident Opened", "time": "2026-11-30T12:00:00Z", "detail": {"workload": "x"}}',
    ],
)
def test_other_events_are_refused(message: str) -> None:
    with pytest.raises(InvalidInputError):
        announced(message)


def test_throttled_channel_does_not_hold_back_another() -> None:
    fakes = AlertFakes(make_plan())
    publish(make_notice(0, severity=80.0), NOON, fakes.effects)
    report = publish(make_notice(1, severity=95.0), NOON, fakes.effects)
    assert report == AlertReport(("oncall",), ("operations",))
    assert [alert.channels for alert in fakes.topic.alerts] == [("operations",), ("oncall",)]


def test_crash_loses_no_alert_and_repeats_it_at_one_moment_only() -> None:
    """Effects: two claims, a note of it and one publication; after that a redelivery repeats it."""
    for moment in range(9):
        fakes = AlertFakes(make_plan())
        fakes.timeline.crash_at(moment)
        event = make_notice(0, severity=95.0)
        try:
            publish(event, NOON, fakes.effects)
        except CrashError:
            publish(event, NOON, fakes.effects)
        assert {alert.channels for alert in fakes.topic.alerts} == {("operations", "oncall")}
        assert len(fakes.topic.alerts) == (2 if moment == 7 else 1), moment


def test_workload_without_plan_is_invalid_input() -> None:
    with pytest.raises(InvalidInputError, match="not deployed"):
        publish(make_notice(workload="unknown"), NOON, AlertFakes(make_plan()).effects)


def test_throttle_gives_up_after_conflicts_without_end(aws: object) -> None:
    class Contested(TableThrottle):
        def _write(self, *arguments: object) -> bool:
            return False

    throttle = Contested(clients.dynamodb(), IDEMPOTENCY_TABLE, pause=lambda attempt: None)
    with pytest.raises(UnavailableError, match="changed 8 times"):
        throttle.claim(make_notice(0), "operations", 3600)


def flagged(id_: str = "t1", time: float = 1000.0, entity: str = "c1") -> DecidedTransaction:
    reasons = (
        {"relation": "card", "entity": entity, "contribution": 0.4, "transactions": ["t0"]},
        {"relation": "device", "entity": "d1", "contribution": -0.1, "transactions": []},
    )
    return DecidedTransaction(FRAUD_PLAN.workload, id_, time, 12.5, True, 0.9, 0.5, 94.0, "run-1", reasons)


def test_flagged_transaction_goes_to_the_routes_of_its_workload() -> None:
    routes = (AlertRoute("fraud", 70.0), AlertRoute("oncall", 99.0))
    fakes = AlertFakes(replace(FRAUD_PLAN, alerts=AlertPlan(routes=routes)))
    message = json.dumps(
        {"detail-type": DECIDED_DETAIL_TYPE, "time": "2026-11-30T12:00:00Z", "detail": flagged().to_dict()}
    )

    report = publish(*announced(message), fakes.effects)

    assert report == AlertReport(("fraud",), ())
    (alert,) = fakes.topic.alerts
    assert alert.subject == "[card_fraud] fraud suspected in t1, severity 94 (limit 70)"
    assert "Because of:  card c1 (+0.400); earlier transactions: t0" in alert.messages["email"]
    assert json.loads(alert.messages["sqs"])["reasons"][0]["entity"] == "c1"


def test_flagged_transactions_of_one_card_are_throttled_and_others_are_not(throttle: Throttle) -> None:
    assert throttle.claim(flagged(), "fraud", 60)
    assert not throttle.claim(flagged("t2", 1030.0), "fraud", 60)
    assert throttle.claim(flagged("t3", 1030.0, entity="c2"), "fraud", 60)
    assert throttle.claim(flagged("t4", 1060.0), "fraud", 60)


def test_an_alert_says_every_dimension_in_its_attributes() -> None:
    events = [anomaly("no2|station=a|hall 1=x", 0), anomaly("so2|station=a|hall 1=x", 1)]
    (incident,) = incidents_of(events, GroupingRule(gap_seconds=900))
    alert = alert_of(notice_of("opened", incident, events[0]), ["operators"])

    assert alert.places == {
        "measure": ("no2", "so2"),
        "dimension_station": ("a",),
        "dimension_hall_1": ("x",),
    }


ROUTES = (
    AlertRoute("operations", 70.0),
    AlertRoute("oncall", 90.0, only=RouteFilter((SeriesSelection(where={"device": ("b",)}),))),
    AlertRoute("ends", 70.0, ("end",)),
)
NOTICES = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from("ab"), st.sampled_from(["opened", "escalated"])),
    max_size=30,
    unique=True,
)


@given(NOTICES, st.sampled_from([0, 3600]), st.floats(60, 100))
def test_alerts_are_counted_as_they_are_published(
    told: list[tuple[int, str, Told]], throttle_seconds: int, severity: float
) -> None:
    """What `status`, digests and comparisons count of notices in the order of time."""
    alerts = AlertPlan(ROUTES, throttle_seconds)
    notices = [
        replace(make_notice(minute, severity, device), what=what) for minute, device, what in sorted(told)
    ]
    fakes = AlertFakes(make_plan(alerts=alerts))
    published = [publish(each, BEGIN, fakes.effects).published for each in notices]
    counted = alerts_raised([(BEGIN, each) for each in notices], alerts, fakes.incidents.find)
    assert counted == sum(map(bool, published)) == len(fakes.topic.alerts)
