"""Why a transaction has its probability: what each relation adds to the log-odds, and which neighbours move
them.

What relations add are Shapley values: a relation that is left out has a typical history (the medians of the
training) and the mean embedding. They add up to the difference between the transaction and one whose
relations are all typical. What a neighbour moves is the difference that leaving it out of its entity's
embedding makes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from containers.fraud import network
from containers.fraud.model import FraudModel
from containers.fraud.network import MEAN_ENTITY
from watchkeeper.fraud.ego import EgoRows
from watchkeeper.fraud.schema import schema_of

MOST_MOVED = 5
"""Neighbours that are named."""

Floats = NDArray[np.float64]
Moved = tuple[tuple[int, int, float], ...]
"""Relation, place among its latest, and what that neighbour adds."""


@dataclass(frozen=True)
class Reasons:
    """Contributions to the log-odds of one transaction."""

    relations: tuple[float, ...]
    """In the plan's order; what is left of the log-odds is of the transaction's own fields."""
    moved: Moved
    """Largest first; none by trees alone."""


def explain(model: FraudModel, rows: EgoRows) -> list[Reasons]:
    """Return the reasons of each row."""
    parts = (EgoRows(*(part[at : at + 1] for part in vars(rows).values())) for at in range(len(rows)))
    return [_explain(model, row) for row in parts]


def _explain(model: FraudModel, row: EgoRows) -> Reasons:
    n_relations = row.mask.shape[1]
    if model.choice == "row":
        return Reasons((0.0,) * n_relations, ())
    # a set of relations is the bits of its number
    included = np.arange(2**n_relations)[:, None] >> np.arange(n_relations) & 1 == 1
    x = _with_typical(model, row.x[0], included)
    share = {"as_of": 0.0, "graph": 1.0}.get(model.choice, model.weight)
    values = np.zeros(len(included))
    moved: Moved = ()
    if share < 1.0:
        values += (1.0 - share) * model.as_of.logits(model.encoding.numbers(x))
    if share > 0.0:
        total, moved = _network(model, row, x, included, share)
        values += total
    return Reasons(tuple(_shapley(values, included).tolist()), moved)


def _with_typical(
    model: FraudModel, vector: NDArray[np.float32], included: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the vector once a set, with a typical history in the relations that the set leaves out."""
    x = np.repeat(vector[None], len(included), axis=0)
    for at, features in enumerate(schema_of(model.plan).as_of):
        x[~included[:, at], features] = model.typical[features]
    return x


def _network(
    model: FraudModel, row: EgoRows, x: NDArray[np.float32], included: NDArray[np.bool_], share: float
) -> tuple[Floats, Moved]:
    """Return the network's part of the values of sets, and the neighbours that move the log-odds most."""
    parameters = model.parameters
    messages = network.neighbour_messages(parameters, model.scaled(row.neighbours), row.edges, row.mask)
    total, count = messages.sum(axis=2), row.mask.sum(axis=2)
    entities = network.entity_embeddings(parameters, total, count)
    typical = parameters[MEAN_ENTITY][:, None, :]
    of_sets = np.where(included.T[:, :, None], entities, typical)
    values = share * network.readout(parameters, model.scaled(x), of_sets).astype(np.float64)
    there = np.argwhere(row.mask[0] > 0.0)
    if not len(there):
        return values, ()
    relation, place = there.T
    without = np.repeat(total, len(there), axis=0), np.repeat(count, len(there), axis=0)
    each = np.arange(len(there))
    without[0][each, relation] -= messages[0, relation, place]
    without[1][each, relation] -= 1.0
    left = network.readout(
        parameters,
        np.repeat(model.scaled(row.x), len(there), axis=0),
        network.entity_embeddings(parameters, *without),
    )
    moved = values[-1] - share * left.astype(np.float64)
    most = np.argsort(-np.abs(moved), kind="stable")[:MOST_MOVED]
    return values, tuple((int(relation[at]), int(place[at]), float(moved[at])) for at in most)


def _shapley(values: Floats, included: NDArray[np.bool_]) -> Floats:
    """Return the Shapley value of each relation, from the value of every set of them."""
    n = included.shape[1]
    size = included.sum(axis=1)
    weight = np.array([math.factorial(k) * math.factorial(n - k - 1) / math.factorial(n) for k in range(n)])
    contributions = np.empty(n)
    for at in range(n):
        without = np.flatnonzero(~included[:, at])
        contributions[at] = np.sum(weight[size[without]] * (values[without | 1 << at] - values[without]))
    return contributions
