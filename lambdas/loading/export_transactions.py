"""Before Spark: what came by the fraud API, transactions and labels, as files beside the history.

So a label that somebody gave reaches the next training, and the transaction that it is of. What is sent while
the files are written may be in them or not: the next run has it.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.run_documents import read_plan_of
from lambdas.fraud.store import LiveTransaction, TransactionStore
from lambdas.loading.effects import BUDGET_SECONDS, LoadingEffects
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.documents import Document
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.lifecycle.run import TrainingRun

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


def export(payload: dict[str, Any], effects: LoadingEffects) -> dict[str, Any]:
    """Write what came by the API, as far as the time of a call allows; done again, it goes on from there."""
    run, objects = run_of(payload), effects.objects
    store = effects.store(read_plan_of(FraudPlan, run, objects))
    deadline = effects.clock() + BUDGET_SECONDS
    progress = effects.progress(ExportProgress, _place(run))
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


def _place(run: TrainingRun) -> ObjectUri:
    return ObjectUri.parse(f"{run.uris.prefix}export.json")


handle = step_handler(export, ExportTransactionsEnvironment, LoadingEffects.in_aws)
