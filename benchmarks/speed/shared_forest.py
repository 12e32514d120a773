"""What one frozen forest for all series of a fleet would cost: normalised features in, a score a series out.

The product's fleet has no such forest; this is the figure that the decision about it needs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.forest.forest import FrozenForest

SIZES = (1_000, 10_000, 100_000, 1_000_000)
TREES, SAMPLE_SIZE = 50, 256
LAGS = 5
FEATURES = 2 * (LAGS - 1)
MEMORY = 1.0 / 288.0
"""Weight of a new value in a series' mean and deviation: those of about a day of 5-minute intervals."""
FITTED_ROWS = 20_000
UPDATES = 4

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SharedForestCost:
    """What one interval of a fleet costs beyond the detector."""

    series: int
    normalising_microseconds: float
    """Processor time a series: mean, deviation, the features."""
    scoring_microseconds: float
    """Processor time a series: the forest."""
    bytes_a_series: int
    forest_bytes: int
    """Once, whatever the number of series."""


class NormalisedSeries:
    """Running mean and deviation of many series, and their last standardised values."""

    def __init__(self, series: int) -> None:
        self.mean = np.zeros(series)
        self.variance = np.ones(series)
        self.recent = np.zeros((series, LAGS))

    @property
    def nbytes(self) -> int:
        """Memory of the state."""
        return self.mean.nbytes + self.variance.nbytes + self.recent.nbytes

    def features(self, values: FloatArray) -> FloatArray:
        """Take one value of each series; return standardised values and differences, (n_series, FEATURES)."""
        off = values - self.mean
        self.recent[:, 1:] = self.recent[:, :-1]
        self.recent[:, 0] = off / np.sqrt(self.variance)
        self.mean += MEMORY * off
        self.variance += MEMORY * (off * off - self.variance)
        return np.hstack((self.recent[:, :-1], self.recent[:, :-1] - self.recent[:, 1:]))


def cost(series: int) -> SharedForestCost:
    """Return what an interval costs, median of some, one thread."""
    generator = np.random.default_rng(0)
    forest = FrozenForest(n_trees=TREES, sample_size=SAMPLE_SIZE).fit(_ordinary_rows(generator))
    state = NormalisedSeries(series)
    normalising, scoring = [], []
    for update in range(UPDATES + 1):
        values = generator.normal(size=series)
        began = time.process_time()
        rows = state.features(values)
        normalised = time.process_time()
        scores = forest.score_samples(rows)
        ended = time.process_time()
        if not np.isfinite(scores).all():
            raise RuntimeError("a series has no score")
        if update:  # the first compiles
            normalising.append(normalised - began)
            scoring.append(ended - normalised)
    return SharedForestCost(
        series=series,
        normalising_microseconds=float(np.median(normalising)) / series * 1e6,
        scoring_microseconds=float(np.median(scoring)) / series * 1e6,
        bytes_a_series=state.nbytes // series,
        forest_bytes=sum(part.nbytes for part in forest.nodes_),
    )


def _ordinary_rows(generator: np.random.Generator) -> FloatArray:
    state = NormalisedSeries(FITTED_ROWS)
    for _ in range(LAGS):
        rows = state.features(generator.normal(size=FITTED_ROWS))
    return rows
