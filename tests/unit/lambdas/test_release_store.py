"""One suite for the fake release store and the series table's adapter."""

from __future__ import annotations

import dataclasses
import os

import pytest

from lambdas.adapters import clients
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore, moving
from lambdas.scoring.probing import CACHE_SECONDS, ReleaseCache
from tests.unit.lambdas.builders import WORKLOAD, make_release
from tests.unit.lambdas.conftest import SERIES_TABLE
from tests.unit.lambdas.fakes import FakeReleaseStore
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.judgement.moved import NOTHING_MOVED, MovedThresholds
from watchkeeper.lifecycle.release import StreamModel


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> ReleaseStore:
    if request.param == "fake":
        return FakeReleaseStore()
    request.getfixturevalue("aws")
    return TableReleaseStore(clients.dynamodb(), SERIES_TABLE)


def test_nothing_is_live_at_first(store: ReleaseStore) -> None:
    assert store.live(WORKLOAD) is None
    assert store.of_run(WORKLOAD, "run-1") is None
    assert store.staged(WORKLOAD) == []


def test_staged_release_is_found_by_its_run_and_not_live(store: ReleaseStore) -> None:
    release = make_release()
    store.stage(release)
    assert store.of_run(WORKLOAD, release.run_id) == release
    assert store.live(WORKLOAD) is None


def test_published_release_is_live(store: ReleaseStore) -> None:
    release = make_release()
    assert store.publish(release) is None
    assert store.live(WORKLOAD) == release


def test_publishing_returns_the_release_that_was_replaced_each_time(store: ReleaseStore) -> None:
    first, second = make_release(1), make_release(2)
    store.publish(first)
    assert store.publish(second) == first
    assert store.publish(second) == first
    assert store.live(WORKLOAD) == second


def test_older_run_never_replaces_a_newer_one(store: ReleaseStore) -> None:
    store.publish(make_release(2))
    with pytest.raises(ContractViolationError, match="newer run"):
        store.publish(make_release(1))
    assert store.live(WORKLOAD) == make_release(2)


def test_lists_releases_by_age_without_the_pointer(store: ReleaseStore) -> None:
    releases = [make_release(minute) for minute in (3, 1, 2)]
    for release in releases:
        store.stage(release)
    store.publish(releases[0])
    assert [release.run_id for release in store.staged(WORKLOAD)] == sorted(r.run_id for r in releases)


def test_live_release_is_the_first_candidate_and_then_the_newest(store: ReleaseStore) -> None:
    assert store.candidates(WORKLOAD) == []
    for minute in (1, 2, 3, 4):
        store.stage(make_release(minute))
    assert store.candidates(WORKLOAD) == []
    store.publish(make_release(2))
    assert store.candidates(WORKLOAD) == [make_release(minute) for minute in (2, 4, 3, 1)]


def test_moved_thresholds_lie_on_what_scoring_reads_and_on_nothing_that_is_stored(aws: object) -> None:
    client = clients.dynamodb()
    store = TableReleaseStore(client, SERIES_TABLE)
    assert store.moved(WORKLOAD) == NOTHING_MOVED
    releases = [make_release(1), make_release(2)]
    for release in releases:
        store.stage(release)
    store.publish(releases[0])
    for moved in (MovedThresholds({"above": {"pressure|device=a": 80.0}}), NOTHING_MOVED):
        client.transact_write_items(TransactItems=[{"Update": moving(SERIES_TABLE, WORKLOAD, moved)}])  # type: ignore[list-item]
        assert store.moved(WORKLOAD) == moved
        assert store.candidates(WORKLOAD) == [dataclasses.replace(each, moved=moved) for each in releases]
        assert (store.live(WORKLOAD), store.staged(WORKLOAD)) == (releases[0], releases)
    store.publish(releases[1])
    assert store.moved(WORKLOAD) == NOTHING_MOVED, "it outlives releases"


def test_more_moved_thresholds_than_an_item_has_room_for_are_refused() -> None:
    moved = MovedThresholds({"above": {os.urandom(99).hex(): 80.0 for _ in range(5000)}})
    with pytest.raises(InvalidInputError, match="5000 thresholds of pump"):
        moving(SERIES_TABLE, WORKLOAD, moved)


def test_removes_a_release_once_or_twice(store: ReleaseStore) -> None:
    release = make_release()
    store.stage(release)
    store.remove(WORKLOAD, release.run_id)
    store.remove(WORKLOAD, release.run_id)
    assert store.of_run(WORKLOAD, release.run_id) is None


def test_publication_at_the_same_time_is_noticed(aws: object) -> None:
    client = clients.dynamodb()
    TableReleaseStore(client, SERIES_TABLE).publish(make_release(1))

    class Overtaken(TableReleaseStore):
        def _pointer(self, workload: str):  # type: ignore[no-untyped-def]  # the overridden one has the types
            pointer = super()._pointer(workload)
            TableReleaseStore(client, SERIES_TABLE).publish(make_release(2))
            return pointer

    with pytest.raises(UnavailableError, match="at the same time"):
        Overtaken(client, SERIES_TABLE).publish(make_release(3))


def test_items_have_the_keys_that_others_read(aws: object) -> None:
    store = TableReleaseStore(clients.dynamodb(), SERIES_TABLE)
    store.stage(make_release())
    store.publish(make_release())
    items = clients.dynamodb().scan(TableName=SERIES_TABLE)["Items"]
    assert {(item["pk"]["S"], item["sk"]["S"]) for item in items} == {
        ("release#pump", make_release().run_id),
        ("release#pump", "LIVE"),
    }


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_first_release_takes_effect_at_once_and_later_ones_after_a_minute() -> None:
    store, clock = FakeReleaseStore(), Clock()
    cache = ReleaseCache(store, clock)
    assert cache.candidates(WORKLOAD) == ()
    store.release(make_release(1))
    assert cache.candidates(WORKLOAD) == (make_release(1),)
    store.release(make_release(2))
    assert cache.candidates(WORKLOAD) == (make_release(1),)
    clock.now = CACHE_SECONDS
    assert cache.candidates(WORKLOAD) == (make_release(2), make_release(1))


def test_a_release_of_a_streaming_detector_takes_effect_at_once() -> None:
    store = FakeReleaseStore()
    cache = ReleaseCache(store, Clock())
    first, second = (make_release(minute, stream=StreamModel({}, 3.75)) for minute in (1, 2))
    store.release(first)
    assert cache.candidates(WORKLOAD) == (first,)
    store.release(second)
    assert cache.candidates(WORKLOAD) == (second, first)


def test_releases_that_are_read_again_are_remembered() -> None:
    store = FakeReleaseStore()
    cache = ReleaseCache(store, Clock())
    store.release(make_release(1))
    cache.candidates(WORKLOAD)
    store.stage(make_release(2))
    assert cache.read_again(WORKLOAD) == (make_release(1), make_release(2))
    assert cache.candidates(WORKLOAD) == (make_release(1), make_release(2))


def test_going_back_makes_an_earlier_release_live_and_the_next_one_replaces_it(store: ReleaseStore) -> None:
    first, second, third = (make_release(minute) for minute in range(3))
    for release in (first, second):
        store.stage(release)
        store.publish(release)

    assert store.go_back(first) == second
    assert store.live(WORKLOAD) == first
    assert store.publish(third) == first
