"""Public labelled tables that come with scikit-learn, one class made rare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sklearn.datasets

from containers.service.labels import Labels
from containers.service.tables import Table

SEED = 0


@dataclass(frozen=True)
class LabelledSet:
    """A table with its labels."""

    name: str
    what: str
    table: Table
    labels: Labels


def labelled_sets() -> list[LabelledSet]:
    """Return the sets."""
    cancer = sklearn.datasets.load_breast_cancer()
    digits = sklearn.datasets.load_digits()
    wine = sklearn.datasets.load_wine()
    return [
        _rare("breast cancer", "malignant among benign", cancer.data, cancer.target == 0, 40),
        _rare("digits", "zeros among the other digits", digits.data, digits.target == 0, 60),
        _rare("wine", "the first cultivar among the others", wine.data, wine.target == 0, 12),
    ]


def _rare(name: str, what: str, values: np.ndarray, rare: np.ndarray, keep: int) -> LabelledSet:
    rng = np.random.default_rng(SEED)
    chosen = np.concatenate((np.flatnonzero(~rare), rng.choice(np.flatnonzero(rare), keep, replace=False)))
    rows = np.sort(chosen)
    columns = tuple(f"feature_{number}" for number in range(values.shape[1]))
    return LabelledSet(name, what, Table(0, columns, values[rows].astype(float), None), rare[rows])
