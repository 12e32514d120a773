"""The histories of a table are those of a store that gets the same transactions one by one."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.unit.fraud.memory import MemoryStore
from tests.unit.fraud.plans import PLAN, random_rows, row
from watchkeeper.fraud.ego import EgoRows, ego_of, stacked
from watchkeeper.fraud.features import category_hash, vector_of
from watchkeeper.fraud.history import Label, StoredTransaction
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.table import (
    Labels,
    TransactionGraph,
    TransactionTable,
    graph_of_table,
    relation_history,
)
from watchkeeper.fraud.transaction import read_label, read_transaction


def with_delay(seconds: float) -> FraudPlan:
    return dataclasses.replace(PLAN, label=dataclasses.replace(PLAN.label, delay_seconds=seconds))


def online(rows: list[dict[str, Any]], plan: FraudPlan) -> EgoRows:
    store = MemoryStore(plan.neighbours)
    read = [(read_transaction(fields, plan), read_label(fields, plan)) for fields in rows]
    answers = {}
    for transaction, fraud in sorted(read, key=lambda one: one[0].order):
        neighbourhood = store.neighbourhood(transaction)
        vector = vector_of(transaction, neighbourhood, plan)
        known_at = transaction.time + plan.label.delay_seconds
        label = None if fraud is None else Label(fraud, known_at)
        store.insert(StoredTransaction(transaction, vector, label))
        answers[transaction.id] = ego_of(vector, transaction.time, neighbourhood, plan)
    return stacked([answers[transaction.id] for transaction, _ in read])


def table_of(rows: list[dict[str, Any]], plan: FraudPlan) -> TransactionTable:
    read = [read_transaction(fields, plan) for fields in rows]
    codes = [
        {key: code for code, key in enumerate({one.entities.get(relation.name, "") for one in read} - {""})}
        for relation in plan.relations
    ]
    times = np.array([one.time for one in read])
    verdicts = [{True: 1, False: -1, None: 0}[read_label(fields, plan)] for fields in rows]
    return TransactionTable(
        ids=np.array([one.id for one in read]),
        times=times,
        amounts=np.array([one.amount for one in read]),
        numeric=np.array([one.numeric for one in read], dtype=np.float64),
        categorical=np.array([[category_hash(value) for value in one.categorical] for one in read]),
        entities=[
            np.array([code.get(one.entities.get(relation.name, ""), -1) for one in read])
            for relation, code in zip(plan.relations, codes, strict=True)
        ],
        labels=Labels(np.array(verdicts, np.int8), times + plan.label.delay_seconds),
    )


def offline(rows: list[dict[str, Any]], plan: FraudPlan) -> TransactionGraph:
    return graph_of_table(table_of(rows, plan), plan)


def assert_equal(table: EgoRows, store: EgoRows) -> None:
    for name in ("x", "neighbours", "edges", "mask"):
        np.testing.assert_allclose(getattr(table, name), getattr(store, name), rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("delay", [0.0, 40.0, 1e9])
@pytest.mark.parametrize("seed", range(3))
def test_a_table_has_the_vectors_and_neighbours_of_a_store(delay: float, seed: int) -> None:
    plan, rows = with_delay(delay), random_rows(120, seed)
    graph = offline(rows, plan)
    assert_equal(graph.ego_rows(np.arange(len(rows))), online(rows, plan))


def test_rows_of_one_second_are_ordered_by_their_ids() -> None:
    rows = [row(id="b"), row(id="a"), row(id="c", device="d2")]
    graph = offline(rows, PLAN)
    assert graph.latest[:, 0, :2].tolist() == [[1, -1], [-1, -1], [0, 1]]
    assert_equal(graph.ego_rows(np.arange(3)), online(rows, PLAN))


def test_a_label_is_seen_from_the_time_at_which_it_is_known() -> None:
    rows = [row(id="a", at=0, fraud="1"), row(id="b", at=99), row(id="c", at=100), row(id="d", at=150)]
    graph = offline(rows, PLAN)
    first = schema_of(PLAN).as_of[0].start
    labelled, since = graph.vectors[:, first + 1], graph.vectors[:, first + 3]
    assert np.expm1(labelled).round(4).tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(np.expm1(since), [np.nan, np.nan, 100, 150], rtol=1e-5)
    assert graph.ego_rows(np.arange(4)).edges[:, 0, :3, 1].tolist() == [
        [0, 0, 0],
        [0, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
    ]


def test_a_transaction_never_sees_its_own_label() -> None:
    plan = with_delay(0.0)
    rows = [row(id="a", at=5, fraud="1"), row(id="b", at=5, fraud="1")]
    first = schema_of(plan).as_of[0].start
    assert np.expm1(offline(rows, plan).vectors[:, first + 1]).round(4).tolist() == [0, 1]


def test_an_entity_never_seen_has_no_history_and_none_at_all_is_told_apart() -> None:
    rows = [row(id="a", device=None), row(id="b", device="new", at=2000)]
    vectors = offline(rows, PLAN).vectors
    count = schema_of(PLAN).as_of[1].start
    assert np.isnan(vectors[0, schema_of(PLAN).as_of[1]]).all()
    assert vectors[1, count] == 0.0


def test_buckets_of_entities_give_the_histories_of_the_whole() -> None:
    random = np.random.default_rng(0)
    n = 300
    entities, times = random.integers(0, 20, n), random.integers(0, 100, n).astype(float)
    ids = np.array([f"t{number}" for number in range(n)])
    labels = Labels(random.integers(-1, 2, n).astype(np.int8), times + 7.0)
    whole = relation_history(entities, times, ids, labels, 3)
    for bucket in range(4):
        rows = np.flatnonzero(entities % 4 == bucket)
        part = relation_history(
            entities[rows], times[rows], ids[rows], Labels(labels.verdicts[rows], labels.known_at[rows]), 3
        )
        latest = np.where(part.latest >= 0, rows[part.latest], -1)
        assert np.array_equal(latest, whole.latest[rows])
        for name in ("count", "labelled", "frauds", "since_fraud"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[rows])


def test_a_table_without_rows_has_no_vectors() -> None:
    empty = table_of([], PLAN)
    shaped = dataclasses.replace(empty, numeric=np.empty((0, 1)), categorical=np.empty((0, 1)))
    assert graph_of_table(shaped, PLAN).vectors.shape == (0, len(schema_of(PLAN).names))
