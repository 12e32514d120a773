"""Before a deployment: the graph store gets what Spark made of the history.

The API has to know an entity's earlier transactions before it can answer for the next one. Loading is
repeated: a transaction that the store has, loaded by an earlier run or sent by the API, stays as it is there,
and its entities are not counted again. A call ends before its function does, and the next one goes on.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from aws_lambda_powertools import Logger

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.adapters.run_documents import read_plan_of
from lambdas.fraud.store import Loaded
from lambdas.fraud.stores import INSERTING
from lambdas.loading.effects import BUDGET_SECONDS, LoadingEffects
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.fraud.history import Label, StoredTransaction
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.transaction import Transaction
from watchkeeper.lifecycle.run import TrainingRun

CHUNK = 500
"""Transactions that the store takes at once."""
TRANSACTIONS, PARQUET = "transactions/", ".parquet"
DONE = "_DONE"
"""Written last by the job that makes the graph."""
FRAUDULENT, UNKNOWN = 1, -1
"""Of the column `label`."""


@dataclass(frozen=True, kw_only=True)
class LoadGraphEnvironment(StepEnvironment):
    """What `load_graph` is told when it is deployed."""

    service: ClassVar[str] = "load_graph"
    purpose: ClassVar[str] = "Loads a run's transactions into the graph store"
    calls: ClassVar[AwsCalls] = AwsCalls(
        reads=(RUN_KEYS,), lists=(RUNS_PREFIX,), writes=(RUN_KEYS,), transactions=INSERTING
    )

    transactions_table: str


logger = Logger(service=LoadGraphEnvironment.service)


@dataclass(frozen=True)
class LoadedGraph:
    """The answer of `load_graph`: how far it is."""

    done: bool
    new: int
    """Transactions that the store did not have."""
    known: int
    labelled: int
    """Of the known ones, those that have a label now and had none."""


@dataclass(frozen=True)
class LoadingProgress(Document, name="progress of loading", remedy="train again"):
    """What the calls of one run have loaded."""

    file: str = ""
    """Key of the last file that is loaded as a whole."""
    rows: int = 0
    """Rows of the file after it that are loaded."""
    new: int = 0
    known: int = 0
    labelled: int = 0

    def after(self, loaded: Loaded, rows: int) -> LoadingProgress:
        """Return the progress after some more rows of the next file."""
        return dataclasses.replace(
            self,
            rows=self.rows + rows,
            new=self.new + loaded.new,
            known=self.known + loaded.known,
            labelled=self.labelled + loaded.labelled,
        )


def load(payload: dict[str, Any], effects: LoadingEffects) -> dict[str, Any]:
    """Load the run's transactions as far as the time of a call allows; done again, it goes on from there.

    Raises
    ------
    ContractViolationError
        If the job that makes the graph has not written all of them.
    """
    run, objects = run_of(payload), effects.objects
    processed = ObjectUri.parse(run.uris.processed)
    if not objects.any_under(ObjectUri(processed.bucket, f"{processed.key}{DONE}")):
        raise ContractViolationError(
            f"{processed}{DONE} does not exist: the job that makes the graph broke off"
        )
    plan = read_plan_of(FraudPlan, run, objects)
    store = effects.store(plan)
    deadline = effects.clock() + BUDGET_SECONDS
    progress = effects.progress(LoadingProgress, _place(run))
    files = ObjectUri(processed.bucket, f"{processed.key}{TRANSACTIONS}")
    for key in objects.keys_under(files, after=progress.file):
        if not key.endswith(PARQUET):  # what Spark says of its own work
            continue
        for chunk in _chunks(_table(ObjectUri(processed.bucket, key), objects), plan, after=progress.rows):
            progress = progress.after(store.load(chunk), len(chunk))
            if effects.clock() > deadline:
                return _kept(run, progress, objects, done=False)
        progress = dataclasses.replace(progress, file=key, rows=0)
    return _kept(run, progress, objects, done=True)


def stored_transactions(table: pa.Table, plan: FraudPlan) -> list[StoredTransaction]:
    """Return the rows of a file under `transactions/`, as a store keeps them.

    Parameters
    ----------
    table
        Columns `id`, `time`, `amount`, `numeric`, `categorical`, `entities`, `label`, `known_at` and `x`; the
        lists are in the plan's order.
    """
    relations = [relation.name for relation in plan.relations]
    return [
        StoredTransaction(
            transaction=Transaction(
                id=row["id"],
                time=row["time"],
                amount=row["amount"],
                numeric=tuple(row["numeric"]),
                categorical=tuple(row["categorical"]),
                entities={
                    name: key for name, key in zip(relations, row["entities"], strict=True) if key is not None
                },
            ),
            vector=np.asarray(row["x"], dtype=np.float32),
            label=Label(row["label"] == FRAUDULENT, row["known_at"]) if row["label"] != UNKNOWN else None,
        )
        for row in table.to_pylist()
    ]


def _chunks(table: pa.Table, plan: FraudPlan, *, after: int) -> Iterator[list[StoredTransaction]]:
    for first in range(after, table.num_rows, CHUNK):
        yield stored_transactions(table.slice(first, CHUNK), plan)


def _table(uri: ObjectUri, objects: ObjectStore) -> pa.Table:
    body = objects.read(uri)
    if body is None:
        raise ContractViolationError(f"{uri} is gone: train again")
    return pq.read_table(io.BytesIO(body))


def _kept(run: TrainingRun, progress: LoadingProgress, objects: ObjectStore, *, done: bool) -> dict[str, Any]:
    objects.write(_place(run), progress.to_json().encode())
    answer = LoadedGraph(done, progress.new, progress.known, progress.labelled)
    logger.info("loaded", extra={"run_id": run.run_id, **dataclasses.asdict(answer)})
    return dataclasses.asdict(answer)


def _place(run: TrainingRun) -> ObjectUri:
    return ObjectUri.parse(f"{run.uris.prefix}loading.json")


handle = step_handler(load, LoadGraphEnvironment, LoadingEffects.in_aws)
