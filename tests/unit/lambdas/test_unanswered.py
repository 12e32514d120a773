"""What nobody acknowledges is told to the next route: once, and not when somebody did."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.adapters import clients
from lambdas.adapters.unanswered_store import TableUnanswered, UnansweredStore
from lambdas.alerting.publishing import AlertReport, publish, publish_unanswered
from lambdas.incidents.keeping import ask_for_answers
from tests.unit.lambdas.builders import make_notice, make_plan
from tests.unit.lambdas.conftest import INCIDENTS_TABLE
from tests.unit.lambdas.fakes import AlertFakes, CrashError, FakeUnanswered, GroupingFakes
from watchkeeper.core.plan import AlertRoute, EscalationPlan, WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.response import acknowledged, assigned, snoozed
from watchkeeper.incidents.unanswered import Unanswered

TOLD = datetime(2026, 11, 30, 12, tzinfo=UTC)
DUE = TOLD + timedelta(minutes=30)


def plan() -> WorkloadPlan:
    routes = (
        AlertRoute("operations", escalation=EscalationPlan(1800, "lead")),
        AlertRoute("lead", when=(), escalation=EscalationPlan(3600, "managers")),
        AlertRoute("managers", when=()),
    )
    made = make_plan()
    return replace(made, alerts=replace(made.alerts, routes=routes))


def told() -> tuple[AlertFakes, Incident]:
    fakes, notice = AlertFakes(plan()), make_notice()
    fakes.incidents.incidents[notice.incident.incident_id] = notice.incident
    publish(notice, TOLD, fakes.effects)
    return fakes, notice.incident


def test_who_is_told_has_so_long_to_answer_however_often_it_is_delivered() -> None:
    fakes, incident = told()
    publish(make_notice(), TOLD, fakes.effects)
    assert fakes.unanswered.due(DUE) == [
        Unanswered("pump", incident.incident_id, "lead", "2026-11-30T12:30:00Z")
    ]
    assert fakes.unanswered.due(DUE - timedelta(seconds=1)) == []


def test_what_nobody_answers_goes_from_route_to_route_and_each_is_told_once() -> None:
    fakes, incident = told()
    [first] = fakes.unanswered.due(DUE)
    for _ in range(2):
        publish_unanswered(first, DUE, fakes.effects)
    later = DUE + timedelta(hours=1)
    [second] = [each for each in fakes.unanswered.due(later) if each.to == "managers"]
    publish_unanswered(second, later, fakes.effects)
    assert [alert.channels for alert in fakes.topic.alerts] == [("operations",), ("lead",), ("managers",)]
    assert fakes.topic.alerts[1].subject.startswith("[pump] nobody has acknowledged: ")
    assert fakes.told.of(incident) >= {"operations", "lead", "managers"}


@pytest.mark.parametrize("answer", ["acknowledged", "snoozed", "closed", "gone", "route gone"])
def test_what_somebody_answered_or_is_over_is_told_to_nobody(answer: str) -> None:
    fakes, incident = told()
    [waiting] = fakes.unanswered.due(DUE)
    after = {
        "acknowledged": lambda: acknowledged(incident, "eva", TOLD),
        "snoozed": lambda: snoozed(incident, DUE + timedelta(hours=1), "eva", TOLD),
        "closed": lambda: replace(incident, state="closed"),
    }
    if answer in after:
        fakes.incidents.incidents[incident.incident_id] = after[answer]()
    elif answer == "gone":
        fakes.incidents.incidents.clear()
    else:
        waiting = replace(waiting, to="nobody")
    assert publish_unanswered(waiting, DUE, fakes.effects) == AlertReport((), ())
    assert len(fakes.topic.alerts) == 1


def test_who_has_it_assigned_has_not_answered() -> None:
    fakes, incident = told()
    fakes.incidents.incidents[incident.incident_id] = assigned(incident, "eva", "max", TOLD)
    [waiting] = fakes.unanswered.due(DUE)
    assert publish_unanswered(waiting, DUE, fakes.effects).published == ("lead",)


def test_what_is_acknowledged_and_gets_worse_waits_for_nobody() -> None:
    fakes = AlertFakes(plan())
    notice = make_notice(0, 95.0, what="escalated")
    publish(replace(notice, incident=acknowledged(notice.incident, "eva", TOLD)), TOLD, fakes.effects)
    assert fakes.topic.alerts
    assert fakes.unanswered.waiting == {}


def test_one_that_is_in_another_is_told_as_that_and_once() -> None:
    fakes, incident = told()
    older = make_notice(-5).incident
    survivor = replace(older, former_ids=(incident.incident_id,))
    fakes.incidents.incidents[older.incident_id] = survivor
    fakes.incidents.incidents[incident.incident_id] = replace(incident, merged_into=older.incident_id)
    [waiting] = fakes.unanswered.due(DUE)
    publish_unanswered(waiting, DUE, fakes.effects)
    report = publish_unanswered(replace(waiting, incident_id=older.incident_id), DUE, fakes.effects)
    assert report == AlertReport((), ("lead",))
    assert len(fakes.topic.alerts) == 2


def test_crash_loses_no_escalation_and_repeats_it_at_one_moment_only() -> None:
    for moment in range(7):
        fakes, _ = told()
        [waiting] = fakes.unanswered.due(DUE)
        fakes.timeline.crash_at(moment)
        try:
            publish_unanswered(waiting, DUE, fakes.effects)
        except CrashError:
            publish_unanswered(waiting, DUE, fakes.effects)
        told_lead = [alert for alert in fakes.topic.alerts if alert.channels == ("lead",)]
        assert len(told_lead) == (2 if moment in (3, 4) else 1), moment
        assert {each.to for each in fakes.unanswered.waiting.values()} == {"lead", "managers"}


def test_the_schedule_asks_for_what_is_due_and_a_crash_asks_again() -> None:
    waiting = [Unanswered("pump", f"i{minute}", "lead", f"2026-11-30T12:{minute}:00Z") for minute in (10, 40)]
    for moment in range(4):
        fakes = GroupingFakes(make_plan())
        for each in waiting:
            fakes.unanswered.add(each)
        fakes.timeline.crash_at(moment)
        try:
            ask_for_answers(epoch_seconds(DUE), fakes.effects)
        except CrashError:
            ask_for_answers(epoch_seconds(DUE), fakes.effects)
        assert set(fakes.bus.asked) == {waiting[0]}
        assert list(fakes.unanswered.waiting.values()) == [waiting[1]]


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> UnansweredStore:
    if request.param == "fake":
        return FakeUnanswered()
    request.getfixturevalue("aws")
    return TableUnanswered(clients.dynamodb(), INCIDENTS_TABLE)


def test_what_waits_is_due_at_its_time_until_it_is_forgotten(store: UnansweredStore) -> None:
    early = Unanswered("pump", "a", "lead", "2026-11-30T12:10:00Z")
    late = Unanswered("pump", "b", "lead", "2026-11-30T12:30:00Z")
    for each in (late, early, early):
        store.add(each)
    assert store.due(TOLD) == []
    assert store.due(DUE) == [early, late]
    store.forget(early)
    store.forget(early)
    assert store.due(DUE) == [late]
