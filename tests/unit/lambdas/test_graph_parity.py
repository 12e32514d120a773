"""What is scored online is what training has computed of the same transactions."""

from __future__ import annotations

from typing import Any

import numpy as np

from lambdas.adapters import clients
from lambdas.fraud.dynamo_store import DynamoTransactionStore
from lambdas.fraud.store import Arrival, Placed
from tests.unit.fraud.test_table import table_of
from tests.unit.fraud.worlds import WORLD_PLAN, world_rows
from tests.unit.lambdas.fraud_builders import TABLE, create_table
from watchkeeper.fraud.ego import ego_of, stacked
from watchkeeper.fraud.features import vector_of
from watchkeeper.fraud.history import Label
from watchkeeper.fraud.table import graph_of_table
from watchkeeper.fraud.transaction import read_label, read_transaction

ROWS, AT_ONCE = 110, 55
UNKNOWN = 2


def test_vectors_and_ego_rows_of_the_table_are_those_of_training(aws: object) -> None:
    create_table()
    store = DynamoTransactionStore(clients.dynamodb(), TABLE, WORLD_PLAN)
    field = WORLD_PLAN.label.field
    rows = [row if row[field] else {**row, field: UNKNOWN} for row in world_rows(days=5)[:ROWS]]
    graph = graph_of_table(table_of(rows, WORLD_PLAN), WORLD_PLAN)

    placed: list[Placed] = []
    for first in range(0, ROWS, AT_ONCE):
        batch = rows[first : first + AT_ONCE]
        placed += store.place(
            [Arrival(read_transaction(row, WORLD_PLAN), row, "2026-01-01") for row in batch],
            lambda transaction, around: vector_of(transaction, around, WORLD_PLAN),
        )
        for row in batch:
            report(store, row)

    np.testing.assert_array_equal(np.stack([one.stored.vector for one in placed]), graph.vectors)
    online = stacked(
        [
            ego_of(one.stored.vector, one.stored.transaction.time, one.neighbourhood, WORLD_PLAN)
            for one in placed
        ]
    ).to_flat()
    np.testing.assert_allclose(online, graph.ego_rows(np.arange(ROWS)).to_flat(), rtol=0, atol=1e-5)
    assert graph.latest[:, :, 0].max() > 0, "some have neighbours"


def report(store: DynamoTransactionStore, row: dict[str, Any]) -> None:
    """Report a fraud as the history has it: known after the label's delay."""
    if read_label(row, WORLD_PLAN):
        transaction = read_transaction(row, WORLD_PLAN)
        known_at = transaction.time + WORLD_PLAN.label.delay_seconds
        assert store.label(transaction.id, Label(True, known_at))
