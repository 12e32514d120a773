"""Boosted trees as arrays: read from what LightGBM writes, asked with numpy.

The SKLearn image that serves has no LightGBM. Trees are padded to the largest; the answers are LightGBM's own
to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import ContractViolationError

_CHUNK = 4096
"""Rows that are asked at once: all trees follow them together."""


@dataclass(frozen=True, eq=False)
class Trees:
    """An ensemble, as arrays of shape (n_trees, n_nodes).

    A negative child is a leaf: -1 is the tree's first, -2 its second.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    """Where a missing value goes."""
    leaf: NDArray[np.float64]
    """Of shape (n_trees, n_leaves)."""

    @classmethod
    def of(cls, dump: dict[str, Any]) -> Trees:
        """Read what `Booster.dump_model` of LightGBM returns.

        Raises
        ------
        ContractViolationError
            If there is a decision of another kind than `value <= threshold`.
        """
        trees = [_flat(tree["tree_structure"]) for tree in dump["tree_info"]]
        nodes = max((len(tree[0]) for tree in trees), default=1)
        leaves = max((len(tree[1]) for tree in trees), default=1)
        shape = (len(trees), max(nodes, 1))
        ensemble = cls(
            np.zeros(shape, np.int32),
            np.zeros(shape),
            np.full(shape, -1, np.int32),
            np.full(shape, -1, np.int32),
            np.zeros(shape, np.bool_),
            np.zeros((len(trees), leaves)),
        )
        for number, (splits, values) in enumerate(trees):
            for place, split in enumerate(splits):
                ensemble.feature[number, place] = split["split_feature"]
                ensemble.threshold[number, place] = split["threshold"]
                ensemble.left[number, place], ensemble.right[number, place] = split["children"]
                ensemble.missing_left[number, place] = _missing_left(split)
            ensemble.leaf[number, : len(values)] = values
        return ensemble

    def logits(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the log-odds of rows of shape (n, n_features); NaN is a missing value."""
        parts = [self._logits(rows[start : start + _CHUNK]) for start in range(0, len(rows), _CHUNK)]
        return np.concatenate([np.empty(0), *parts])

    def _logits(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        n, (n_trees, n_nodes) = len(rows), self.feature.shape
        values = rows.astype(np.float64).ravel()
        first_value = np.tile(np.arange(n) * rows.shape[1], n_trees)
        first_node = np.repeat(np.arange(n_trees) * n_nodes, n)
        node = np.zeros(n_trees * n, np.int64)
        going = np.arange(n_trees * n)
        while len(going):
            here = first_node[going] + node[going]
            value = values[first_value[going] + self.feature.ravel()[here]]
            left = np.where(
                np.isnan(value), self.missing_left.ravel()[here], value <= self.threshold.ravel()[here]
            )
            node[going] = np.where(left, self.left.ravel()[here], self.right.ravel()[here])
            going = going[node[going] >= 0]
        first_leaf = np.repeat(np.arange(n_trees) * self.leaf.shape[1], n)
        return np.asarray(self.leaf.ravel()[first_leaf - 1 - node].reshape(n_trees, n).sum(axis=0))


def _flat(root: dict[str, Any]) -> tuple[list[dict[str, Any]], list[float]]:
    """Return a tree's splits, with children by place, and the values of its leaves."""
    splits: list[dict[str, Any]] = []
    leaves: list[float] = []

    def place_of(node: dict[str, Any]) -> int:
        if "leaf_value" in node:
            leaves.append(node["leaf_value"])
            return -len(leaves)
        if node["decision_type"] != "<=":
            raise ContractViolationError(f"a tree decides by {node['decision_type']}, expected <=")
        place = len(splits)
        splits.append({})
        splits[place] = {**node, "children": (place_of(node["left_child"]), place_of(node["right_child"]))}
        return place

    place_of(root)
    return splits, leaves


def _missing_left(split: dict[str, Any]) -> bool:
    """Return where a NaN goes: LightGBM takes it for 0 where the training had none."""
    if split["missing_type"] == "NaN":
        return bool(split["default_left"])
    return bool(split["threshold"] >= 0.0)
