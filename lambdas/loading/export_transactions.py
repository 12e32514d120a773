"""Before Spark: what came by the fraud API, transactions and labels, as files beside the history.

So a label that somebody gave reaches the next training, and the transaction that it is of. What is sent while
the files are written may be in them or not: the next run has it.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.adapters.run_documents import read_fraud_plan
from lambdas.fraud.store import LiveTransaction, TransactionStore
from lambdas.fraud.stores import store_of
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.documents import Document
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.lifecycle.run import TrainingRun

BUDGET_SECONDS = 600
"""Of one call; a function has 900."""
PAGE = 1000
PART = 50_000
"""Transactions in a file."""


@dataclass(frozen=True, kw_only=True)
class ExportTransactionsEnvironment(StepEnvironment):
    """What `export_transactions` is told when it is deployed."""

    service: ClassVar[str] = "export_transactions"
    purpose: ClassVar[str] = "Writes what came by the fraud API beside the history"
    calls: ClassVar[AwsCalls] = AwsCalls(
        reads=(RUN_KEYS,),
        lists=(RUNS_PREFIX,),
        writes=(RUN_KEYS,),
        transactions=("BatchGetItem",),
        arrivals=True,
    )

    transactions_table: str


logger = Logger(service=ExportTransactionsEnvironment.service)


@dataclass(frozen=True)
class Exported:
    """The answer of `export_transactions`: how far it is."""

    done: bool
    transactions: int
    labelled: int
    """Of them, those with a label."""


@dataclass(frozen=True)
class ExportProgress(Document, name="progress of export", remedy="train again"):
    """What the calls of one run have written."""

    done: bool = False
    cursor: str | None = None
    parts: int = 0
    transactions: int = 0
    labelled: int = 0


@dataclass(frozen=True)
class ExportingEffects:
    """Everything outside of `export_transactions`."""

    objects: ObjectStore
    store: Callable[[FraudPlan], TransactionStore]
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def in_aws(cls, environment: ExportTransactionsEnvironment) -> ExportingEffects:
        """Return the effects in AWS."""
        return cls(S3ObjectStore(clients.s3()), partial(store_of, table=environment.transactions_table))


def export(payload: dict[str, Any], effects: ExportingEffects) -> dict[str, Any]:
    """Write what came by the API, as far as the time of a call allows; done again, it goes on from there."""
    run, objects = run_of(payload), effects.objects
    store = effects.store(read_fraud_plan(run, objects))
    deadline = effects.clock() + BUDGET_SECONDS
    progress = _progress(run, objects)
    while not progress.done and effects.clock() < deadline:
        found, cursor = _part(store, progress.cursor)
        if found:
            part = ObjectUri.parse(f"{run.uris.live}part-{progress.parts:05d}.jsonl.gz")
            objects.write(part, _lines(found))
        progress = ExportProgress(
            done=cursor is None,
            cursor=cursor,
            parts=progress.parts + 1,
            transactions=progress.transactions + len(found),
            labelled=progress.labelled + sum(each.stored.label is not None for each in found),
        )
        objects.write(_place(run), progress.to_json().encode())
    answer = Exported(progress.done, progress.transactions, progress.labelled)
    logger.info("exported", extra={"run_id": run.run_id, **dataclasses.asdict(answer)})
    return dataclasses.asdict(answer)


def _part(store: TransactionStore, cursor: str | None) -> tuple[list[LiveTransaction], str | None]:
    """Return what one file gets, and where the next one begins."""
    part: list[LiveTransaction] = []
    while len(part) < PART:
        found, cursor = store.live(cursor, PAGE)
        part += found
        if cursor is None:
            break
    return part, cursor


def _lines(found: Sequence[LiveTransaction]) -> bytes:
    lines = (json.dumps(_line(each)) for each in found)
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), compresslevel=1, mtime=0)


def _line(live: LiveTransaction) -> dict[str, Any]:
    label = live.stored.label
    return {
        "id": live.stored.transaction.id,
        "transaction": None if live.fields is None else dict(live.fields),
        "label": None if label is None else label.fraud,
        "known_at": None if label is None else label.known_at,
    }


def _progress(run: TrainingRun, objects: ObjectStore) -> ExportProgress:
    # looked for by its prefix: to ask for an absent object takes the right to list the whole bucket
    body = objects.read(_place(run)) if objects.any_under(_place(run)) else None
    return ExportProgress() if body is None else ExportProgress.from_json(body)


def _place(run: TrainingRun) -> ObjectUri:
    return ObjectUri.parse(f"{run.uris.prefix}export.json")


handle = step_handler(export, ExportTransactionsEnvironment, ExportingEffects.in_aws)
