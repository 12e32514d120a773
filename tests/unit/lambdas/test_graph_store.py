"""One suite for every home of the graph: the memory that says what is right, and the table."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from lambdas.adapters import clients
from lambdas.fraud.dynamo_store import DynamoTransactionStore
from lambdas.fraud.entity_page import SPARE
from tests.unit.fraud.memory import MemoryStore
from tests.unit.lambdas.fraud_builders import (
    NEIGHBOURS,
    PLAN,
    TABLE,
    create_table,
    stored,
    transaction,
    vector,
)
from watchkeeper.fraud.history import (
    ConflictError,
    Decision,
    EntityHistory,
    GraphStore,
    Inserted,
    Known,
    Label,
    UnknownTransactionError,
)

DECISION = Decision(0.9, True, 0.5, "run-1", ({"relation": "card", "contribution": 0.3},))


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> GraphStore:
    if request.param == "memory":
        return MemoryStore(NEIGHBOURS)
    request.getfixturevalue("aws")
    return table_store()


def table_store() -> DynamoTransactionStore:
    create_table()
    return DynamoTransactionStore(clients.dynamodb(), TABLE, PLAN)


def told(neighbourhood: Mapping[str, EntityHistory]) -> dict[str, object]:
    """Return everything that a neighbourhood says, to be compared."""
    return {
        relation: (
            [(one.id, one.time, one.vector.tobytes(), one.label_at(float("inf"))) for one in history.latest],
            history.count,
            history.labelled,
            history.frauds,
            history.latest_fraud,
        )
        for relation, history in neighbourhood.items()
    }


def test_an_entity_never_seen_has_an_empty_history(store: GraphStore) -> None:
    found = store.neighbourhood(transaction(1))
    assert told(found) == told({"card": EntityHistory(), "device": EntityHistory()})


def test_a_relation_without_an_entity_has_no_history(store: GraphStore) -> None:
    store.insert(stored(1, card="c1"))
    assert list(store.neighbourhood(transaction(2, card="c1"))) == ["card"]


def test_the_latest_earlier_transactions_come_first_with_their_own_vectors(store: GraphStore) -> None:
    for number in range(1, 6):
        assert isinstance(store.insert(stored(number)), Inserted)
    history = store.neighbourhood(transaction(6))["card"]
    assert [one.id for one in history.latest] == ["t005", "t004", "t003"]
    assert history.count == 5
    np.testing.assert_array_equal(history.latest[0].vector, vector(5))


def test_of_two_transactions_at_one_time_the_smaller_id_is_earlier(store: GraphStore) -> None:
    store.insert(stored(1, time=7.0))
    store.insert(stored(2, time=7.0))
    assert store.neighbourhood(transaction(1, time=7.0))["card"].count == 0
    assert [one.id for one in store.neighbourhood(transaction(2, time=7.0))["card"].latest] == ["t001"]


def test_the_same_transaction_twice_is_one_node(store: GraphStore) -> None:
    store.insert(stored(1))
    again = store.insert(replace(stored(1), vector=vector(99)))
    assert isinstance(again, Known)
    np.testing.assert_array_equal(again.stored.vector, vector(1))
    assert store.neighbourhood(transaction(2))["card"].count == 1


@pytest.mark.parametrize("other", [stored(1, card="c2"), stored(1, time=1.5)])
def test_an_id_with_other_content_is_a_conflict_and_changes_nothing(store: GraphStore, other: object) -> None:
    store.insert(stored(1))
    with pytest.raises(ConflictError, match="t001"):
        store.insert(other)  # type: ignore[arg-type]
    assert store.neighbourhood(transaction(2, card="c2"))["card"].count == 0
    assert store.neighbourhood(transaction(2))["card"].count == 1


def test_a_transaction_that_comes_late_sees_what_was_earlier_and_is_seen_by_what_is_later(
    store: GraphStore,
) -> None:
    for number in (1, 2, 9):
        store.insert(stored(number))
    assert [one.id for one in store.neighbourhood(transaction(5))["card"].latest] == ["t002", "t001"]
    store.insert(stored(5))
    assert [one.id for one in store.neighbourhood(transaction(10))["card"].latest] == ["t009", "t005", "t002"]


def test_a_label_counts_from_the_time_at_which_it_is_known(store: GraphStore) -> None:
    store.insert(stored(1))
    assert store.label("t001", Label(True, known_at=5.0, by="analyst"))
    before, after = (store.neighbourhood(transaction(number))["card"] for number in (4, 5))
    assert (before.labelled, before.frauds, before.latest_fraud) == (0, 0, None)
    assert (after.labelled, after.frauds, after.latest_fraud) == (1, 1, 1.0)
    assert after.latest[0].label_at(5.0) == 1
    found = store.get("t001")
    assert found
    assert found.label == Label(True, 5.0, "analyst")


def test_the_same_verdict_again_changes_nothing(store: GraphStore) -> None:
    store.insert(stored(1))
    store.label("t001", Label(True, 5.0))
    assert not store.label("t001", Label(True, 6.0))
    assert store.neighbourhood(transaction(5))["card"].labelled == 1


def test_another_verdict_replaces_the_first(store: GraphStore) -> None:
    store.insert(stored(1))
    store.label("t001", Label(True, 5.0))
    assert store.label("t001", Label(False, 6.0))
    history = store.neighbourhood(transaction(7))["card"]
    assert (history.labelled, history.frauds, history.latest_fraud) == (1, 0, None)


def test_what_is_not_there_takes_neither_answer_nor_label(store: GraphStore) -> None:
    assert store.get("t001") is None
    with pytest.raises(UnknownTransactionError, match="t001"):
        store.answer("t001", DECISION)
    with pytest.raises(UnknownTransactionError, match="t001"):
        store.label("t001", Label(True, 5.0))


def test_the_first_answer_stays(store: GraphStore) -> None:
    store.insert(stored(1))
    store.answer("t001", DECISION)
    store.answer("t001", replace(DECISION, pred_prob=0.1, flag=False))
    again = store.insert(stored(1))
    assert isinstance(again, Known)
    assert again.stored.decision == DECISION


def test_the_table_answers_as_the_memory_whatever_comes_in_whatever_order(aws: object) -> None:
    """Late transactions, labels that are known later, and verdicts that change, of entities with many."""
    table, memory = table_store(), MemoryStore(NEIGHBOURS)
    chance = random.Random(7)
    for step in range(50):
        drawn = chance.random()
        if drawn < 0.55 or step < 10:
            time = float(step) if chance.random() < 0.7 else float(chance.randrange(step + 1))
            card = chance.choice(["c1", "c1", "c1", "c2"])
            label = Label(chance.random() < 0.5, time + chance.choice([0, 1, 40])) if drawn < 0.25 else None
            new = stored(step, time, label, card=card, device="d1")
            assert type(table.insert(new)) is type(memory.insert(new))
        elif drawn < 0.8:
            id_ = f"t{chance.randrange(step):03d}"
            known = memory.get(id_)
            if known is None:
                continue
            at = max(known.transaction.time, float(step) + chance.choice([-20, -1, 0, 0, 30]))
            label = Label(chance.random() < 0.4, at, "analyst")
            assert table.label(id_, label) == memory.label(id_, label)
        time = float(step) if chance.random() < 0.5 else float(chance.randrange(step + 20))
        target = transaction(500 + step, time, card=chance.choice(["c1", "c2"]), device="d1")
        assert told(table.neighbourhood(target)) == told(memory.neighbourhood(target)), step
    assert memory.neighbourhood(transaction(999))["device"].count > 2 * (NEIGHBOURS + SPARE)
