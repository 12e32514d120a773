"""Interventional TreeSHAP over groups of columns: exact, and compiled.

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

from collections.abc import Callable
from functools import cache
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_GROUPS = 150
"""Factorials above it are no floats."""


def path_weights(n_groups: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each input of A gains and each of B loses of a leaf's value, by the sizes of A and B."""
    gain, loss = np.zeros((2, n_groups + 1, n_groups + 1))
    for a in range(n_groups + 1):
        for b in range(n_groups + 1 - a):
            if a:
                gain[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
            if b:
                loss[a, b] = factorial(a) * factorial(b - 1) / factorial(a + b)
    return gain, loss


@cache
def compiled() -> Callable[..., None]:
    """Return `_attribute`, compiled; it takes a second or two, once a process."""
    import numba

    function: Callable[..., None] = numba.njit(nogil=True, boundscheck=False)(_attribute)
    return function


def _attribute(
    rows: Any,
    baseline: Any,
    left: Any,
    right: Any,
    column: Any,
    threshold: Any,
    value: Any,
    missing_left: Any,
    roots: Any,
    group: Any,
    gain: Any,
    loss: Any,
    result: Any,
) -> None:
    """Add each tree's values to `result`, of shape (n_rows, n_groups), as a mean over the baseline.

    `left` of a leaf is negative. `value` has the tree's weight in it.
    """
    n_groups = gain.shape[0] - 1
    side = np.zeros(n_groups, dtype=np.int8)  # 1: of A, 2: of B
    chosen = np.zeros(n_groups + 1, dtype=np.int64)
    later = np.zeros((n_groups + 1, 5), dtype=np.int64)
    for i in range(rows.shape[0]):
        for j in range(baseline.shape[0]):
            for root in roots:
                node, n, a, b, waiting = root, 0, 0, 0, 0
                while True:
                    while left[node] >= 0:
                        c = column[node]
                        x, z = rows[i, c], baseline[j, c]
                        x_left = missing_left[node] if np.isnan(x) else x <= threshold[node]
                        z_left = missing_left[node] if np.isnan(z) else z <= threshold[node]
                        x_node = left[node] if x_left else right[node]
                        z_node = left[node] if z_left else right[node]
                        if x_node == z_node:
                            node = x_node
                            continue
                        g = group[c]
                        if side[g] == 1:
                            node = x_node
                        elif side[g] == 2:
                            node = z_node
                        else:
                            later[waiting, 0] = z_node
                            later[waiting, 1] = n
                            later[waiting, 2] = g
                            later[waiting, 3] = a
                            later[waiting, 4] = b
                            waiting += 1
                            side[g] = 1
                            chosen[n] = g
                            n += 1
                            a += 1
                            node = x_node
                    for k in range(n):
                        g = chosen[k]
                        if side[g] == 1:
                            result[i, g] += value[node] * gain[a, b]
                        else:
                            result[i, g] -= value[node] * loss[a, b]
                    if waiting == 0:
                        break
                    waiting -= 1
                    for k in range(later[waiting, 1], n):
                        side[chosen[k]] = 0
                    node, n, g = later[waiting, 0], later[waiting, 1], later[waiting, 2]
                    a, b = later[waiting, 3], later[waiting, 4] + 1
                    side[g] = 2
                    chosen[n] = g
                    n += 1
                for k in range(n):
                    side[chosen[k]] = 0
    result /= baseline.shape[0]
