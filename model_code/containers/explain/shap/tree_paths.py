"""Interventional TreeSHAP over groups of columns: exact, and in the compiled kernel.

For a row x and a baseline row b, a leaf is reached by exactly those coalitions that take from x all inputs
in a set A and from b all inputs in a set B, the inputs whose splits send x and b different ways on the path.
The Shapley values of that game are known in closed form, so a value is a sum over the leaves that some
coalition reaches. The inputs are groups of the tree's columns: all columns that an encoder made of one input
go with it, which no sum over the columns' own values would give.

References
----------
Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature
Machine Intelligence 2, 2020 (interventional TreeSHAP).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.native.library import FLOAT, INT, address, library

FloatArray = npt.NDArray[np.float64]

MAX_GROUPS = 150
"""Factorials above it are no floats."""


def path_weights(n_groups: int) -> tuple[FloatArray, FloatArray]:
    """Return what each input of A gains and each of B loses of a leaf's value, by the sizes of A and B."""
    gain, loss = np.zeros((2, n_groups + 1, n_groups + 1))
    for a in range(n_groups + 1):
        for b in range(n_groups + 1 - a):
            if a:
                gain[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
            if b:
                loss[a, b] = factorial(a) * factorial(b - 1) / factorial(a + b)
    return gain, loss


def attribute(
    rows: FloatArray,
    baseline: FloatArray,
    nodes: Sequence[npt.NDArray[Any]],
    roots: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    n_groups: int,
) -> FloatArray:
    """Return what each group of columns adds to the answers of an ensemble, as a mean over the baseline.

    Parameters
    ----------
    rows, baseline
        Columns of the trees; shapes (n_rows, n_columns) and (n_baseline, n_columns).
    nodes
        Of all trees, an array each: left and right child (negative: a leaf), column, threshold, value (with
        the tree's weight), whether a missing number goes left.
    roots
        Each tree's first node.
    groups
        Of each column.

    Returns
    -------
    ndarray of shape (n_rows, n_groups)
    """
    values = np.zeros((len(rows), n_groups))
    sizes = (len(rows), len(baseline), rows.shape[1], n_groups, len(roots))
    scratch = np.empty(7 * (n_groups + 1), INT)
    kinds = (FLOAT, FLOAT, INT, INT, INT, FLOAT, FLOAT, INT, INT, INT, FLOAT, FLOAT)
    given = (rows, baseline, *nodes, roots, groups, *path_weights(n_groups))
    arrays = [np.ascontiguousarray(array, kind) for array, kind in zip(given, kinds, strict=True)]
    library().attribute_trees(
        *map(ctypes.c_longlong, sizes),
        *(address(array, kind) for array, kind in zip(arrays, kinds, strict=True)),
        address(scratch, INT),
        address(values, FLOAT),
    )
    return values
