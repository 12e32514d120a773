"""Detectors of random cuts: isolation forest, and random cut forest."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.detectors.forest.forest import FrozenForest
from watchkeeper.detectors.forest.kernel import Trees
from watchkeeper.detectors.tabular.detector import TabularDetector
from watchkeeper.detectors.tabular.parameters import require_whole

FloatArray = npt.NDArray[np.float64]
_ROWS_AT_ONCE = 4096
_LARGEST_SINGLE = float(np.finfo(np.float32).max)


@dataclass(kw_only=True, eq=False)
class IsolationForestDetector(TabularDetector):
    """Isolation forest (Liu, Ting & Zhou 2008), grown by scikit-learn.

    The score is 0 to 1: 2 to the power of minus the mean depth, in units of an ordinary row's.

    Parameters
    ----------
    n_estimators : int, default 100
    max_samples : int, default 256
        Rows of a tree; at most those there are.
    max_features : float, default 1.0
        Share of the columns that a tree sees.
    random_state : int, default 0
    """

    algorithm: ClassVar[str] = "isolation_forest"
    learned: ClassVar[tuple[str, ...]] = (
        *("roots_", "left_", "right_", "cut_feature_", "cut_value_", "depth_", "ordinary_depth_"),
    )

    n_estimators: int = 100
    max_samples: int = 256
    max_features: float = 1.0
    random_state: int = 0

    def _check_parameters(self) -> None:
        super()._check_parameters()
        require_whole(self.n_estimators, "n_estimators")
        require_whole(self.max_samples, "max_samples")
        if not 0 < self.max_features <= 1:
            raise InvalidInputError(
                f"max_features is {self.max_features!r}: give a number above 0 and at most 1"
            )

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        with extra("scikit-learn", "the isolation forest"):
            from sklearn.ensemble import IsolationForest

        rows = _single(rows)
        grown = IsolationForest(
            n_estimators=self.n_estimators,
            max_samples=min(self.max_samples, len(rows)),
            max_features=float(self.max_features),
            random_state=self.random_state,
        ).fit(rows)
        self._take(grown)
        self._prepare()
        return self._score_columns(rows)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        return np.concatenate(
            [
                self._score_some(_single(rows[first : first + _ROWS_AT_ONCE]))
                for first in range(0, len(rows), _ROWS_AT_ONCE)
            ]
        )

    def _score_some(self, rows: FloatArray) -> FloatArray:
        total = np.zeros(len(rows))
        cells = rows.ravel()
        first_cell = np.arange(len(rows)) * rows.shape[1]
        for root in self.roots_:
            nodes = np.full(len(rows), root, dtype=np.intp)
            for _ in range(self._levels):
                values = cells.take(first_cell + self._feature.take(nodes))
                nodes = self._children.take(2 * nodes + (values > self.cut_value_.take(nodes)))
            total += self.depth_.take(nodes)
        score: FloatArray = 2.0 ** -(
            total / self.ordinary_depth_ if self.ordinary_depth_ else 1.0 + 0 * total
        )
        return score

    def _prepare(self) -> None:
        """Let a leaf be its own child, so that all rows go down all levels and none is looked for."""
        nodes = np.arange(len(self.left_))
        sides = [np.where(side >= 0, side, nodes) for side in (self.left_, self.right_)]
        self._children = np.column_stack(sides).ravel().astype(np.intp)
        self._feature = np.maximum(self.cut_feature_, 0).astype(np.intp)
        self._levels = int(self._depths().max())

    def _take(self, grown: Any) -> None:
        """Take the trees' arrays, a node being its position among those of all trees."""
        trees = [estimator.tree_ for estimator in grown.estimators_]
        counts = np.array([tree.node_count for tree in trees])
        self.roots_ = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int32)

        def children(side: str) -> npt.NDArray[np.int32]:
            return np.concatenate(
                [
                    np.where(getattr(tree, side) >= 0, getattr(tree, side) + root, -1).astype(np.int32)
                    for tree, root in zip(trees, self.roots_, strict=True)
                ]
            )

        self.left_, self.right_ = children("children_left"), children("children_right")
        self.cut_feature_ = np.concatenate(
            [
                np.where(tree.feature >= 0, columns[np.maximum(tree.feature, 0)], -1).astype(np.int32)
                for tree, columns in zip(trees, grown.estimators_features_, strict=True)
            ]
        )
        self.cut_value_ = np.concatenate([tree.threshold for tree in trees])
        rows_below = np.concatenate([tree.n_node_samples for tree in trees])
        self.depth_ = self._depths() + _mean_depth(rows_below)
        self.ordinary_depth_ = float(len(trees) * _mean_depth(np.array([grown.max_samples_]))[0])

    def _depths(self) -> FloatArray:
        """Return each node's number of cuts above it."""
        depths = np.zeros(len(self.left_))
        level = self.roots_
        while len(level):
            level = level[self.left_[level] >= 0]
            for side in (self.left_, self.right_):
                depths[side[level]] = depths[level] + 1.0
            level = np.concatenate((self.left_[level], self.right_[level]))
        return depths


@dataclass(kw_only=True, eq=False)
class RCFDetector(TabularDetector):
    """Random cut forest (Guha et al. 2016): `forest.FrozenForest` behind the common interface.

    Parameters
    ----------
    n_trees : int, default 50
    sample_size : int, default 256
        Rows of a tree.
    random_state : int, default 0
    """

    algorithm: ClassVar[str] = "rcf"
    learned: ClassVar[tuple[str, ...]] = tuple(f"{field.name}_" for field in fields(Trees))

    n_trees: int = 50
    sample_size: int = 256
    random_state: int = 0

    def _check_parameters(self) -> None:
        super()._check_parameters()
        require_whole(self.n_trees, "n_trees")
        require_whole(self.sample_size, "sample_size", at_least=2)

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        self._forest = FrozenForest(
            n_trees=self.n_trees, sample_size=self.sample_size, random_state=self.random_state
        ).fit(rows)
        for field in fields(Trees):
            setattr(self, f"{field.name}_", getattr(self._forest.trees_, field.name))
        return self._score_columns(rows)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        return self._forest.score_samples(rows)

    def _prepare(self) -> None:
        self._forest = FrozenForest.from_trees(
            Trees(**{field.name: getattr(self, f"{field.name}_") for field in fields(Trees)})
        )


def _mean_depth(rows: npt.NDArray[Any]) -> FloatArray:
    """Return the mean depth at which one of so many rows is alone: equation 1 of Liu, Ting & Zhou 2008."""
    counted = np.maximum(rows.astype(np.float64), 3.0)
    above = 2.0 * (np.log(counted - 1.0) + np.euler_gamma) - 2.0 * (counted - 1.0) / counted
    depth: FloatArray = np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, above))
    return depth


def _single(rows: FloatArray) -> FloatArray:
    """Return rows rounded to single precision, in which scikit-learn compares them with a cut."""
    limited = np.clip(rows, -_LARGEST_SINGLE, _LARGEST_SINGLE)
    return limited.astype(np.float32).astype(np.float64)
