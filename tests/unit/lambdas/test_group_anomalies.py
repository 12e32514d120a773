"""Anomalies become incidents: opened, told once, worse, over; whatever repeats, races or dies."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.adapters.incident_store import MOST_CHANGED
from lambdas.adapters.plan_store import CACHE_SECONDS
from lambdas.incidents.effects import LiveReleases
from lambdas.incidents.keeping import FORSAKEN_SECONDS, close_quiet, take_in
from lambdas.incidents.responding import respond_of_workload
from tests.unit.lambdas.builders import make_event, make_plan, make_release
from tests.unit.lambdas.fakes import CrashError, FakePlanStore, FakeReleaseStore, GroupingFakes
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.plan import IncidentPlan, MutePlan, SeriesSelection
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.pausing import paused, resumed
from watchkeeper.incidents.progress import ESCALATES_BY
from watchkeeper.telemetry.census import Census

PLAN = make_plan()
RULE = GroupingRule(gap_seconds=180, quiet_seconds=1800)
ARRIVED = 1_704_067_260


def grouped(fakes: GroupingFakes, *batches: list[AnomalyEvent]) -> list[Incident]:
    for number, batch in enumerate(batches):
        take_in(PLAN.workload, batch, ARRIVED + number, fakes.effects)
    return fakes.store.between(PLAN.workload, 0, 1 << 40)


def delivered(fakes: GroupingFakes, batch: list[AnomalyEvent], arrived: int) -> None:
    """Deliver a batch, and again if the worker dies of it."""
    try:
        take_in(PLAN.workload, batch, arrived, fakes.effects)
    except CrashError:
        take_in(PLAN.workload, batch, arrived, fakes.effects)


def told(fakes: GroupingFakes) -> list[tuple[str, str]]:
    return [(detail_type, notice.incident.incident_id) for detail_type, notice in fakes.bus.events]


def what(incident: Incident) -> list[str]:
    return [entry.what for entry in incident.timeline]


def test_an_incident_opens_once_and_grows_in_silence() -> None:
    fakes = GroupingFakes(PLAN)
    [incident] = grouped(fakes, [make_event(0)], [make_event(1)], [make_event(1)])
    assert told(fakes) == [("Incident Opened", incident.incident_id)]
    [(_, notice)] = fakes.bus.events
    assert notice.anomaly == make_event(0)
    assert (incident.state, what(incident)) == ("open", ["opened"])
    assert fakes.store.outbox == {}


def test_what_is_much_worse_or_concerns_another_route_is_told_again() -> None:
    fakes = GroupingFakes(PLAN)
    severities = [72.0, 76.0, 83.0, 89.0, 91.0]
    [incident] = grouped(fakes, *([make_event(m, severity=s)] for m, s in enumerate(severities)))
    assert [kind for kind, _ in told(fakes)] == [
        "Incident Opened",
        "Incident Escalated",
        "Incident Escalated",
    ]
    first, second, third = (notice.severity for _, notice in fakes.bus.events)
    assert first + ESCALATES_BY <= second < 90
    assert 90 <= third < second + ESCALATES_BY, "the route of 90, though it is only a little more"
    assert what(incident) == ["opened", "escalated", "escalated"]


def test_an_incident_is_over_when_anomalies_have_moved_on() -> None:
    fakes = GroupingFakes(PLAN)
    first, second = grouped(fakes, [make_event(0)], [make_event(32)])
    assert (first.state, second.state) == ("closed", "open")
    assert [kind for kind, _ in told(fakes)] == ["Incident Opened", "Incident Opened", "Incident Closed"]
    assert first.timeline[-1].at == "2024-01-01T00:31:00Z"


def test_an_incident_is_over_when_nothing_comes() -> None:
    fakes = GroupingFakes(PLAN)
    grouped(fakes, [make_event(0)])
    wait = 1800 + PLAN.interval_seconds + PLAN.lateness_seconds + PLAN.delivery_seconds
    close_quiet(ARRIVED + wait - 1, fakes.effects)
    assert [kind for kind, _ in told(fakes)] == ["Incident Opened"]
    for _ in range(2):
        close_quiet(ARRIVED + wait, fakes.effects)
    assert [kind for kind, _ in told(fakes)] == ["Incident Opened", "Incident Closed"]
    assert fakes.store.book(PLAN.workload).open_since is None


def test_a_late_anomaly_joins_what_is_over_and_is_told_only_if_it_is_worse() -> None:
    fakes = GroupingFakes(PLAN)
    grouped(fakes, [make_event(0)], [make_event(2)], [make_event(60)])
    before = len(fakes.bus.events)
    joined, _ = grouped(fakes, [make_event(1)])
    assert (joined.state, len(fakes.bus.events)) == ("closed", before)
    worse, _ = grouped(fakes, [make_event(3, severity=95.0)])
    assert worse.state == "closed"
    assert [kind for kind, _ in told(fakes)[before:]] == ["Incident Escalated"]


def test_what_goes_on_after_it_was_closed_by_the_clock_is_open_again() -> None:
    fakes = GroupingFakes(PLAN)
    grouped(fakes, [make_event(0)])
    close_quiet(ARRIVED + 10_000, fakes.effects)
    [incident] = grouped(fakes, [make_event(1)])
    assert (incident.state, what(incident)) == ("open", ["opened", "closed", "reopened"])
    close_quiet(ARRIVED + 20_000, fakes.effects)
    assert [kind for kind, _ in told(fakes)] == ["Incident Opened", "Incident Closed", "Incident Closed"]
    assert len({notice.alert_id for _, notice in fakes.bus.events}) == 3


def test_joined_incidents_keep_the_older_id_and_what_people_did() -> None:
    fakes = GroupingFakes(PLAN)
    older, newer = grouped(fakes, [make_event(40)], [make_event(0)])
    [incident] = grouped(fakes, [make_event(20)])
    assert incident.incident_id == older.incident_id
    found = fakes.store.find(newer.incident_id)
    assert found is not None
    assert found.incident_id == older.incident_id
    assert what(incident) == ["opened", "closed", "joined"]
    assert incident.state == "open"
    assert [kind for kind, _ in told(fakes)] == ["Incident Opened", "Incident Opened", "Incident Closed"]


def test_a_crash_at_any_moment_loses_nothing_and_announces_once_a_key() -> None:
    batches = [
        [make_event(0), make_event(40)],
        [make_event(20, severity=95.0)],
        [make_event(100, device="b")],
    ]
    whole = GroupingFakes(PLAN)
    expected = grouped(whole, *batches)
    for moment in range(whole.timeline.moment):
        fakes = GroupingFakes(PLAN)
        at = fakes.timeline.crash_at(moment)
        for number, batch in enumerate(batches):
            delivered(fakes, batch, ARRIVED + number)
        assert not fakes.timeline.cancel(at)
        assert fakes.store.between(PLAN.workload, 0, 1 << 40) == expected, moment
        assert fakes.store.outbox == {}
        keys = {notice.alert_id for _, notice in fakes.bus.events}
        assert keys == {notice.alert_id for _, notice in whole.bus.events}, moment
        assert {key: value.merged_into for key, value in fakes.store.incidents.items()} == {
            key: value.merged_into for key, value in whole.store.incidents.items()
        }


def test_what_a_dead_worker_left_is_sent_by_the_schedule() -> None:
    fakes = GroupingFakes(PLAN)
    fakes.timeline.crash_at(2)
    with pytest.raises(CrashError):
        grouped(fakes, [make_event(0)])
    assert told(fakes) == []
    close_quiet(ARRIVED, fakes.effects)
    assert [kind for kind, _ in told(fakes)] == ["Incident Opened"]


def test_two_workers_make_one_incident() -> None:
    fakes = GroupingFakes(PLAN)
    fakes.timeline.at(0, lambda: take_in(PLAN.workload, [make_event(1)], ARRIVED, fakes.effects))
    [incident] = grouped(fakes, [make_event(0)])
    assert [part.intervals for part in incident.touched] == [2]


def test_a_worker_that_is_always_late_gives_up() -> None:
    fakes = GroupingFakes(PLAN)
    store = fakes.store
    store.commit = lambda *arguments: False  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match="changed 8 times"):
        grouped(fakes, [make_event(0)])


def test_a_batch_of_many_incidents_is_written_in_several_changes() -> None:
    fakes = GroupingFakes(make_plan(incidents=IncidentPlan(together_at_least=1000)))
    events = [make_event(0, device=f"d{index}") for index in range(3 * MOST_CHANGED)]
    incidents = grouped(fakes, events)
    assert len(incidents) == len(events) == len(told(fakes))
    assert len(grouped(fakes, [make_event(90)])) == len(events) + 1
    close_quiet(ARRIVED + 100_000, fakes.effects)
    assert {each.state for each in fakes.store.between(PLAN.workload, 0, 1 << 40)} == {"closed"}
    assert len({notice.alert_id for _, notice in fakes.bus.events}) == 2 * (len(events) + 1)


def test_incidents_of_a_workload_that_is_no_more_are_closed() -> None:
    fakes = GroupingFakes(PLAN)
    grouped(fakes, [make_event(0)])
    gone = replace(fakes.effects, plans=FakePlanStore({}))
    close_quiet(ARRIVED + FORSAKEN_SECONDS, gone)
    assert [kind for kind, _ in told(fakes)] == ["Incident Opened", "Incident Closed"]
    with pytest.raises(InvalidInputError, match="not deployed"):
        take_in(PLAN.workload, [make_event(1)], ARRIVED, gone)


def test_a_muted_series_is_in_no_incident_until_the_end() -> None:
    mute = MutePlan(SeriesSelection(where={"device": ("a", "x")}), make_event(60).at)
    fakes = GroupingFakes(replace(PLAN, alerts=replace(PLAN.alerts, mutes=(mute,))))
    grouped(fakes, [make_event(59)], [make_event(59, device="b")])
    assert [notice.series for _, notice in fakes.bus.events] == ["pressure|device=b"]
    grouped(fakes, [make_event(60)])
    assert len(fakes.bus.events) == 2


def test_of_a_pause_nothing_is_in_an_incident_neither_then_nor_later() -> None:
    fakes = GroupingFakes(PLAN)
    begin = datetime.fromtimestamp(make_event(60).at, UTC)
    store, name = fakes.store, PLAN.workload
    respond_of_workload(store, name, lambda all_: paused(all_, "pressure|device=a", None, "ada", begin))
    events = [make_event(minute, device=device) for minute in (58, 62) for device in "ab"]
    arrived = make_event(66).at
    take_in(name, events, arrived, fakes.effects)
    assert {touched.series for one in store.incidents.values() for touched in one.touched} == {
        "pressure|device=b"
    }
    respond_of_workload(store, name, lambda all_: resumed(all_, None, "ada", begin + timedelta(minutes=9)))
    take_in(name, [make_event(64), make_event(80)], make_event(90).at, fakes.effects)
    of_a = [one for one in store.incidents.values() if one.opened_by == "pressure|device=a"]
    assert [one.opened for one in of_a] == [make_event(80).at]


def test_what_the_live_release_knows_decides_what_hangs_together() -> None:
    fakes = GroupingFakes(PLAN)
    events = [make_event(0, device=device) for device in "abcd"]
    [incident] = grouped(fakes, events)
    assert incident.title.startswith("pressure high")
    fakes = GroupingFakes(PLAN)
    census = Census({"pressure": 5000}, {"device": 5000})
    fakes.releases.publish(make_release(census=census))
    assert len(grouped(fakes, events)) == 4, "so many of five thousand are anomalous at once by chance"


EVENTS = st.lists(
    st.builds(
        lambda minute, device, severity: make_event(minute, severity, device),
        st.integers(0, 400),
        st.sampled_from("abcd"),
        st.sampled_from([70.0, 85.0, 99.0]),
    ),
    unique_by=lambda event: (event.series, event.at),
    max_size=30,
)


@settings(max_examples=60)
@given(EVENTS, st.data())
def test_the_incidents_in_the_end_are_those_of_the_anomalies(
    events: list[AnomalyEvent], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=8)))
    fakes = GroupingFakes(PLAN)
    batches = [shuffled[a:b] for a, b in itertools.pairwise([0, *cuts, len(shuffled)]) if a < b]
    grouped(fakes, *batches)
    close_quiet(1 << 40, fakes.effects)
    found = fakes.store.between(PLAN.workload, 0, 1 << 40)
    assert [replace(each, state="open", timeline=(), former_ids=()) for each in found] == list(
        incidents_of(events, RULE)
    )
    assert all(each.state == "closed" for each in found)
    opened = [notice.incident.incident_id for kind, notice in fakes.bus.events if kind == "Incident Opened"]
    assert len(opened) == len(set(opened))
    assert {each.incident_id for each in found} <= {*opened, *fakes.store.incidents}


def test_what_a_release_knows_is_taken_apart_once_and_anew_with_the_next_one() -> None:
    store, now = FakeReleaseStore(), [0.0]
    releases = LiveReleases(store, lambda: now[0])
    assert releases.around(PLAN).census == Census()
    for minute in (1, 2):
        store.release(make_release(minute, census=Census(measures={"pressure": minute})))
        now[0] += CACHE_SECONDS
        around = releases.around(PLAN)
        assert around.census.measures == {"pressure": minute}
        assert releases.around(PLAN) is around
