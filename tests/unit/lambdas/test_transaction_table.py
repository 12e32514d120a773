"""What the API and the steps do with the table of graphs beside what every home does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lambdas.adapters import clients
from lambdas.fraud.dynamo_store import DynamoTransactionStore
from lambdas.fraud.entity_page import SPARE
from lambdas.fraud.store import Arrival, Filter, LiveTransaction, Loaded
from tests.unit.lambdas.fraud_builders import (
    PLAN,
    TABLE,
    WORKLOAD,
    create_table,
    stored,
    transaction,
    vector,
)
from watchkeeper.core.errors import UnavailableError
from watchkeeper.fraud.history import ConflictError, Decision, Label, Neighbourhood, Vector
from watchkeeper.fraud.transaction import Transaction

FLAGGED, PASSED = (Decision(prob, prob > 0.5, 0.5, "run-1") for prob in (0.9, 0.1))


@pytest.fixture
def store(aws: object) -> DynamoTransactionStore:
    create_table()
    return a_store()


def a_store() -> DynamoTransactionStore:
    store = DynamoTransactionStore(clients.dynamodb(), TABLE, PLAN)
    object.__setattr__(store._table, "pause", lambda attempt: None)
    return store


def arrival(number: int, arrived_at: str = "2026-01-01T00:00:00.000000Z", **entities: str) -> Arrival:
    return Arrival(transaction(number, None, **entities), {"id": f"t{number:03d}"}, arrived_at)


def count(target: Transaction, neighbourhood: Neighbourhood) -> Vector:
    """Features that tell how many were earlier at each relation."""
    return np.array([neighbourhood[relation].count for relation in ("card", "device")] + [0], np.float32)


def ids(found: Sequence[LiveTransaction]) -> list[str]:
    return [one.stored.transaction.id for one in found]


def test_transactions_of_one_request_see_each_other_in_the_order_of_their_times(
    store: DynamoTransactionStore,
) -> None:
    placed = store.place([arrival(3), arrival(1), arrival(2)], count)
    assert [one.stored.vector[0] for one in placed] == [2, 0, 1]
    assert all(one.new for one in placed)
    assert [one.id for one in placed[0].neighbourhood["card"].latest] == ["t002", "t001"]


def test_a_request_may_have_more_than_one_write_takes(store: DynamoTransactionStore) -> None:
    arrivals = [arrival(number, card=f"c{number % 40}", device=f"d{number % 7}") for number in range(60)]
    placed = store.place(arrivals, count)
    assert [one.stored.vector.tolist() for one in placed] == [[n // 40, n // 7, 0] for n in range(60)]
    assert store.neighbourhood(transaction(200, device="d0"))["device"].count == 9


def test_writes_of_wide_vectors_stay_below_what_one_write_may_have(
    aws: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_table()
    plan = replace(PLAN, numeric=tuple(f"V{number}" for number in range(3000)), neighbours=32)
    store = DynamoTransactionStore(clients.dynamodb(), TABLE, plan)
    write, writes = clients.dynamodb().transact_write_items, []

    def counted(**request: Any) -> Any:
        writes.append(request)
        return write(**request)

    monkeypatch.setattr(clients.dynamodb(), "transact_write_items", counted)
    noise = np.random.default_rng(0).normal(size=3020).astype(np.float32)
    store.load([replace(stored(number), vector=noise) for number in range(6)])
    assert len(writes) == 6
    assert store.neighbourhood(transaction(9))["card"].count == 6


def test_what_others_insert_meanwhile_is_in_the_neighbourhood(store: DynamoTransactionStore) -> None:
    other = a_store()
    seen: list[int] = []

    def features(target: Transaction, neighbourhood: Neighbourhood) -> Vector:
        if not seen:
            other.insert(stored(1))
        seen.append(neighbourhood["card"].count)
        return count(target, neighbourhood)

    (placed,) = store.place([arrival(2)], features)
    assert seen == [0, 1]
    assert placed.stored.vector[0] == 1


def test_entities_that_change_each_time_are_unavailable_and_nothing_is_kept(
    store: DynamoTransactionStore,
) -> None:
    other, numbers = a_store(), iter(range(10, 100))

    def features(target: Transaction, neighbourhood: Neighbourhood) -> Vector:
        other.insert(stored(next(numbers)))
        return count(target, neighbourhood)

    with pytest.raises(UnavailableError, match="t002"):
        store.place([arrival(2)], features)
    assert store.get("t002") is None


def test_a_repeated_transaction_keeps_vector_and_neighbourhood_of_its_own_time(
    store: DynamoTransactionStore,
) -> None:
    store.place([arrival(number) for number in (1, 2)], count)
    for number in range(3, 3 + 2 * SPARE):
        store.insert(stored(number))
    (again,) = store.place([arrival(2)], count)
    assert not again.new
    assert again.stored.vector[0] == 1
    assert [one.id for one in again.neighbourhood["card"].latest] == ["t001"]


@pytest.mark.parametrize(
    "arrivals", [[arrival(1, card="c9"), arrival(2)], [arrival(3), arrival(3, card="c9")]]
)
def test_of_a_request_with_a_conflict_nothing_is_inserted(
    store: DynamoTransactionStore, arrivals: list[Arrival]
) -> None:
    store.insert(stored(1))
    with pytest.raises(ConflictError):
        store.place(arrivals, count)
    assert store.get("t002") is None
    assert store.get("t003") is None


def test_the_same_transaction_twice_in_a_request_is_one(store: DynamoTransactionStore) -> None:
    first, second = store.place([arrival(1), arrival(1)], count)
    assert (first.new, second.new) == (True, False)
    assert store.neighbourhood(transaction(2))["card"].count == 1


def test_history_is_loaded_once_and_takes_labels_later(store: DynamoTransactionStore) -> None:
    history = [stored(number, label=Label(number % 2 == 0, number + 5.0)) for number in range(60)]
    assert store.load([replace(one, label=None) for one in history[:10]]) == Loaded(new=10)
    assert store.load(history) == Loaded(new=50, known=10, labelled=10)
    assert store.load(history) == Loaded(known=60)
    found = store.neighbourhood(transaction(62))["card"]
    assert (found.count, found.labelled, found.frauds, found.latest_fraud) == (60, 58, 29, 56.0)


def test_a_load_that_was_cut_off_is_finished_by_the_same_call(
    store: DynamoTransactionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = [stored(number, card=f"c{number}", device=f"d{number}") for number in range(60)]
    write, writes = store._table.client.transact_write_items, []

    def dies(**request: Any) -> Any:
        writes.append(request)
        if len(writes) == 2:
            raise KeyboardInterrupt
        return write(**request)

    monkeypatch.setattr(store._table.client, "transact_write_items", dies)
    with pytest.raises(KeyboardInterrupt):
        store.load(history)
    done = store.load(history)
    assert done.new
    assert done.known
    assert done.new + done.known == 60
    assert all(
        store.neighbourhood(transaction(99, card=f"c{number}"))["card"].count == 1 for number in range(60)
    )


def arrived(minute: int) -> str:
    return f"2026-01-01T00:{minute:02d}:00.000000Z"


@pytest.fixture
def live(store: DynamoTransactionStore) -> DynamoTransactionStore:
    """Twelve that came through the API, every third one flagged; before them two of the history."""
    store.load([stored(number) for number in (1, 2)])
    for number in range(10, 22):
        store.place([arrival(number, arrived(number))], count)
        store.keep_answer(f"t{number:03d}", FLAGGED if number % 3 == 0 else PASSED)
    return store


def test_what_came_through_the_api_is_listed_page_by_page_the_newest_first(
    live: DynamoTransactionStore,
) -> None:
    pages, start = [], None
    while True:
        page = live.listed(Filter(), 5, start)
        pages.append(ids(page.found))
        start = page.following
        if start is None:
            break
    assert [id_ for page in pages for id_ in page] == [f"t{number:03d}" for number in range(21, 9, -1)]
    assert [len(page) for page in pages] == [5, 5, 2]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(flag=True), [21, 18, 15, 12]),
        (Filter(flag=True, since=arrived(15)[:-1], until=arrived(21)), [18, 15]),
        (Filter(label="fraud"), [11]),
        (Filter(label="unknown", until=arrived(13)), [12, 10]),
        (Filter(since=arrived(20)), [21, 20]),
    ],
)
def test_filters_take_what_they_say(
    live: DynamoTransactionStore, wanted: Filter, expected: Sequence[int]
) -> None:
    live.label("t011", Label(True, 99.0, "analyst"))
    assert ids(live.listed(wanted, 100, None).found) == [f"t{number:03d}" for number in expected]


def test_an_export_has_each_transaction_once_with_its_label_and_fields(live: DynamoTransactionStore) -> None:
    live.label("t001", Label(True, 99.0, "analyst"), reported_at=arrived(30))
    live.label("t011", Label(False, 99.0, "analyst"), reported_at=arrived(31))
    found: list[LiveTransaction] = []
    cursor = None
    while True:
        more, cursor = live.live(cursor, 4)
        found += more
        if cursor is None:
            break
    assert ids(found) == [*(f"t{number:03d}" for number in range(10, 22)), "t001"]
    by_id: Mapping[str, LiveTransaction] = {one.stored.transaction.id: one for one in found}
    assert by_id["t011"].fields == {"id": "t011"}
    assert by_id["t011"].stored.label == Label(False, 99.0, "analyst")
    assert by_id["t001"].fields is None
    assert by_id["t001"].arrived_at == arrived(30)


def test_a_workload_is_emptied_without_its_neighbour(live: DynamoTransactionStore) -> None:
    other = DynamoTransactionStore(clients.dynamodb(), TABLE, replace(PLAN, workload=f"{WORKLOAD}_2"))
    other.insert(stored(1))
    assert live.empty() > 14
    assert live.get("t010") is None
    assert live.neighbourhood(transaction(50))["card"].count == 0
    assert live.listed(Filter(), 10, None).found == []
    assert other.get("t001") is not None
    assert live.empty() == 0


def test_other_features_begin_a_graph_anew_and_keep_answers(live: DynamoTransactionStore) -> None:
    wider = DynamoTransactionStore(clients.dynamodb(), TABLE, replace(PLAN, numeric=("distance", "age")))
    assert wider.neighbourhood(transaction(50))["card"].count == 0
    history = [replace(stored(number), vector=np.full(4, number, np.float32)) for number in (1, 2, 10, 11)]
    assert wider.load(history) == wider.load(history) == Loaded(known=4)
    found = wider.neighbourhood(transaction(50))["card"]
    assert [one.vector.tolist() for one in found.latest] == [[11] * 4, [10] * 4, [2] * 4]
    kept = wider.get("t010")
    assert kept
    assert (kept.vector.tolist(), kept.decision) == ([10] * 4, PASSED)


def test_long_entities_are_told_apart(store: DynamoTransactionStore) -> None:
    store.insert(stored(1, card="x" * 2000))
    assert store.neighbourhood(transaction(2, card="x" * 2000))["card"].count == 1
    assert store.neighbourhood(transaction(2, card="x" * 2001))["card"].count == 0


def test_vectors_lose_no_bit(store: DynamoTransactionStore) -> None:
    store.insert(stored(1))
    (found,) = store.neighbourhood(transaction(2))["card"].latest
    assert found.vector.tobytes() == vector(1).tobytes()
    assert found.vector.dtype == np.float32
