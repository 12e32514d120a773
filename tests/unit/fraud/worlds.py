"""A generated world as Spark prepares it, small enough to learn from in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.fraud.test_table import table_of
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.fraud.generator import LABEL_COLUMN, World, rows_of
from watchkeeper.fraud.plan import FraudPlan, LabelPlan, RelationPlan
from watchkeeper.fraud.split import PARTS, boundaries_of, parts_of
from watchkeeper.fraud.table import TransactionGraph, graph_of_table
from watchkeeper.fraud.transaction import read_transaction

WORLD = World(customers=300, terminals=60, transactions_a_day=90, fraud_share=0.06)
WORLD_PLAN = FraudPlan(
    workload="world",
    id_field="TransactionID",
    timestamp=TimestampPlan("TransactionDT", "epoch_seconds"),
    amount_field="TransactionAmt",
    label=LabelPlan(LABEL_COLUMN, delay_seconds=86_400.0),
    relations=tuple(
        RelationPlan(name, (column,))
        for name, column in (("card", "card1"), ("device", "DeviceInfo"), ("terminal", "terminal"))
    ),
    numeric=("dist1", "V1", "V2"),
    categorical=("ProductCD", "DeviceType"),
    neighbours=4,
)


def world_rows(days: int = 40) -> list[dict[str, Any]]:
    return [{**row.fields, LABEL_COLUMN: int(row.fraud)} for row in rows_of(WORLD.table(days))]


def prepared_world(rows: list[dict[str, Any]]) -> tuple[TransactionGraph, Any]:
    graph = graph_of_table(table_of(rows, WORLD_PLAN), WORLD_PLAN)
    boundaries = boundaries_of(graph.times, WORLD_PLAN.history.split)
    return graph, parts_of(graph.times, graph.labels, boundaries)


def write_prepared(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write the Parquet files of the processing job, in two of which one has the later rows."""
    graph, parts = prepared_world(rows)
    read = [read_transaction(row, WORLD_PLAN) for row in rows]
    verdicts = graph.labels.verdicts.astype(int)
    table = pa.table(
        {
            "id": [one.id for one in read],
            "time": graph.times,
            "amount": [one.amount for one in read],
            "entities": [
                [one.entities.get(relation.name) for relation in WORLD_PLAN.relations] for one in read
            ],
            "label": pa.array(np.where(verdicts == 0, -1, verdicts > 0), pa.int8()),
            "known_at": pa.array(graph.labels.known_at, mask=verdicts == 0),
            "split": [PARTS[part] for part in parts],
            "x": pa.array(graph.vectors.tolist(), pa.list_(pa.float32())),
        }
    )
    target = folder / "transactions"
    target.mkdir(parents=True)
    pq.write_table(table.slice(0, 1000), target / "part-00000.parquet")
    pq.write_table(table.slice(1000), target / "part-00001.parquet")
