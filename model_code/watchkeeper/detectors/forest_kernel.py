"""Scores and attributions of a frozen forest: compiled, and in numpy.

Compiled scoring takes all rows of a node at once, so that its box is at hand and no row waits for the
memory that the last one asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.compiled import HAVE_NUMBA, compiled_reassociating

if TYPE_CHECKING:
    from watchkeeper.detectors.forest import Trees

FloatArray = npt.NDArray[np.float64]
# Rows that go down a tree together: enough that a node has several, few enough to stay in the cache.
_ROWS_AT_ONCE = 2048


def score(trees: Trees, ranges: FloatArray, rows: FloatArray) -> FloatArray:
    """Return the anomaly score of each row, shape (n_rows,)."""
    if HAVE_NUMBA:
        result = np.zeros(len(rows))
        _scorer(rows.shape[1])(_arrays(trees), ranges, rows, result)
        return result
    total: FloatArray = attribute(trees, ranges, rows).sum(axis=1)
    return total


def attribute(trees: Trees, ranges: FloatArray, rows: FloatArray) -> FloatArray:
    """Return each feature's part of the score, shape (n_rows, n_features)."""
    if HAVE_NUMBA:
        result: FloatArray = _attribute_compiled(_arrays(trees), ranges, rows)
        return result
    total = np.zeros(rows.shape)
    for root in trees.roots:
        total += _attribute_in_numpy(trees, ranges, int(root), rows) * np.log2(trees.mass[root] + 1.0)
    return total / len(trees.roots)


def _arrays(trees: Trees) -> tuple[npt.NDArray[np.generic], ...]:
    return (
        trees.roots,
        trees.left,
        trees.right,
        trees.cut_dimension,
        trees.cut_value,
        trees.mass,
        np.ascontiguousarray(trees.box[:, 0]),
        np.ascontiguousarray(trees.box[:, 1]),
    )


@functools.cache
def _scorer(features: int) -> Callable[..., None]:
    """Return the scorer of rows with this many features: a constant, so that its loops are unrolled."""

    @compiled_reassociating
    def score_rows(trees: Any, ranges: Any, rows: Any, result: Any) -> None:
        roots, left, right, dimension, value, mass, highest, lowest = trees
        members = np.empty(_ROWS_AT_ONCE, np.int64)
        going_right = np.empty(_ROWS_AT_ONCE, np.int64)
        remaining = np.empty(_ROWS_AT_ONCE)
        pending = np.empty((len(left) + 1, 4), np.int64)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, len(rows) - start)
            for root in roots:
                for member in range(count):
                    members[member] = start + member
                    remaining[member] = np.log2(mass[root] + 1.0) / len(roots)
                pending[0, 0], pending[0, 1], pending[0, 2], pending[0, 3] = root, 0, count, 1
                waiting = 1
                while waiting > 0:
                    waiting -= 1
                    node, first, last = pending[waiting, 0], pending[waiting, 1], pending[waiting, 2]
                    depth = pending[waiting, 3]
                    cut = dimension[node]
                    if cut < 0:
                        damped = 1.0 - mass[node] / (2.0 * mass[root])
                        seen = damped / (depth - 1.0 + np.log2(mass[node] + 1.0))
                        for position in range(first, last):
                            row = members[position]
                            equal = True
                            for feature in range(features):
                                equal = equal and rows[row, feature] == highest[node, feature]
                            result[row] += remaining[row - start] * (seen if equal else 1.0 / depth)
                        continue
                    # Partitioned without a branch: both sides are written, one of them advances.
                    stays, leaves = first, 0
                    for position in range(first, last):
                        row = members[position]
                        outside = 0.0
                        for feature in range(features):
                            above = rows[row, feature] - highest[node, feature]
                            below = lowest[node, feature] - rows[row, feature]
                            gap = above if above > below else below
                            outside += gap if gap > 0.0 else 0.0
                        share = remaining[row - start] / (outside + ranges[node])
                        result[row] += outside * share / depth
                        remaining[row - start] = ranges[node] * share
                        goes_left = rows[row, cut] <= value[node]
                        members[stays] = row
                        going_right[leaves] = row
                        stays += goes_left
                        leaves += 1 - goes_left
                    for position in range(leaves):
                        members[stays + position] = going_right[position]
                    if leaves > 0:
                        pending[waiting, 0], pending[waiting, 1] = right[node], stays
                        pending[waiting, 2], pending[waiting, 3] = last, depth + 1
                        waiting += 1
                    if stays > first:
                        pending[waiting, 0], pending[waiting, 1] = left[node], first
                        pending[waiting, 2], pending[waiting, 3] = stays, depth + 1
                        waiting += 1

    return score_rows


@compiled_reassociating
def _attribute_compiled(trees: Any, ranges: Any, rows: Any) -> Any:
    roots, left, right, dimension, value, mass, highest, lowest = trees
    count, features = rows.shape
    result = np.zeros((count, features))
    gaps = np.zeros(features)
    for start in range(0, count, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, count)
        for root in roots:
            weight = np.log2(mass[root] + 1.0) / len(roots)
            for row in range(start, stop):
                node = root
                depth = 1.0
                remaining = weight
                while True:
                    outside = 0.0
                    for feature in range(features):
                        v = rows[row, feature]
                        gap = max(v - highest[node, feature], 0.0) + max(lowest[node, feature] - v, 0.0)
                        gaps[feature] = gap
                        outside += gap
                    cut = dimension[node]
                    if cut < 0:
                        break
                    if outside > 0.0:
                        share = remaining / (outside + ranges[node]) / depth
                        for feature in range(features):
                            result[row, feature] += gaps[feature] * share
                        remaining *= ranges[node] / (outside + ranges[node])
                    node = left[node] if rows[row, cut] <= value[node] else right[node]
                    depth += 1.0
                if outside > 0.0:
                    share = remaining / depth / outside
                    for feature in range(features):
                        result[row, feature] += gaps[feature] * share
                else:
                    damped = 1.0 - mass[node] / (2.0 * mass[root])
                    share = remaining * damped / (depth - 1.0 + np.log2(mass[node] + 1.0)) / features
                    for feature in range(features):
                        result[row, feature] += share
    return result


def _attribute_in_numpy(trees: Trees, ranges: FloatArray, root: int, rows: FloatArray) -> FloatArray:
    """Return each feature's part of one tree's score before its weight, walking all rows down together."""
    result = np.zeros(rows.shape)
    node = np.full(len(rows), root)
    remaining = np.ones(len(rows))
    active = np.arange(len(rows))
    depth = 1.0
    while len(active):
        here = node[active]
        x = rows[active]
        gaps = np.maximum(x - trees.box[here, 0], 0.0) + np.maximum(trees.box[here, 1] - x, 0.0)
        outside = gaps.sum(axis=1)
        leaf = trees.cut_dimension[here] < 0
        masses = trees.mass[here]
        equal = leaf & (outside == 0)
        separated = leaf & ~equal
        result[active[separated]] += (
            gaps[separated] * (remaining[active[separated]] / depth / outside[separated])[:, np.newaxis]
        )
        damped = (1.0 - masses[equal] / (2.0 * trees.mass[root])) / (
            depth - 1.0 + np.log2(masses[equal] + 1.0)
        )
        result[active[equal]] += (remaining[active[equal]] * damped / rows.shape[1])[:, np.newaxis]
        inner = active[~leaf]
        width = outside[~leaf] + ranges[here[~leaf]]
        result[inner] += gaps[~leaf] * (remaining[inner] / width / depth)[:, np.newaxis]
        remaining[inner] *= ranges[here[~leaf]] / width
        goes_left = x[~leaf, trees.cut_dimension[here[~leaf]]] <= trees.cut_value[here[~leaf]]
        node[inner] = np.where(goes_left, trees.left[here[~leaf]], trees.right[here[~leaf]])
        active = inner
        depth += 1.0
    return result
