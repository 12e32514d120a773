"""Trains, stores and scores the forest.

As the built-in algorithm does, training draws `num_trees * num_samples_per_tree` rows at random and gives
each tree a uniform sample of them; the forest is frozen afterwards, so a score depends on the model and the
record alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import krcf
import numpy as np
from numpy.typing import NDArray

from .hyperparameters import Hyperparameters

FOREST_FILE = "forest.msgpack"
MODEL_FILE = "model.json"
SEED = 20170406
"""The algorithm has no seed among its hyperparameters; a constant one makes a training job repeatable."""


@dataclass(frozen=True)
class Forest:
    """A trained forest and the width of its records."""

    engine: krcf.RandomCutForest
    feature_dim: int

    def scores(self, records: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the anomaly score of each record, of shape (n_records,)."""
        score = self.engine.score
        return np.fromiter((score(record) for record in records.astype(np.float64)), np.float32, len(records))


def train(rows: NDArray[np.float32], hyperparameters: Hyperparameters) -> Forest:
    """Fit a forest to rows of shape (n_rows, feature_dim)."""
    capacity = hyperparameters.num_trees * hyperparameters.num_samples_per_tree
    drawn = np.random.default_rng(SEED).permutation(len(rows))[:capacity]
    engine = krcf.RandomCutForest(
        {
            "dimensions": hyperparameters.feature_dim,
            "shingle_size": 1,
            "internal_shingling": False,
            "num_trees": hyperparameters.num_trees,
            "sample_size": hyperparameters.num_samples_per_tree,
            "random_seed": SEED,
            "lambda": 0.0,  # uniform reservoirs: no decay in favour of rows that come late
            "output_after": 1,
            "parallel_execution_enabled": False,
        }
    )
    for row in rows[drawn].astype(np.float64):
        engine.update(row)
    return Forest(engine, hyperparameters.feature_dim)


def save(forest: Forest, directory: Path) -> None:
    """Write the model files."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / FOREST_FILE).write_bytes(forest.engine.to_msgpack())
    (directory / MODEL_FILE).write_text(json.dumps({"feature_dim": forest.feature_dim}))


def load(directory: Path) -> Forest:
    """Read the model files."""
    engine = krcf.RandomCutForest.from_msgpack((directory / FOREST_FILE).read_bytes())
    return Forest(engine, int(json.loads((directory / MODEL_FILE).read_text())["feature_dim"]))
