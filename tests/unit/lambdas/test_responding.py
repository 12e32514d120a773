"""What people do about incidents is written beside what anomalies change, and neither is lost."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from lambdas.adapters import clients
from lambdas.adapters.incident_store import Book, TableIncidents
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.incidents.responding import judge, respond
from tests.unit.lambdas.conftest import INCIDENTS_TABLE, SERIES_TABLE
from tests.unit.lambdas.fakes import FakeIncidentStore
from tests.unit.watchkeeper.incidents.anomalies import INTERVAL, anomaly
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.incidents.feedback import Verdict
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.progress import Change
from watchkeeper.incidents.response import acknowledged

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def incident(interval: int) -> Incident:
    [found] = incidents_of([anomaly("no2", interval)], GroupingRule(gap_seconds=INTERVAL))
    return found


def acknowledge(found: Incident) -> Incident:
    return acknowledged(found, "mia", NOW)


@pytest.fixture
def store() -> FakeIncidentStore:
    store = FakeIncidentStore()
    assert store.commit("air", Book(), Book(last=7), Change((incident(0), incident(9))))
    return store


def test_a_response_is_kept_under_the_book_which_stays_as_it_is(store: FakeIncidentStore) -> None:
    found = respond(store, incident(0).incident_id, acknowledge)
    assert store.find(found.incident_id) == found
    assert (found.state, store.book("air")) == ("acknowledged", Book(changes=2, last=7))
    respond(store, found.incident_id, acknowledge)
    assert store.book("air").changes == 2, "again writes nothing"


def test_who_is_overtaken_begins_anew_and_loses_nothing(store: FakeIncidentStore) -> None:
    pauses: list[int] = []

    def overtaken(found: Incident) -> Incident:
        if not pauses:
            grown = dataclasses.replace(found, severity=99.0)
            assert store.commit("air", store.book("air"), store.book("air"), Change((grown,)))
        return acknowledge(found)

    found = respond(store, incident(0).incident_id, overtaken, pauses.append)
    assert (found.state, found.severity, pauses) == ("acknowledged", 99.0, [0])


def test_an_incident_that_is_in_another_since_is_not_written_as_if_it_stood_alone(
    store: FakeIncidentStore,
) -> None:
    old, new = incident(9), incident(0)
    merged = dataclasses.replace(old, merged_into=new.incident_id)
    assert store.commit("air", store.book("air"), Book(), Change((new,), (merged,)))
    assert respond(store, old.incident_id, acknowledge).incident_id == new.incident_id
    assert store.incidents[old.incident_id].merged_into == new.incident_id


@pytest.fixture
def table(aws: object) -> TableIncidents:
    store = TableIncidents(clients.dynamodb(), INCIDENTS_TABLE, SERIES_TABLE)
    assert store.commit("air", Book(), Book(last=7), Change((incident(0), incident(9))))
    return store


def moved() -> float:
    return TableReleaseStore(clients.dynamodb(), SERIES_TABLE).moved("air").of("no2", "above")


def test_a_verdict_moves_a_threshold_at_once_and_taking_it_back_moves_it_back(table: TableIncidents) -> None:
    first, second = incident(0).incident_id, incident(9).incident_id
    assert judge(table, first, "expected", "mia", NOW).feedback == "expected"
    assert moved() == 75.0
    judge(table, first, "expected", "bo", NOW)
    assert (moved(), table.book("air").changes) == (75.0, 2), "the same again writes nothing"
    judge(table, second, "expected", "mia", NOW, "cleaning")
    assert moved() == 80.0
    judge(table, second, "real", "mia", NOW)
    assert moved() == 75.0
    assert judge(table, second, None, "mia", NOW).feedback is None
    judge(table, first, None, "mia", NOW)
    assert (moved(), table.verdicts("air")) == (70.0, [])
    with pytest.raises(InvalidInputError, match="nothing to undo"):
        judge(table, first, None, "mia", NOW)


def test_of_two_verdicts_at_the_same_time_none_is_lost(table: TableIncidents) -> None:
    other = TableIncidents(clients.dynamodb(), INCIDENTS_TABLE, SERIES_TABLE)

    class Overtaken(TableIncidents):
        def verdicts(self, workload: str) -> list[Verdict]:
            found = super().verdicts(workload)
            if not found:
                judge(other, incident(9).incident_id, "expected", "bo", NOW)
            return found

    overtaken = Overtaken(clients.dynamodb(), INCIDENTS_TABLE, SERIES_TABLE)
    judge(overtaken, incident(0).incident_id, "expected", "mia", NOW, pause=lambda attempt: None)
    assert {each.who for each in table.verdicts("air")} == {"bo", "mia"}
    assert moved() == 80.0


def test_what_is_not_there_or_never_free_is_said(store: FakeIncidentStore) -> None:
    with pytest.raises(InvalidInputError, match="there is no incident 'nothing'"):
        respond(store, "nothing", acknowledge)

    def always_overtaken(found: Incident) -> Incident:
        store.commit("air", store.book("air"), store.book("air"), Change((found,)))
        return acknowledge(found)

    with pytest.raises(UnavailableError, match="changed 8 times"):
        respond(store, incident(0).incident_id, always_overtaken, lambda attempt: None)
