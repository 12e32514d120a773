"""The engines that are measured, each behind the same few operations.

A peer that is not installed is left out and named: they are no dependencies of the project.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.forest.forest import FrozenForest
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector

FloatArray = npt.NDArray[np.float64]
Operation = Callable[[FloatArray], object]
"""Handles some rows, shape (n_rows, n_features)."""

SAMPLE_SIZE = 256
SCORE, ATTRIBUTE, UPDATE = "score", "attribute", "learn and score"


@dataclass(frozen=True)
class Engine:
    """One library.

    Attributes
    ----------
    name : str
        As the tables say it.
    module : str
        What has to be importable.
    build : callable
        Takes training rows and the number of trees, and returns the operations by name, ready to run.
    """

    name: str
    module: str
    build: Callable[[FloatArray, int], dict[str, Operation]]

    def installed(self) -> bool:
        """Whether the engine can be imported here."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(self.module)
        except ImportError:
            return False
        return True


def _frozen_forest(train: FloatArray, trees: int) -> dict[str, Operation]:
    forest = FrozenForest(n_trees=trees, sample_size=SAMPLE_SIZE).fit(train)
    return {SCORE: forest.score_samples, ATTRIBUTE: forest.attribute}


def _krcf(train: FloatArray, trees: int) -> dict[str, Operation]:
    from krcf import RandomCutForest

    forest = RandomCutForest(
        {
            "dimensions": train.shape[1],
            "shingle_size": 1,
            "num_trees": trees,
            "sample_size": SAMPLE_SIZE,
            "output_after": 1,
            "internal_shingling": False,
            "random_seed": 0,
        }
    )
    for row in train.tolist():
        forest.update(row)

    def score_then_learn(row: list[float]) -> None:
        forest.score(row)
        forest.update(row)

    return {
        SCORE: _row_by_row(forest.score),
        ATTRIBUTE: _row_by_row(forest.attribution),
        UPDATE: _row_by_row(score_then_learn),
    }


def _rrcf(train: FloatArray, trees: int) -> dict[str, Operation]:
    import rrcf

    generator = np.random.default_rng(0)
    forest = []
    for _ in range(trees):
        chosen = generator.choice(len(train), SAMPLE_SIZE, replace=False)
        forest.append(rrcf.RCTree(train[chosen], index_labels=list(range(SAMPLE_SIZE))))
    newest = SAMPLE_SIZE

    def score_then_learn(row: list[float]) -> None:
        nonlocal newest
        for tree in forest:
            tree.forget_point(newest - SAMPLE_SIZE)
            tree.insert_point(row, index=newest)
            tree.codisp(newest)
        newest += 1

    return {UPDATE: _row_by_row(score_then_learn)}


def _isotree(train: FloatArray, trees: int) -> dict[str, Operation]:
    from isotree import IsolationForest

    forest = IsolationForest(
        ntrees=trees, sample_size=SAMPLE_SIZE, ndim=1, nthreads=1, missing_action="fail", random_seed=1
    ).fit(train)
    return {SCORE: forest.predict}


def _scikit_learn(train: FloatArray, trees: int) -> dict[str, Operation]:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=trees, max_samples=SAMPLE_SIZE, random_state=0).fit(train)
    return {SCORE: forest.score_samples}


def _river(train: FloatArray, trees: int) -> dict[str, Operation]:
    from river.anomaly import HalfSpaceTrees

    limits = dict.fromkeys(range(train.shape[1]), (-6.0, 6.0))
    forest = HalfSpaceTrees(n_trees=trees, height=8, window_size=SAMPLE_SIZE, limits=limits, seed=0)
    for row in train:
        forest.learn_one(dict(enumerate(row.tolist())))

    def score_then_learn(row: list[float]) -> None:
        named = dict(enumerate(row))
        forest.score_one(named)
        forest.learn_one(named)

    return {
        SCORE: _row_by_row(lambda row: forest.score_one(dict(enumerate(row)))),
        UPDATE: _row_by_row(score_then_learn),
    }


def _detector(train: FloatArray, trees: int) -> dict[str, Operation]:
    detector = WatchkeeperDetector().fit(train)
    return {UPDATE: _row_by_row(detector.update)}


def _detector_in_batches(train: FloatArray, trees: int) -> dict[str, Operation]:
    return {UPDATE: WatchkeeperDetector().fit(train).update_all}


def _row_by_row(operation: Callable[[list[float]], Any]) -> Operation:
    def run(rows: FloatArray) -> None:
        for row in rows.tolist():
            operation(row)

    return run


OURS = Engine("Watchkeeper frozen forest", "watchkeeper", _frozen_forest)
KRCF = Engine("krcf", "krcf", _krcf)
FORESTS = (
    OURS,
    KRCF,
    Engine("rrcf", "rrcf", _rrcf),
    Engine("isotree", "isotree", _isotree),
    Engine("scikit-learn IsolationForest", "sklearn.ensemble", _scikit_learn),
    Engine("river HalfSpaceTrees", "river.anomaly", _river),
)
DETECTORS = (
    Engine("Watchkeeper detector, row by row", "watchkeeper", _detector),
    Engine("Watchkeeper detector, all rows in a call", "watchkeeper", _detector_in_batches),
)
ENGINES = {engine.name: engine for engine in (*FORESTS, *DETECTORS)}
