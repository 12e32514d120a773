"""Growing one random cut tree."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def grow_tree(rows: FloatArray, generator: np.random.Generator) -> dict[str, npt.NDArray[Any]]:
    """Cut rows apart until those left together are equal, and return the nodes as flat arrays, root first.

    A cut takes a feature with a probability in proportion to its range, and a value uniform in that range.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_features)
    generator : numpy.random.Generator
    """
    left: list[int] = []
    right: list[int] = []
    dimension: list[int] = []
    value: list[float] = []
    mass: list[float] = []
    box: list[tuple[FloatArray, FloatArray]] = []
    pending: list[tuple[npt.NDArray[np.int64], int, list[int] | None]] = [(np.arange(len(rows)), -1, None)]
    while pending:
        members, parent, side = pending.pop()
        node = len(mass)
        if side is not None:
            side[parent] = node
        highest, lowest = rows[members].max(axis=0), rows[members].min(axis=0)
        cut = _cut(highest, lowest, generator)
        left.append(-1)
        right.append(-1)
        mass.append(float(len(members)))
        box.append((highest, lowest))
        dimension.append(-1 if cut is None else cut[0])
        value.append(0.0 if cut is None else cut[1])
        if cut is not None:
            goes_left = rows[members, cut[0]] <= cut[1]
            pending.append((members[~goes_left], node, right))
            pending.append((members[goes_left], node, left))
    return {
        "left": np.array(left, dtype=np.int32),
        "right": np.array(right, dtype=np.int32),
        "cut_dimension": np.array(dimension, dtype=np.int32),
        "cut_value": np.array(value),
        "mass": np.array(mass),
        "box": np.array(box),
    }


def _cut(highest: FloatArray, lowest: FloatArray, generator: np.random.Generator) -> tuple[int, float] | None:
    scale = max(float(np.abs(highest).max()), float(np.abs(lowest).max()), 1e-300)
    ranges = highest / scale - lowest / scale
    if not ranges.any():
        return None
    dimension = int(np.searchsorted(np.cumsum(ranges), generator.random() * ranges.sum(), side="right"))
    dimension = min(dimension, len(ranges) - 1)
    while ranges[dimension] == 0:
        dimension -= 1
    share = generator.random()
    at = lowest[dimension] * (1.0 - share) + highest[dimension] * share
    # Rounding can put the cut on the highest value, which would leave the right side empty.
    return dimension, float(at if lowest[dimension] <= at < highest[dimension] else lowest[dimension])
