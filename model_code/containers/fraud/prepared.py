"""What Spark has prepared, read as arrays: vectors, labels, parts, and who is whose neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.split import PARTS
from watchkeeper.fraud.table import Labels, TransactionGraph, linked

FOLDER = "transactions"
_COLUMNS = ("id", "time", "label", "known_at", "split", "entities", "x")
_VERDICTS = {1: 1, 0: -1, -1: 0}
"""By the label in the files: 1 fraud, 0 legitimate, -1 unknown."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """The transactions of a run."""

    ids: NDArray[Any]
    graph: TransactionGraph
    parts: NDArray[np.int8]


def read_prepared(folder: Path, plan: FraudPlan) -> Prepared:
    """Read the Parquet files under `transactions/`, in the order of their names.

    Raises
    ------
    InvalidInputError
        If there are none, with reason `too_few_rows`.
    ContractViolationError
        If they are of another plan.
    """
    import pyarrow.parquet as pq

    files = sorted((folder / FOLDER).rglob("*.parquet"))
    if not files:
        raise InvalidInputError(
            f"no Parquet files under {FOLDER}/: nothing was prepared", reason="too_few_rows"
        )
    table = pq.read_table(files, columns=list(_COLUMNS)).combine_chunks()
    schema, n, n_relations = schema_of(plan), len(table), len(plan.relations)
    vectors = _flat(table["x"], n, len(schema.names), "x").astype(np.float32)
    entities = _flat(table["entities"], n, n_relations, "entities")
    verdicts = np.array([_VERDICTS[label] for label in (-1, 0, 1)], np.int8)[table["label"].to_numpy() + 1]
    known_at = table["known_at"].to_numpy(zero_copy_only=False).astype(np.float64)
    codes = {name: code for code, name in enumerate(PARTS)}
    ids = table["id"].to_numpy(zero_copy_only=False).astype(np.str_)
    graph = linked(
        vectors,
        table["time"].to_numpy().astype(np.float64),
        ids,
        [_codes(entities[:, at]) for at in range(n_relations)],
        Labels(verdicts, known_at),
        plan.neighbours,
    )
    parts = np.array([codes[name] for name in table["split"].to_pylist()], np.int8)
    return Prepared(ids, graph, parts)


def _flat(column: Any, n: int, width: int, name: str) -> NDArray[Any]:
    """Return a column of lists of one length as an array of shape (n, width)."""
    values = column.combine_chunks().flatten()
    if len(values) != n * width:
        raise ContractViolationError(
            f"column {name} has {len(values)} values in {n} rows, the plan has {width} a row: prepare again"
        )
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(n, width)


def _codes(keys: NDArray[Any]) -> NDArray[np.int64]:
    """Return a code for each key, -1 where there is none."""
    import pandas as pd

    return np.asarray(pd.factorize(keys)[0], np.int64)
