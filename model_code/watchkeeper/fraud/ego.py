"""Ego rows: a transaction with its as-of neighbourhood as one row of numbers, what an endpoint is asked with.

Flat, a row is its vector, the neighbours' vectors, two numbers an edge, and a mask, as float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.history import Neighbourhood, Vector
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of

EDGE_FEATURES = 2
"""log1p of the gap in seconds, and the neighbour's label as known then: -1 legitimate, 0 unknown, 1 fraud."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class EgoShape:
    """Sizes of a plan's ego rows."""

    n_features: int
    n_relations: int
    neighbours: int

    @property
    def width(self) -> int:
        """Numbers in a flat row."""
        return self.n_features + self.n_relations * self.neighbours * (self.n_features + EDGE_FEATURES + 1)


@dataclass(frozen=True, eq=False)
class EgoRows:
    """Ego rows as arrays of float32; B rows, R relations, K neighbours, F features."""

    x: Array
    """Of shape (B, F)."""
    neighbours: Array
    """Of shape (B, R, K, F); 0 where the mask is."""
    edges: Array
    """Of shape (B, R, K, 2); 0 where the mask is."""
    mask: Array
    """Of shape (B, R, K): 1 where there is a neighbour, else 0."""

    def __len__(self) -> int:
        return len(self.x)

    def to_flat(self) -> Array:
        """Return rows of shape (B, D)."""
        parts = (self.x, self.neighbours, self.edges, self.mask)
        return np.concatenate([part.reshape(len(self.x), -1) for part in parts], axis=1)


def shape_of(plan: FraudPlan) -> EgoShape:
    """Return the sizes of a plan's ego rows."""
    return EgoShape(len(schema_of(plan).names), len(plan.relations), plan.neighbours)


def from_flat(rows: NDArray[np.floating], shape: EgoShape) -> EgoRows:
    """Read what `EgoRows.to_flat` wrote.

    Raises
    ------
    InvalidInputError
        If the rows have another width, with reason `wrong_width`, or an edge or the mask holds what none can,
        with reason `bad_ego_row`.
    """
    if rows.ndim != 2 or rows.shape[1] != shape.width:
        raise InvalidInputError(
            f"ego rows of shape {rows.shape}, the model takes (rows, {shape.width}): {shape.n_features} "
            f"features, {shape.n_relations} relations, {shape.neighbours} neighbours",
            reason="wrong_width",
        )
    rows = np.asarray(rows, dtype=np.float32)
    grid = (len(rows), shape.n_relations, shape.neighbours)
    n_edges = shape.n_relations * shape.neighbours
    ends = np.cumsum([shape.n_features, n_edges * shape.n_features, n_edges * EDGE_FEATURES])
    x, neighbours, edges, mask = np.split(rows, ends, axis=1)
    if not (np.isin(mask, (0.0, 1.0)).all() and np.isfinite(edges).all()):
        raise InvalidInputError(
            "ego rows: edges must be finite and a mask 0 or 1; make them with watchkeeper.fraud.ego",
            reason="bad_ego_row",
        )
    return EgoRows(
        x,
        neighbours.reshape(*grid, shape.n_features),
        edges.reshape(*grid, EDGE_FEATURES),
        mask.reshape(grid),
    )


def ego_of(vector: Vector, time: float, neighbourhood: Neighbourhood, plan: FraudPlan) -> EgoRows:
    """Return the ego row of one transaction: the online side.

    Parameters
    ----------
    vector
        The transaction's own, as it is stored.
    time
        Its time, epoch seconds: labels known later are not shown.
    """
    shape = shape_of(plan)
    grid = (1, shape.n_relations, shape.neighbours)
    neighbours = np.zeros((*grid, shape.n_features), np.float32)
    edges, mask = np.zeros((*grid, EDGE_FEATURES), np.float32), np.zeros(grid, np.float32)
    for at, relation in enumerate(plan.relations):
        history = neighbourhood.get(relation.name)
        for place, neighbour in enumerate(history.latest[: plan.neighbours] if history else ()):
            neighbours[0, at, place] = neighbour.vector
            edges[0, at, place] = np.log1p(time - neighbour.time), neighbour.label_at(time)
            mask[0, at, place] = 1.0
    return EgoRows(vector[None].astype(np.float32), neighbours, edges, mask)


def stacked(rows: list[EgoRows]) -> EgoRows:
    """Return the rows of a list as one."""
    return EgoRows(
        *(
            np.concatenate([getattr(one, name) for one in rows])
            for name in ("x", "neighbours", "edges", "mask")
        )
    )
