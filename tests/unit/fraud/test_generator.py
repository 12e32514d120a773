"""The generated world: the same for the same seed, in the order of time, with the frauds that it promises."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.generator import (
    AMOUNT_LIMIT,
    IDENTITY_COLUMNS,
    LABEL_COLUMN,
    SCENARIOS,
    TRANSACTION_COLUMNS,
    Columns,
    World,
    rows_of,
)

WORLD = World(customers=1_000, terminals=200, transactions_a_day=500, fraud_share=0.04)


@pytest.fixture(scope="module")
def table() -> Columns:
    return WORLD.table(30)


def test_a_day_is_the_same_however_it_is_reached(table: Columns) -> None:
    day = World(customers=1_000, terminals=200, transactions_a_day=500, fraud_share=0.04).day(20)
    first = np.searchsorted(table["TransactionID"], day["TransactionID"][0])
    for name, values in day.items():
        np.testing.assert_array_equal(table[name][first : first + len(values)], values, err_msg=name)


def test_another_seed_is_another_world() -> None:
    assert World(seed=1).day(0)["card1"].tolist() != World(seed=2).day(0)["card1"].tolist()


def test_transactions_come_in_the_order_of_time_with_ids_of_their_own(table: Columns) -> None:
    assert (np.diff(table["TransactionDT"]) >= 0).all()
    assert (np.diff(table["TransactionID"]) > 0).all()


def test_about_the_share_that_was_asked_for_is_fraud_of_every_scenario(table: Columns) -> None:
    assert 0.02 < table[LABEL_COLUMN].mean() < 0.06
    assert set(np.unique(table["scenario"])) == set(range(len(SCENARIOS)))
    assert ((table["scenario"] > 0) == (table[LABEL_COLUMN] == 1)).all()
    assert (table[LABEL_COLUMN][table["TransactionAmt"] > AMOUNT_LIMIT] == 1).all()


def test_a_world_without_fraud_has_only_amounts_beyond_the_limit() -> None:
    table = World(customers=500, terminals=100, fraud_share=0.0).table(5)
    assert set(np.unique(table["scenario"])) <= {0, 1}


def test_a_ring_has_many_cards_behind_few_devices(table: Columns) -> None:
    ring = (table["scenario"] == SCENARIOS.index("ring")) & (table["DeviceInfo"] != "")
    cards, devices = np.unique(table["card1"][ring]), np.unique(table["DeviceInfo"][ring])
    assert len(cards) > 2 * len(devices)


def test_rows_have_the_columns_of_both_tables_and_no_empty_ones(table: Columns) -> None:
    known = {*TRANSACTION_COLUMNS, *IDENTITY_COLUMNS}
    rows = list(itertools.islice(rows_of(table), 500))
    assert all(set(row.fields) <= known and "" not in row.fields.values() for row in rows)
    assert any("DeviceInfo" in row.fields for row in rows)
    assert any("DeviceInfo" not in row.fields for row in rows)
    assert [row.fraud for row in rows] == (table[LABEL_COLUMN][:500] == 1).tolist()


def test_a_stream_begins_on_the_day_that_is_asked_for() -> None:
    first = next(WORLD.stream(first_day=12))
    assert first.fields["TransactionDT"] >= WORLD.start + 12 * 86_400


def test_a_world_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"share between 0 and 0\.2"):
        World(fraud_share=0.5)
    with pytest.raises(InvalidInputError, match="transactions a day"):
        World(transactions_a_day=0)
