"""Incidents in their table, and in the fake of the other tests: one suite for both."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.adapters import clients
from lambdas.adapters.incident_store import Book, IncidentStore, TableIncidents
from tests.unit.lambdas.conftest import INCIDENTS_TABLE
from tests.unit.lambdas.fakes import FakeIncidentStore
from tests.unit.watchkeeper.incidents.anomalies import EPOCH, INTERVAL, anomaly
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.incidents.feedback import Label, verdict_of
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import notice_of
from watchkeeper.incidents.progress import Change
from watchkeeper.incidents.summary import Told, summary_of

RULE = GroupingRule(gap_seconds=INTERVAL)
NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> IncidentStore:
    if request.param == "fake":
        return FakeIncidentStore()
    request.getfixturevalue("aws")
    return TableIncidents(clients.dynamodb(), INCIDENTS_TABLE, pause=lambda attempt: None)


def incident(interval: int, series: str = "no2", **changes: Any) -> Incident:
    [found] = incidents_of([anomaly(series, interval)], RULE)
    return dataclasses.replace(found, **changes)


def commit(store: IncidentStore, *incidents: Incident, **change: Any) -> bool:
    book = store.book("air")
    return store.commit("air", book, Book(last=book.last + 1), Change(incidents, **change))


def test_reads_back_what_was_written(store: IncidentStore) -> None:
    assert (store.book("air"), store.books()) == (Book(), {})
    first, later, closed = incident(0), incident(10), incident(5, state="closed")
    assert commit(store, later, first, closed)
    assert store.books() == {"air": Book(changes=1, last=1)}
    assert store.between("air", EPOCH, later.opened) == [first, closed, later]
    assert store.between("air", EPOCH + 1, later.opened - 1) == [closed]
    assert store.between("air", EPOCH, later.opened, open_only=True) == [first, later]
    assert store.between("other", EPOCH, later.opened) == []
    assert (store.find(first.incident_id), store.find("nothing")) == (first, None)


def test_a_change_of_an_earlier_book_writes_nothing(store: IncidentStore) -> None:
    early = store.book("air")
    commit(store, incident(0))
    assert not store.commit(
        "air", early, Book(), Change((incident(5),), (), (notice_of("opened", incident(5)),))
    )
    commit(store, incident(0))
    seen = store.book("air")
    commit(store, incident(1))
    assert not store.commit("air", seen, Book(), Change((incident(5),)))
    assert store.find(incident(5).incident_id) is None
    assert [sending.notices for _, sending in store.unsent("air")] == [()] * 3
    assert [number for number, _ in store.changes("air", 0, 9)] == [1, 2, 3]


def test_the_newest_are_listed_in_short_part_by_part(store: IncidentStore) -> None:
    first, middle, last = incident(0), incident(5, state="closed"), incident(10)
    gone = incident(7, merged_into=last.incident_id)
    commit(store, middle, first, last)
    store.point([gone])
    found, end = store.newest("air", EPOCH, last.opened, 2)
    assert (found, end is None) == ([summary_of(last)], False)
    assert store.newest("air", EPOCH, last.opened, 2, end)[0] == [summary_of(middle), summary_of(first)]
    assert store.newest("air", EPOCH + 1, last.opened - 1, 9) == ([summary_of(middle)], None)
    assert store.newest("other", EPOCH, last.opened, 9) == ([], None)


def test_the_log_has_each_change_under_its_number(store: IncidentStore) -> None:
    commit(store, incident(0), incident(5))
    gone = incident(5, merged_into=incident(0).incident_id)
    commit(store, incident(0, severity=99.0), merged=(gone,))
    [(one, opened), (two, joined)] = store.changes("air", 0, 9)
    assert (one, two) == (1, 2)
    assert [event.id for event in opened] == [f"{incident(n).incident_id}:1" for n in (0, 5)]
    assert [event.detail["severity"] for event in joined] == [99.0, gone.severity]
    assert joined[1].detail["merged_into"] == incident(0).incident_id
    assert store.changes("air", 1, 9) == [(2, joined)]
    assert store.changes("air", 0, 1) == [(1, opened)]
    assert store.unsent("air")[1][1].events == tuple(event.to_dict() for event in joined)


def test_an_incident_that_is_in_another_is_found_there(store: IncidentStore) -> None:
    one, two, three = incident(0), incident(2), incident(4)
    commit(store, one, two, three)
    store.point([dataclasses.replace(three, merged_into=two.incident_id)])
    store.point([dataclasses.replace(two, merged_into=one.incident_id)])
    assert store.find(three.incident_id) == one
    assert store.between("air", EPOCH, EPOCH + 9000) == [one]


def test_what_is_to_be_made_known_stays_until_it_is_sent(store: IncidentStore) -> None:
    one, two = incident(0), incident(2)
    commit(store, one, notices=(notice_of("opened", one, anomaly("no2", 0)),))
    commit(store, two, merged=(dataclasses.replace(one, merged_into=two.incident_id),))
    (first, opened), (second, joined) = store.unsent("air")
    assert [(each.what, each.incident) for each in opened.notices] == [("opened", one)]
    assert [each.incident_id for each in joined.merged] == [one.incident_id]
    store.sent("air", first)
    assert [key for key, _ in store.unsent("air")] == [second]


def test_ten_thousand_series_are_kept_whole_in_items_that_dynamodb_takes(aws: object) -> None:
    store = TableIncidents(clients.dynamodb(), INCIDENTS_TABLE)
    events = [
        anomaly(f"no2|station={index:05}", 0, score=1 + index / 7919, observed=math.sin(index))
        for index in range(10_000)
    ]
    [large] = incidents_of(events, GroupingRule(gap_seconds=INTERVAL))
    assert commit(store, large, notices=(notice_of("opened", large, events[0]),))
    [read] = store.between("air", EPOCH, EPOCH)
    assert read == large
    parts = _parts()
    assert len(parts) > 1
    [(_, sending)] = store.unsent("air")
    [notice] = sending.notices
    assert len(notice.incident.touched) + notice.incident.left_out["touched"] == 10_000

    grown = dataclasses.replace(large, severity=99.0)
    assert commit(store, grown)
    assert store.find(large.incident_id) == grown
    assert len(_parts()) == len(parts)
    assert not {*parts} & {*_parts()}

    store.point([dataclasses.replace(grown, touched=(), merged_into="other")])
    assert _parts() == []


def _parts() -> list[str]:
    items = clients.dynamodb().scan(TableName=INCIDENTS_TABLE)["Items"]
    assert max(len(item["document"].get("B", b"")) for item in items if "document" in item) <= 200_000
    return [item["sk"]["S"] for item in items if item["pk"]["S"].startswith("parts#")]


def test_one_incident_that_joins_ten_thousand_points_to_them_all(aws: object) -> None:
    store = TableIncidents(clients.dynamodb(), INCIDENTS_TABLE)
    one = incident(0)
    others = tuple(
        dataclasses.replace(one, incident_id=f"{index:016x}", merged_into=one.incident_id)
        for index in range(10_000)
    )
    assert commit(store, one, merged=others)
    assert sum(len(sending.merged) for _, sending in store.unsent("air")) == 10_000


def test_a_conflict_is_tried_again_and_another_refusal_is_none(
    aws: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, pauses = clients.dynamodb(), list[int]()
    store = TableIncidents(client, INCIDENTS_TABLE, pause=pauses.append)

    def refuse(reason: str) -> None:
        response: Any = {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": [{"Code": "None"}, {"Code": reason}],
        }

        def transact(**request: object) -> None:
            raise ClientError(response, "TransactWriteItems")

        monkeypatch.setattr(client, "transact_write_items", transact)

    refuse("TransactionConflict")
    with pytest.raises(UnavailableError, match="8 times"):
        commit(store, incident(0))
    assert len(pauses) == 8
    refuse("ItemCollectionSizeLimitExceeded")
    with pytest.raises(ContractViolationError):
        commit(store, incident(0))


def test_verdicts_are_kept_in_the_change_that_gives_them_and_taken_back(store: IncidentStore) -> None:
    first, second = (verdict_of(incident(at), "noise", "mia", NOW) for at in (0, 5))
    assert commit(store, incident(0), incident(5), verdicts=(first, second))
    assert store.verdicts("air") == sorted([first, second], key=lambda each: each.incident_id)
    real = verdict_of(incident(0), "real", "mia", NOW)
    assert commit(store, incident(0), verdicts=(real,), withdrawn=(second,))
    assert store.verdicts("air") == [real]
    assert not store.commit("air", Book(), Book(), Change((incident(0),), withdrawn=(real,)))
    assert (store.verdicts("air"), store.verdicts("other")) == ([real], [])


def test_labels_are_kept_until_they_are_taken_back_and_told_with_the_change(store: IncidentStore) -> None:
    label = Label("air", "no2|station=B", 1_704_067_200, 1_704_067_800, 300, "2024-01-02T00:00:00Z", "mia")
    told = Told("label", label.label_id, {"what": "marked"})
    assert commit(store, labels=(label,), told=(told,))
    assert (store.labels("air"), store.labels("other")) == ([label], [])
    [(number, [event])] = store.changes("air", 0, 10)
    assert (event.id, event.kind, event.detail) == (f"{label.label_id}:{number}", "label", {"what": "marked"})
    assert commit(store, unlabelled=(label,))
    assert store.labels("air") == []


def test_a_verdict_of_ten_thousand_series_is_one_item(aws: object) -> None:
    store = TableIncidents(clients.dynamodb(), INCIDENTS_TABLE)
    events = [anomaly(f"no2|station={index:05}", 0, severity=75 + index / 791.9) for index in range(10_000)]
    [large] = incidents_of(events, GroupingRule(gap_seconds=INTERVAL))
    verdict = verdict_of(large, "expected", "mia", NOW)
    assert commit(store, large, verdicts=(verdict,))
    assert store.verdicts("air") == [verdict]
