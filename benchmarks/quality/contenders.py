"""The detectors that run in the benchmark: each gives a series one score a row, and reads only the past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from krcf import RandomCutForest

from benchmarks.quality.baselines import windowed_gaussian
from benchmarks.quality.corpus import LabelledSeries
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.detectors.streaming.state import Parameters

FloatArray = npt.NDArray[np.float64]
_FOREST_TREES = 50
_FOREST_SAMPLE = 256


@dataclass(frozen=True)
class Contender:
    """A detector of the benchmark: its name in the tables, and how it scores a series."""

    name: str
    score: Callable[[LabelledSeries], FloatArray]


def watchkeeper(parameters: Parameters | None = None) -> Callable[[LabelledSeries], FloatArray]:
    """Return the Watchkeeper detector with these parameters, its defaults if None."""
    return lambda series: score_series(series.timestamps, series.values, parameters=parameters).anomaly_score


def streaming_forest(shingle: int) -> Callable[[LabelledSeries], FloatArray]:
    """Return krcf's streaming random cut forest over shingles of this many rows."""

    def score(series: LabelledSeries) -> FloatArray:
        padded = np.concatenate((np.full(shingle - 1, series.values[0]), series.values))
        return streaming_scores(np.lib.stride_tricks.sliding_window_view(padded, shingle))

    return score


def streaming_scores(rows: FloatArray) -> FloatArray:
    """Return krcf's score of each row, shape (n_rows,), by a forest that learns the row after it."""
    forest = RandomCutForest(
        {
            "dimensions": rows.shape[1],
            "shingle_size": 1,
            "num_trees": _FOREST_TREES,
            "sample_size": _FOREST_SAMPLE,
            "random_seed": 42,
            "output_after": 1,
            "internal_shingling": False,
            "parallel_execution_enabled": False,
        }
    )
    scores = np.zeros(len(rows))
    for index, row in enumerate(rows):
        point = row.tolist()
        scores[index] = forest.score(point) if index else 0.0
        forest.update(point)
    return scores


WITHOUT_WEEK = "without the week's profile"
WATCHKEEPER = Contender("Watchkeeper", watchkeeper())
CONTENDERS = (
    WATCHKEEPER,
    Contender("Random cut forest (krcf), shingle 1", streaming_forest(1)),
    Contender("Random cut forest (krcf), shingle 48", streaming_forest(48)),
    Contender("Windowed Gaussian", lambda series: windowed_gaussian(series.values)),
)

ABLATIONS = (
    Contender("everything", watchkeeper()),
    Contender("without the value's range", watchkeeper(Parameters(value_weight=0.0))),
    Contender("without both profiles", watchkeeper(Parameters(profile_weight=0.0))),
    Contender(WITHOUT_WEEK, watchkeeper(Parameters(week_margin=0.0))),
    Contender("without the short pattern", watchkeeper(Parameters(pattern_weight=0.0))),
    Contender("without calm", watchkeeper(Parameters(calm_weight=0.0))),
    Contender("without forgetting an extreme", watchkeeper(Parameters(extreme_memory=1e9))),
    Contender("without the series' own habit", watchkeeper(Parameters(own_rate=0.0))),
    Contender("without the level of the last hours", watchkeeper(Parameters(level_weight=0.0))),
    Contender("without suppression after an onset", watchkeeper(Parameters(refractory_rows=1))),
    Contender("without tolerance and limited stretch", watchkeeper(Parameters(tolerance=0.0, stretch=1e9))),
    Contender("the value's range alone", watchkeeper(Parameters(profile_weight=0.0, pattern_weight=0.0))),
)
