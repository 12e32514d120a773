"""As-of histories of a whole table, by sorting: the batch side of `history.EntityHistory`.

`relation_history` is called with one relation, or with one bucket of its entities: all rows of an entity must
be in one call, and none needs another entity's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.fraud.ego import EDGE_FEATURES, EgoRows
from watchkeeper.fraud.features import AMOUNT, AsOf, Floats, as_of_features, row_features
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of

Indices = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RelationHistory:
    """The history of each row's entity as-of the row, in the order in which the rows were given."""

    count: Floats
    labelled: Floats
    frauds: Floats
    since_fraud: Floats
    """Seconds since the latest known fraud; NaN without one."""
    latest: Indices
    """Positions of the K latest earlier rows, of shape (n, K), the latest first; -1 where there is none."""


@dataclass(frozen=True, eq=False)
class Labels:
    """What is found out about the transactions of a table, each of shape (n,)."""

    verdicts: NDArray[np.int8]
    """1 fraud, -1 legitimate, 0 unknown."""
    known_at: Floats
    """Epoch seconds from which a verdict counts; not read where there is none."""


@dataclass(frozen=True, eq=False)
class TransactionTable:
    """Transactions as columns, in any order."""

    ids: NDArray[Any]
    times: Floats
    amounts: Floats
    numeric: Floats
    """Of shape (n, n_numeric), NaN where a value is missing."""
    categorical: Floats
    """`features.category_hash` of each value, of shape (n, n_categorical)."""
    entities: Sequence[NDArray[np.int64]]
    """A code for each entity by relation, in the plan's order; -1 where a transaction has none."""
    labels: Labels


@dataclass(frozen=True, eq=False)
class TransactionGraph:
    """What a model reads of a table: vectors, and who is whose neighbour."""

    vectors: Vectors
    """Of shape (n, n_features)."""
    times: Floats
    labels: Labels
    latest: Indices
    """Of shape (n, n_relations, K): positions of neighbours, -1 where there is none."""

    def ego_rows(self, rows: NDArray[np.integer]) -> EgoRows:
        """Return the ego rows of some transactions: the batch side of `ego.ego_of`."""
        edges, mask = self.edges(rows)
        neighbours = self.vectors[self.latest[rows]]
        neighbours[mask == 0.0] = 0.0
        return EgoRows(self.vectors[rows], neighbours, edges, mask)

    def edges(self, rows: NDArray[np.integer]) -> tuple[Vectors, Vectors]:
        """Return edges and mask of the ego rows of some transactions."""
        latest = self.latest[rows]
        mask = latest >= 0
        gaps = np.where(mask, self.times[rows][:, None, None] - self.times[latest], 0.0)
        known = self.labels.known_at[latest] <= self.times[rows][:, None, None]
        edges = np.empty((*latest.shape, EDGE_FEATURES), np.float32)
        edges[..., 0] = np.log1p(gaps)
        edges[..., 1] = np.where(mask & known, self.labels.verdicts[latest], 0)
        return edges, mask.astype(np.float32)


def time_order(times: Floats, ids: NDArray[Any]) -> Indices:
    """Return the positions of rows in the order of (time, id)."""
    order: Indices = np.argsort(times, kind="stable").astype(np.int64)
    same = np.diff(times[order]) == 0.0
    tied = np.concatenate([same, [False]]) | np.concatenate([[False], same]) if len(times) else same
    places = np.flatnonzero(tied)  # only the ids of these are compared, which is slow
    inner = order[places]
    order[places] = inner[np.lexsort((np.asarray(ids)[inner], times[inner]))]
    return order


def relation_history(
    entities: NDArray[Any], times: Floats, ids: NDArray[Any], labels: Labels, neighbours: int
) -> RelationHistory:
    """Return the history of each row's entity as-of the row.

    Parameters
    ----------
    entities
        Keys of any type that sorts, of shape (n,); every row has one.
    times, ids
        Epoch seconds and ids: a row is earlier than another by (time, id). Ids are text.
    neighbours
        K.
    """
    order = time_order(times, ids)
    return _history_in_order(entities, times, order, labels, neighbours)


def graph_of_table(table: TransactionTable, plan: FraudPlan) -> TransactionGraph:
    """Return vectors and neighbours of a table: equal to `features.vector_of` on a store, row by row."""
    n, schema = len(table.times), schema_of(plan)
    vectors = np.full((n, len(schema.names)), np.nan, np.float32)
    vectors[:, : schema.n_row] = row_features(table.times, table.amounts, table.numeric, table.categorical)
    latest = np.full((n, len(plan.relations), plan.neighbours), -1, np.int64)
    order = time_order(table.times, table.ids)
    for at, entities in enumerate(table.entities):
        ordered = order[entities[order] >= 0]
        rows = np.sort(ordered)
        among = np.full(n, -1, np.int64)
        among[rows] = np.arange(len(rows))
        labels = Labels(table.labels.verdicts[rows], table.labels.known_at[rows])
        history = _history_in_order(
            entities[rows], table.times[rows], among[ordered], labels, plan.neighbours
        )
        latest[rows, at] = np.where(history.latest >= 0, rows[history.latest], -1)
        vectors[rows, schema.as_of[at]] = history_features(history, table.times[rows], vectors[rows, AMOUNT])
    return TransactionGraph(vectors, table.times, table.labels, latest)


def linked(
    vectors: Vectors,
    times: Floats,
    ids: NDArray[Any],
    entities: Sequence[NDArray[np.int64]],
    labels: Labels,
    neighbours: int,
) -> TransactionGraph:
    """Return a table whose vectors are known, with its neighbours; parameters are those of a table."""
    latest = np.full((len(times), len(entities), neighbours), -1, np.int64)
    order = time_order(times, ids)
    for at, codes in enumerate(entities):
        ordered = order[codes[order] >= 0]
        grouped = ordered[np.argsort(codes[ordered], kind="stable")]
        latest[grouped, at] = _latest(grouped, codes[grouped], neighbours)
    return TransactionGraph(vectors, times, labels, latest)


def history_features(history: RelationHistory, times: Floats, log_amounts: Vectors) -> Floats:
    """Return the as-of features of one relation for the rows of `relation_history`.

    Parameters
    ----------
    log_amounts
        First feature of the rows' vectors.

    Returns
    -------
    ndarray
        Of shape (n, n_features_of_a_relation).
    """
    there = history.latest >= 0
    as_of = AsOf(
        history.count[:, None],
        history.labelled[:, None],
        history.frauds[:, None],
        history.since_fraud[:, None],
        np.where(there, times[:, None] - times[history.latest], np.nan)[:, None],
        np.where(there, log_amounts[history.latest].astype(np.float64), np.nan)[:, None],
    )
    return as_of_features(as_of, log_amounts)


def _history_in_order(
    entities: NDArray[Any], times: Floats, order: Indices, labels: Labels, neighbours: int
) -> RelationHistory:
    """Return the histories of rows whose order by (time, id) is known."""
    n = len(times)
    codes = np.unique(entities, return_inverse=True)[1]
    by_time = times[order]
    # ranks are looked up in the order of time, where neighbours are found near each other
    ranks = np.searchsorted(by_time, by_time)
    known_ranks = np.searchsorted(by_time, labels.known_at[order])
    grouped = np.argsort(codes[order], kind="stable")  # by entity, within it by time and id
    order, ranks, known_ranks = order[grouped], ranks[grouped], known_ranks[grouped]
    groups, ordered_times = codes[order], times[order]
    starts = np.searchsorted(groups, groups)
    place = np.arange(n) - starts
    latest = _latest(order, groups, neighbours)
    labelled, frauds, latest_fraud = _known_before(
        groups * (n + 1) + ranks, groups * (n + 1) + known_ranks, starts, groups, labels.verdicts[order]
    )
    since = np.where(latest_fraud >= 0, ordered_times - ordered_times[latest_fraud], np.nan)
    back_in_place = np.empty(n, np.int64)
    back_in_place[order] = np.arange(n)
    return RelationHistory(
        place[back_in_place].astype(np.float64),
        labelled[back_in_place],
        frauds[back_in_place],
        since[back_in_place],
        latest[back_in_place],
    )


def _latest(order: Indices, groups: Indices, neighbours: int) -> Indices:
    """Return the K rows before each of its group, for rows by group and time."""
    place = np.arange(len(groups)) - np.searchsorted(groups, groups)
    latest = np.full((len(groups), neighbours), -1, np.int64)
    for back in range(1, neighbours + 1):
        rows = np.flatnonzero(place >= back)
        latest[rows, back - 1] = order[rows - back]
    return latest


def _known_before(
    happened: Indices, known: Indices, starts: Indices, groups: Indices, verdicts: NDArray[np.int8]
) -> tuple[Floats, Floats, Indices]:
    """Return labelled, frauds, and the position of the latest of these or -1, for rows by entity and time.

    A label is seen by the first row of the entity that is later than the labelled one and not earlier than
    `known`, and by all after it: sums over these first rows are the counters.

    Parameters
    ----------
    happened, known
        The rows' entity and time as one sortable number, and their entity and `known_at` as such a number.
    """
    n = len(groups)
    rows = np.flatnonzero(verdicts)
    first = np.maximum(np.searchsorted(happened, known[rows]), rows + 1)
    seen = first < n
    seen[seen] = groups[first[seen]] == groups[rows[seen]]
    rows, first = rows[seen], first[seen]
    is_fraud = verdicts[rows] > 0

    def counted(at: Indices) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(np.bincount(at, minlength=n))])
        counts: Floats = total[1:] - total[starts]
        return counts

    latest = np.full(n, -1, np.int64)
    np.maximum.at(latest, first[is_fraud], rows[is_fraud])
    latest = np.maximum.accumulate(latest)
    return counted(first), counted(first[is_fraud]), np.where(latest >= starts, latest, -1)
