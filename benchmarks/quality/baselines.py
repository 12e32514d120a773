"""Detectors with published results, rewritten to check our scorer and to stand beside our own in the
tables."""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def windowed_gaussian(values: FloatArray, *, window: int = 6400, step: int = 100) -> FloatArray:
    """Return 1 - the Gaussian tail probability of each value given the values before it, shape (n_rows,).

    The benchmark's own baseline (`windowedGaussian`), deterministic: its published scores are the reference
    that our scorer is checked against. The window grows to `window` values and then moves in steps of
    `step`. Scores keep 12 decimals, as the published ones do: it decides which scores are equal to 1.
    """
    scores: FloatArray = np.round(_windowed_gaussian(np.asarray(values, dtype=np.float64), window, step), 12)
    return scores


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _windowed_gaussian(values: FloatArray, window: int, step: int) -> FloatArray:
    scores = np.zeros(len(values))
    mean, deviation, squares, first = 0.0, 1.0, 0.0, 0
    for row in range(len(values)):
        value = values[row]
        if row > 0:
            scores[row] = 1.0 - 0.5 * math.erfc(abs(value - mean) / deviation / math.sqrt(2.0))
        if row < window:
            change = value - mean
            mean = mean + change / (row + 1)
            squares += change * (value - mean)
            deviation = math.sqrt(squares / (row + 1))
        elif (row - window + 1) % step == 0:
            first += step
            mean = values[first : first + window].mean()
            deviation = values[first : first + window].std()
        if deviation == 0.0:
            deviation = 1e-6
    return scores
