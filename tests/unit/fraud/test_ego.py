"""Flat ego rows, and the store in memory that others are held to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.fraud.memory import MemoryStore
from tests.unit.fraud.plans import PLAN, random_rows, row
from tests.unit.fraud.test_table import offline
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.ego import from_flat, shape_of
from watchkeeper.fraud.features import vector_of
from watchkeeper.fraud.history import (
    ConflictError,
    Decision,
    Inserted,
    Known,
    Label,
    StoredTransaction,
    UnknownTransactionError,
)
from watchkeeper.fraud.transaction import read_transaction

DECISION = Decision(0.25, False, 0.5, "v1")


def stored(**fields: object) -> StoredTransaction:
    transaction = read_transaction(row(**fields), PLAN)
    return StoredTransaction(transaction, vector_of(transaction, {}, PLAN))


def test_flat_rows_are_read_back() -> None:
    rows = offline(random_rows(50, 0), PLAN).ego_rows(np.arange(50))
    flat = rows.to_flat()
    assert flat.dtype == np.float32
    assert flat.shape == (50, shape_of(PLAN).width)
    read = from_flat(flat, shape_of(PLAN))
    for name in ("x", "neighbours", "edges", "mask"):
        np.testing.assert_array_equal(getattr(read, name), getattr(rows, name))


def test_rows_of_another_plan_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="2 relations, 4 neighbours") as refused:
        from_flat(np.zeros((1, 3)), shape_of(PLAN))
    assert refused.value.reason == "wrong_width"


def test_a_mask_between_0_and_1_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="mask"):
        from_flat(np.full((1, shape_of(PLAN).width), 0.5), shape_of(PLAN))


def test_the_same_transaction_is_inserted_once() -> None:
    store = MemoryStore(4)
    first = stored()
    assert isinstance(store.insert(first), Inserted)
    store.answer("t1", DECISION)
    again = store.insert(stored())
    assert isinstance(again, Known)
    assert again.stored.decision == DECISION
    later = read_transaction(row(id="t2", at=2000), PLAN)
    assert store.neighbourhood(later)["card"].count == 1


def test_the_same_id_with_other_content_is_a_conflict() -> None:
    store = MemoryStore(4)
    store.insert(stored())
    with pytest.raises(ConflictError, match="'t1'"):
        store.insert(stored(amount=99))


def test_a_label_counts_once_and_may_be_corrected() -> None:
    store = MemoryStore(4)
    store.insert(stored())
    later = read_transaction(row(id="t2", at=2000), PLAN)
    assert store.label("t1", Label(True, 1500.0, "ann"))
    assert not store.label("t1", Label(True, 1600.0, "bob"))
    card = store.neighbourhood(later)["card"]
    assert (card.labelled, card.frauds, card.latest_fraud) == (1, 1, 1000.0)
    assert store.label("t1", Label(False, 1700.0, "ann"))
    card = store.neighbourhood(later)["card"]
    assert (card.labelled, card.frauds, card.latest_fraud) == (1, 0, None)


def test_what_is_not_there_has_neither_label_nor_answer() -> None:
    store = MemoryStore(4)
    with pytest.raises(UnknownTransactionError, match="'t9'"):
        store.label("t9", Label(True, 0.0))
    with pytest.raises(UnknownTransactionError):
        store.answer("t9", DECISION)


def test_a_late_transaction_sees_only_what_was_before_it() -> None:
    store = MemoryStore(4)
    for number, at in enumerate((100, 200, 300)):
        store.insert(stored(id=f"t{number}", at=at))
    late = store.neighbourhood(read_transaction(row(id="late", at=250), PLAN))
    assert [one.id for one in late["card"].latest] == ["t1", "t0"]
    assert late["card"].count == 2
