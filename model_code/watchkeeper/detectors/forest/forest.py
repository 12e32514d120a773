"""A random cut forest that is fitted once and then scores rows in batches.

The scores are those of Guha, Mishra, Roy & Schrijvers, "Robust Random Cut Forest Based Anomaly Detection on
Streams", ICML 2016, with the constants of AWS's open implementation: 1 / (depth + 1) for a point that a cut
separates at that depth, (1 - m / 2M) / (depth + log2(m + 1)) for a point equal to a leaf of mass m in a
tree of mass M, each times log2(M + 1), averaged over the trees. About 1 is ordinary.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.forest import kernel as forest_kernel
from watchkeeper.detectors.forest.kernel import Trees
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.protocol.adjustable import Adjustable

if TYPE_CHECKING:
    from typing import Self


FloatArray = npt.NDArray[np.float64]
FORMAT = "watchkeeper-forest"


class FrozenForest(Adjustable):
    """Score rows against a random cut forest that does not change.

    Parameters
    ----------
    n_trees : int, default 50
    sample_size : int, default 256
        Rows of each tree, drawn without replacement.
    random_state : int, default 0

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(1000, 2))
    >>> forest = FrozenForest().fit(rows)
    >>> bool(forest.score_samples([[9.0, 9.0]])[0] > forest.score_samples(rows).max())
    True
    """

    def __init__(self, *, n_trees: int = 50, sample_size: int = 256, random_state: int = 0) -> None:
        self.n_trees = n_trees
        self.sample_size = sample_size
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Grow the trees from finite rows, for example a reservoir's sample; shape (n_rows, n_features)."""
        if self.n_trees < 1 or self.sample_size < 2:
            raise InvalidInputError("n_trees must be at least 1 and sample_size at least 2")
        rows = _checked_rows(X, None)
        if not len(rows):
            raise InvalidInputError("no rows to fit: give at least one")
        generator = np.random.default_rng(self.random_state)
        size = min(self.sample_size, len(rows))
        parts = [
            grow_tree(rows[generator.choice(len(rows), size, replace=False)], generator)
            for _ in range(self.n_trees)
        ]
        return self._set(_concatenated(parts))

    def score_samples(self, X: npt.ArrayLike) -> FloatArray:
        """Return each row's anomaly score, shape (n_rows,): at least 0, about 1 is ordinary, higher is
        odder."""
        rows = _checked_rows(X, self.trees_.box.shape[2])
        return forest_kernel.score(self.nodes_, rows)

    def attribute(self, X: npt.ArrayLike) -> FloatArray:
        """Return the part of each row's score that each feature accounts for, shape (n_rows, n_features).

        The parts are at least 0 and add up to the score. A cut that separates the row counts for the
        features in the proportion in which the row is outside the node's box; a leaf in proportion to the
        distance along each feature.
        """
        rows = _checked_rows(X, self.trees_.box.shape[2])
        return forest_kernel.attribute(self.nodes_, rows)

    def to_bytes(self) -> bytes:
        """Return the forest as an archive of arrays, without pickle; see `persistence`."""
        arrays = {field.name: getattr(self.trees_, field.name) for field in fields(Trees)}
        return persistence.dump(FORMAT, self.get_params(), arrays)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the forest that `to_bytes` wrote; it scores bit for bit as the original."""
        settings, arrays = persistence.load(FORMAT, content)
        try:
            return cls.from_trees(Trees(**arrays), **settings)
        except TypeError as error:
            raise ContractViolationError(f"{FORMAT}: unexpected members ({error})") from error

    @classmethod
    def from_trees(cls, trees: Trees, **settings: int) -> Self:
        """Return a forest of trees that were grown elsewhere."""
        return cls(**settings)._set(trees)

    def _set(self, trees: Trees) -> Self:
        self.trees_ = trees
        self.n_features_in_ = trees.box.shape[2]
        self.nodes_ = forest_kernel.prepare(trees)
        return self


def _concatenated(parts: list[dict[str, npt.NDArray[Any]]]) -> Trees:
    sizes = [len(part["mass"]) for part in parts]
    roots = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int32)
    for part, root in zip(parts, roots, strict=True):
        for side in ("left", "right"):
            part[side] = np.where(part[side] >= 0, part[side] + root, -1).astype(np.int32)
    return Trees(roots=roots, **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _checked_rows(X: npt.ArrayLike, features: int | None) -> FloatArray:
    try:
        rows = np.ascontiguousarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"rows are not all numbers: {error}") from error
    if rows.ndim != 2 or (features is not None and rows.shape[1] != features):
        raise InvalidInputError(f"rows have shape {rows.shape}: give (n_rows, {features or 'n_features'})")
    if not np.isfinite(rows).all():
        raise InvalidInputError(
            f"row {int((~np.isfinite(rows)).any(axis=1).argmax())} has a value that is not finite"
        )
    return rows


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
