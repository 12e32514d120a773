"""Scores and attributions of a frozen forest: compiled, and in numpy.

Compiled scoring takes all rows of a node at once, so that its box is at hand and no row waits for the
memory that the last one asked for.

A tree's score is a sum over the path, sum of remaining_k * weight_k with remaining_k = product of
range_j / grown_j for j < k. It is kept as one fraction: going through a node multiplies both its parts by
grown / range and adds the next weight to the numerator, so there is one division a tree and not one a node.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.forest.compiled import HAVE_NUMBA, compiled_reassociating

if HAVE_NUMBA:
    from watchkeeper.detectors.forest.boxes import grown_span

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
# Rows that go down a tree together: enough that a node has several, few enough to stay in the cache.
_ROWS_AT_ONCE = 2048
_DOUBLE_BYTES = 8
# A row so far outside that the fraction leaves the range of doubles goes the way of `attribute`.
_LARGEST_DENOMINATOR = 1e290


@dataclass(frozen=True)
class Trees:
    """All nodes of all trees in flat arrays; a node is its position.

    Attributes
    ----------
    roots : ndarray of int32, shape (n_trees,)
    left, right : ndarray of int32, shape (n_nodes,)
        Children; -1 in a leaf.
    cut_dimension : ndarray of int32, shape (n_nodes,)
        A row goes left when its value there is at most `cut_value`; -1 in a leaf.
    cut_value : ndarray of float64, shape (n_nodes,)
    mass : ndarray of float64, shape (n_nodes,)
        Sampled rows under the node.
    box : ndarray of float64, shape (n_nodes, 2, n_features)
        Largest and smallest values under the node.
    """

    roots: IntArray
    left: IntArray
    right: IntArray
    cut_dimension: IntArray
    cut_value: FloatArray
    mass: FloatArray
    box: FloatArray


class Nodes(NamedTuple):
    """The trees as compiled code reads them; one element, or row, a node where not said otherwise.

    Attributes
    ----------
    roots, left, right, cut_dimension, cut_value, mass
        As of `Trees`.
    highest, lowest : ndarray, shape (n_nodes, n_features)
        The corners of the node's box.
    span : ndarray
        Sum of the box's sides.
    per_span : ndarray
        1 / span; infinite in a leaf.
    weights : ndarray, shape (n_nodes, 2)
        Of an inner node, what the step to its children adds to the fraction's two parts (nothing to the
        second). Of a leaf, what a row that equals it gets more than one that does not.
    """

    roots: npt.NDArray[np.int32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    cut_dimension: npt.NDArray[np.int32]
    cut_value: FloatArray
    mass: FloatArray
    highest: FloatArray
    lowest: FloatArray
    span: FloatArray
    per_span: FloatArray
    weights: FloatArray


def prepare(trees: Trees) -> Nodes:
    """Return the trees as `score` and `attribute` read them."""
    span = (trees.box[:, 0] - trees.box[:, 1]).sum(axis=1)
    depth, tree_mass = _depths(trees)
    seen = (1.0 - trees.mass / (2.0 * tree_mass)) / (depth + np.log2(trees.mass + 1.0))
    weights = np.zeros((len(depth), 2))
    # 1 / (depth + 1) is what the row gets that ends here, so a step exchanges it for the next depth's.
    weights[:, 0] = np.where(
        trees.cut_dimension < 0, seen - 1.0 / (depth + 1.0), -1.0 / ((depth + 1.0) * (depth + 2.0))
    )
    with np.errstate(divide="ignore"):
        per_span = 1.0 / span
    return Nodes(
        roots=trees.roots,
        left=trees.left,
        right=trees.right,
        cut_dimension=trees.cut_dimension,
        cut_value=trees.cut_value,
        mass=trees.mass,
        highest=np.ascontiguousarray(trees.box[:, 0]),
        lowest=np.ascontiguousarray(trees.box[:, 1]),
        span=span,
        per_span=per_span,
        weights=weights,
    )


def score(nodes: Nodes, rows: FloatArray) -> FloatArray:
    """Return the anomaly score of each row, shape (n_rows,)."""
    if not HAVE_NUMBA:
        total: FloatArray = attribute(nodes, rows).sum(axis=1)
        return total
    result, far = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.bool_)
    _scorer(rows.shape[1])(nodes, rows, result, far)
    if far.any():
        result[far] = attribute(nodes, rows[far]).sum(axis=1)
    return result


def attribute(nodes: Nodes, rows: FloatArray) -> FloatArray:
    """Return each feature's part of the score, shape (n_rows, n_features)."""
    if HAVE_NUMBA:
        result: FloatArray = _attribute_compiled(nodes, rows)
        return result
    total = np.zeros(rows.shape)
    for root in nodes.roots:
        total += _attribute_in_numpy(nodes, int(root), rows) * np.log2(nodes.mass[root] + 1.0)
    return total / len(nodes.roots)


def _depths(trees: Trees) -> tuple[FloatArray, FloatArray]:
    """Return each node's depth and the mass of its tree."""
    depth, tree_mass = np.zeros(len(trees.mass)), np.zeros(len(trees.mass))
    level, below = trees.roots, 0
    tree_mass[level] = trees.mass[level]
    while len(level):
        depth[level] = below
        inner = level[trees.cut_dimension[level] >= 0]
        for children in (trees.left[inner], trees.right[inner]):
            tree_mass[children] = tree_mass[inner]
        level = np.concatenate((trees.left[inner], trees.right[inner]))
        below += 1
    return depth, tree_mass


@functools.cache
def _scorer(features: int) -> Callable[[Nodes, FloatArray, FloatArray, npt.NDArray[np.bool_]], None]:
    """Return the scorer of rows with this many features: a constant, so that its loops are unrolled.

    It adds to `result`, and marks in `far` the rows whose fraction got too large.
    """

    @compiled_reassociating
    def score_rows(nodes: Any, rows: Any, result: Any, far: Any) -> None:
        one = np.uint64(1)  # unsigned positions cannot be negative, which spares a check at each of them
        row_bytes = np.uint64(features * _DOUBLE_BYTES)
        members = np.empty((2, _ROWS_AT_ONCE), np.uint32)
        fraction = np.empty((_ROWS_AT_ONCE, 2))
        pending = np.empty((len(nodes.left) + 1, 4), np.int64)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, len(rows) - start)
            block = rows[start : start + count]
            cells, block_at = block.reshape(-1), np.uint64(block.ctypes.data)
            for root in nodes.roots:
                weight = np.log2(nodes.mass[root] + 1.0) / len(nodes.roots)
                for member in range(count):
                    members[0, member] = member
                    fraction[member, 0] = fraction[member, 1] = 1.0
                pending[0, 0], pending[0, 1], pending[0, 2], pending[0, 3] = root, 0, count, 0
                waiting = 1
                while waiting > 0:
                    waiting -= 1
                    node, side = pending[waiting, 0], pending[waiting, 3]
                    first, last = np.uint64(pending[waiting, 1]), np.uint64(pending[waiting, 2])
                    while nodes.cut_dimension[node] >= 0:
                        cut, value = np.uint64(nodes.cut_dimension[node]), nodes.cut_value[node]
                        highest = np.uint64(nodes.highest.ctypes.data) + np.uint64(node) * row_bytes
                        lowest = np.uint64(nodes.lowest.ctypes.data) + np.uint64(node) * row_bytes
                        added, nothing = nodes.weights[node, 0], nodes.weights[node, 1]
                        per_span = nodes.per_span[node]
                        here, below = members[side], members[1 - side]
                        # Partitioned without a branch: the row is written at the end of the left rows and at
                        # the front of the right ones, and one of the two places advances.
                        left_end, to_right = first, last - one - first
                        for position in range(first, last):
                            row = np.uint64(here[position])
                            growth = (
                                grown_span(features, block_at + row * row_bytes, highest, lowest) * per_span
                            )
                            fraction[row, 0] = fraction[row, 0] * growth + added
                            fraction[row, 1] = fraction[row, 1] * growth + nothing
                            below[left_end] = row
                            below[left_end + to_right] = row
                            to_right -= one
                            left_end += np.uint64(cells[row * np.uint64(features) + cut] <= value)
                        side = 1 - side
                        if left_end == first:
                            node = np.int64(nodes.right[node])
                            continue
                        if left_end < last:
                            pending[waiting, 0], pending[waiting, 1] = nodes.right[node], left_end
                            pending[waiting, 2], pending[waiting, 3] = last, side
                            waiting += 1
                        node, last = np.int64(nodes.left[node]), left_end
                    for position in range(first, last):
                        row = np.uint64(members[side, position])
                        equal = True
                        for feature in range(features):
                            if block[row, feature] != nodes.highest[node, feature]:
                                equal = False
                                break
                        numerator = fraction[row, 0] + (nodes.weights[node, 0] if equal else 0.0)
                        if fraction[row, 1] < _LARGEST_DENOMINATOR:
                            result[np.uint64(start) + row] += weight * numerator / fraction[row, 1]
                        else:
                            far[np.uint64(start) + row] = True

    return score_rows


@compiled_reassociating
def _attribute_compiled(nodes: Any, rows: Any) -> Any:
    roots, left, right, dimension, value, mass, highest, lowest, ranges, _, _ = nodes
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


def _attribute_in_numpy(nodes: Nodes, root: int, rows: FloatArray) -> FloatArray:
    """Return each feature's part of one tree's score before its weight, walking all rows down together."""
    result = np.zeros(rows.shape)
    node = np.full(len(rows), root)
    remaining = np.ones(len(rows))
    active = np.arange(len(rows))
    depth = 1.0
    while len(active):
        here = node[active]
        x = rows[active]
        gaps = np.maximum(x - nodes.highest[here], 0.0) + np.maximum(nodes.lowest[here] - x, 0.0)
        outside = gaps.sum(axis=1)
        leaf = nodes.cut_dimension[here] < 0
        masses = nodes.mass[here]
        equal = leaf & (outside == 0)
        separated = leaf & ~equal
        result[active[separated]] += (
            gaps[separated] * (remaining[active[separated]] / depth / outside[separated])[:, np.newaxis]
        )
        damped = (1.0 - masses[equal] / (2.0 * nodes.mass[root])) / (
            depth - 1.0 + np.log2(masses[equal] + 1.0)
        )
        result[active[equal]] += (remaining[active[equal]] * damped / rows.shape[1])[:, np.newaxis]
        inner = active[~leaf]
        width = outside[~leaf] + nodes.span[here[~leaf]]
        result[inner] += gaps[~leaf] * (remaining[inner] / width / depth)[:, np.newaxis]
        remaining[inner] *= nodes.span[here[~leaf]] / width
        goes_left = x[~leaf, nodes.cut_dimension[here[~leaf]]] <= nodes.cut_value[here[~leaf]]
        node[inner] = np.where(goes_left, nodes.left[here[~leaf]], nodes.right[here[~leaf]])
        active = inner
        depth += 1.0
    return result
