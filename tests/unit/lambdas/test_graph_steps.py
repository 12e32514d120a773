"""Between graph store and training: what came by the API is exported, what Spark made is loaded once."""

from __future__ import annotations

import dataclasses
import gzip
import io
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectUri
from lambdas.fraud.dynamo_store import DynamoTransactionStore
from lambdas.fraud.store import Arrival
from lambdas.loading import export_transactions, load_graph
from lambdas.loading.effects import BUDGET_SECONDS, LoadingEffects
from lambdas.loading.load_graph import stored_transactions
from tests.unit.lambdas.builders import BUCKET, make_run
from tests.unit.lambdas.fakes import FakeObjectStore
from tests.unit.lambdas.fraud_builders import PLAN, TABLE, WORKLOAD, create_table, stored, transaction, vector
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.fraud.history import Label, StoredTransaction

RUN = make_run(workload=WORKLOAD)
PAYLOAD = {"run": RUN.to_dict()}
MINUTE = 60.0


def parquet(rows: Sequence[StoredTransaction]) -> bytes:
    """Return rows as the job that makes the graph writes them."""
    relations = [relation.name for relation in PLAN.relations]
    table = pa.table(
        {
            "id": [row.transaction.id for row in rows],
            "time": [row.transaction.time for row in rows],
            "amount": [row.transaction.amount for row in rows],
            "numeric": pa.array([list(row.transaction.numeric) for row in rows], pa.list_(pa.float64())),
            "categorical": pa.array(
                [list(row.transaction.categorical) for row in rows], pa.list_(pa.string())
            ),
            "entities": [[row.transaction.entities.get(name) for name in relations] for row in rows],
            "label": pa.array([-1 if row.label is None else int(row.label.fraud) for row in rows], pa.int8()),
            "known_at": pa.array([row.label and row.label.known_at for row in rows], pa.float64()),
            "x": pa.array([row.vector.tolist() for row in rows], pa.list_(pa.float32())),
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


@pytest.fixture
def objects() -> FakeObjectStore:
    found = FakeObjectStore()
    found.write(ObjectUri.parse(RUN.uris.plan), PLAN.to_json().encode())
    return found


@pytest.fixture
def store(aws: Any) -> DynamoTransactionStore:
    create_table()
    return DynamoTransactionStore(clients.dynamodb(), TABLE, PLAN)


def processed(objects: FakeObjectStore, *files: Sequence[StoredTransaction]) -> None:
    for number, rows in enumerate(files):
        objects.write(
            ObjectUri.parse(f"{RUN.uris.processed}transactions/part-{number:05d}.parquet"), parquet(rows)
        )
    objects.write(ObjectUri.parse(f"{RUN.uris.processed}transactions/_SUCCESS"), b"")
    objects.write(ObjectUri.parse(f"{RUN.uris.processed}_DONE"), b"")


def ticking(step: float) -> Callable[[], float]:
    times = itertools.count(0.0, step)
    return lambda: next(times)


def test_a_file_gives_back_the_transactions_that_were_written() -> None:
    rows = [
        stored(1, label=Label(True, 50.0)),
        stored(2, label=Label(False, 60.0), card="c2"),
        stored(3, device="d7"),
    ]
    read = stored_transactions(pq.read_table(io.BytesIO(parquet(rows))), PLAN)
    assert [each.transaction for each in read] == [each.transaction for each in rows]
    assert [each.transaction.digest for each in read] == [each.transaction.digest for each in rows]
    assert [each.label for each in read] == [each.label for each in rows]
    assert all(np.array_equal(a.vector, b.vector, equal_nan=True) for a, b in zip(read, rows, strict=True))
    assert read[0].vector.dtype == np.float32


def test_loads_every_file_and_counts_nothing_twice(
    objects: FakeObjectStore, store: DynamoTransactionStore
) -> None:
    processed(objects, [stored(number) for number in range(7)], [stored(number) for number in range(7, 10)])
    first = load_graph.load(PAYLOAD, LoadingEffects(objects, lambda plan: store))
    assert first == {"done": True, "new": 10, "known": 0, "labelled": 0}
    del objects.objects[ObjectUri.parse(f"{RUN.uris.prefix}loading.json")]
    again = load_graph.load(PAYLOAD, LoadingEffects(objects, lambda plan: store))
    assert again == {"done": True, "new": 0, "known": 10, "labelled": 0}
    assert store.neighbourhood(transaction(50))["card"].count == 10


def test_what_the_api_had_first_stays_and_takes_the_label(
    objects: FakeObjectStore, store: DynamoTransactionStore
) -> None:
    as_sent = dataclasses.replace(transaction(3), amount=13.005)  # the history has it rounded
    sent = Arrival(as_sent, {"id": "t003"}, "2024-01-01T00:00:00.000000Z")
    store.place([sent], lambda transaction, neighbourhood: vector(99))
    processed(objects, [stored(2), stored(3, label=Label(True, 20.0)), stored(4)])
    answer = load_graph.load(PAYLOAD, LoadingEffects(objects, lambda plan: store))
    assert answer == {"done": True, "new": 2, "known": 1, "labelled": 1}
    kept = store.get("t003")
    assert kept is not None
    assert (kept.vector[0], kept.transaction.amount) == (99, 13.005)
    history = store.neighbourhood(transaction(50))["card"]
    assert (history.count, history.frauds) == (3, 1)


def test_a_call_ends_in_time_and_the_next_one_goes_on(
    objects: FakeObjectStore, store: DynamoTransactionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_graph, "CHUNK", 2)
    processed(objects, [stored(number) for number in range(5)], [stored(5)])
    slow = LoadingEffects(objects, lambda plan: store, ticking(BUDGET_SECONDS / 2 + 1))
    answers = [load_graph.load(PAYLOAD, slow)]
    while not answers[-1]["done"]:
        answers.append(load_graph.load(PAYLOAD, slow))
    assert len(answers) > 1
    assert answers[-1] == {"done": True, "new": 6, "known": 0, "labelled": 0}


def test_a_job_that_broke_off_is_not_loaded(objects: FakeObjectStore, store: DynamoTransactionStore) -> None:
    objects.write(
        ObjectUri.parse(f"{RUN.uris.processed}transactions/part-00000.parquet"), parquet([stored(1)])
    )
    with pytest.raises(ContractViolationError, match="_DONE does not exist"):
        load_graph.load(PAYLOAD, LoadingEffects(objects, lambda plan: store))


def exported_lines(objects: FakeObjectStore) -> list[dict[str, Any]]:
    prefix = ObjectUri.parse(RUN.uris.live)
    bodies = [objects.read(ObjectUri(BUCKET, key)) for key in objects.keys_under(prefix)]
    return [json.loads(line) for body in bodies if body for line in gzip.decompress(body).splitlines()]


def test_exports_what_was_sent_with_its_label(
    objects: FakeObjectStore, store: DynamoTransactionStore
) -> None:
    store.load([stored(1), stored(2)])
    for number in (3, 4):
        sent = Arrival(
            transaction(number),
            {"id": f"t{number:03d}", "amount": 10.0 + number},
            f"2024-01-01T00:00:0{number}.000000Z",
        )
        store.place([sent], lambda transaction, neighbourhood: vector(9))
    store.label("t003", Label(True, 77.0, "analyst"))
    store.label("t001", Label(False, 78.0, "analyst"), "2024-01-01T00:01:00.000000Z")
    answer = export_transactions.export(PAYLOAD, LoadingEffects(objects, lambda plan: store))
    assert answer == {"done": True, "transactions": 3, "labelled": 2}
    lines = {line["id"]: line for line in exported_lines(objects)}
    assert lines["t003"] == {
        "id": "t003",
        "transaction": {"id": "t003", "amount": 13.0},
        "label": True,
        "known_at": 77.0,
    }
    assert lines["t004"]["label"] is None
    assert lines["t001"] == {"id": "t001", "transaction": None, "label": False, "known_at": 78.0}


def test_an_export_in_several_calls_has_everything_once(
    objects: FakeObjectStore, store: DynamoTransactionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_transactions, "PAGE", 2)
    monkeypatch.setattr(export_transactions, "PART", 3)
    for number in range(9):
        sent = Arrival(transaction(number), {"id": f"t{number:03d}"}, f"2024-01-01T00:00:0{number}.000000Z")
        store.place([sent], lambda transaction, neighbourhood: vector(9))
    slow = LoadingEffects(objects, lambda plan: store, ticking(BUDGET_SECONDS * 0.7))
    calls = 1
    while not export_transactions.export(PAYLOAD, slow)["done"]:
        calls += 1
    assert calls > 1
    assert sorted(line["id"] for line in exported_lines(objects)) == [f"t{number:03d}" for number in range(9)]


def test_with_nothing_in_the_store_there_is_no_file(
    objects: FakeObjectStore, store: DynamoTransactionStore
) -> None:
    answer = export_transactions.export(PAYLOAD, LoadingEffects(objects, lambda plan: store))
    assert answer == {"done": True, "transactions": 0, "labelled": 0}
    assert exported_lines(objects) == []
