"""How well scores rank labelled rows: precision and recall at a threshold, PR-AUC and VUS-PR without one.

VUS-PR is Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series
Anomaly Detection", VLDB 2022, with the choices of the TSB-AD benchmark (Liu & Paparrizos, NeurIPS 2024):
250 thresholds at evenly spaced ranks, buffers of 0 to L rows on both sides of a window, L = the series' own
period by autocorrelation (125 where it has none between 3 and 300 rows).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Windows = Sequence[tuple[int, int]]
"""First and last row of each labelled window, both included."""

THRESHOLDS = 250
FALLBACK_BUFFER = 125
_LONGEST_LAG = 400
_FIRST_LAG = 3
_ROWS_FOR_PERIOD = 20_000


class Accuracy(NamedTuple):
    """Of the rows called anomalies, each row one case; PR-AUC and VUS-PR of the scores."""

    precision: float
    recall: float
    f1: float
    pr_auc: float
    vus_pr: float


def measure(labels: BoolArray, values: FloatArray, scores: FloatArray, alerts: BoolArray) -> Accuracy:
    """Return how well scores and alerts fit labelled rows.

    Parameters
    ----------
    labels, alerts : ndarray of bool, shape (n_rows,)
    values : ndarray, shape (n_rows,)
        The series, for the period that VUS-PR asks for; NaN is a missing value.
    scores : ndarray, shape (n_rows,)

    Raises
    ------
    InvalidInputError
        No row is labelled.
    """
    if not labels.any():
        raise InvalidInputError("no row is labelled as an anomaly: there is nothing to measure")
    hits, called = int((labels & alerts).sum()), int(alerts.sum())
    known = np.where(np.isnan(values), np.nanmean(values) if not np.isnan(values).all() else 0.0, values)
    return Accuracy(
        precision=hits / called if called else 0.0,
        recall=hits / int(labels.sum()),
        f1=2 * hits / (called + int(labels.sum())),
        pr_auc=pr_auc(labels, scores),
        vus_pr=vus_pr(known, windows_of(labels), scores),
    )


def windows_of(labels: BoolArray) -> list[tuple[int, int]]:
    """Return each run of labelled rows as a window."""
    steps = np.diff(labels.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def inside_windows(windows: Windows, rows: int) -> BoolArray:
    """Return which rows are in a window, shape (rows,)."""
    inside = np.zeros(rows, dtype=np.bool_)
    for first, last in windows:
        inside[first : last + 1] = True
    return inside


def pr_auc(labels: npt.NDArray[np.bool_], scores: FloatArray) -> float:
    """Return the average precision: the sum over thresholds of precision times the growth of recall."""
    detected, hits = _counts_at_distinct_scores(labels.astype(float), scores)
    return float(np.sum(hits / detected * np.diff(hits, prepend=0.0)) / labels.sum())


def vus_pr(values: FloatArray, windows: Windows, scores: FloatArray, *, buffer_step: int = 1) -> float:
    """Return the volume under the precision-recall surface of one labelled series, 0 to 1.

    Parameters
    ----------
    values : ndarray, shape (n_rows,)
        Finite.
    windows : sequence of (int, int)
        At least one.
    scores : ndarray, shape (n_rows,)
        Higher is more anomalous.
    buffer_step : int
        Evaluate every `buffer_step`-th buffer length only. The measure is defined with 1.
    """
    longest = period_by_autocorrelation(values)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ranks = np.linspace(0, len(scores) - 1, THRESHOLDS).astype(int)
    thresholds = ranked[ranks]
    detected = np.searchsorted(-ranked, -thresholds, side="right")
    areas = [
        _range_precision_recall_area(windows, scores, order, thresholds, detected, buffer)
        for buffer in range(0, longest + 1, buffer_step)
    ]
    return float(np.mean(areas))


def period_by_autocorrelation(values: FloatArray) -> int:
    """Return the lag, in rows, of the highest local maximum of the autocorrelation."""
    centred = values[:_ROWS_FOR_PERIOD] - values[:_ROWS_FOR_PERIOD].mean()
    spectrum = np.fft.rfft(centred, 2 * len(centred))
    correlation = np.fft.irfft(spectrum * np.conj(spectrum))[_FIRST_LAG : min(_LONGEST_LAG + 1, len(centred))]
    peaks = np.flatnonzero((correlation[1:-1] > correlation[:-2]) & (correlation[1:-1] > correlation[2:])) + 1
    if not len(peaks):
        return FALLBACK_BUFFER
    highest = int(peaks[np.argmax(correlation[peaks])])
    return highest + _FIRST_LAG if 3 <= highest <= 300 else FALLBACK_BUFFER


def _counts_at_distinct_scores(weights: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return (last + 1).astype(float), np.cumsum(weights[order])[last]


def _range_precision_recall_area(
    windows: Windows,
    scores: FloatArray,
    order: npt.NDArray[np.int64],
    thresholds: FloatArray,
    detected: npt.NDArray[np.int64],
    buffer: int,
) -> float:
    inside = inside_windows(windows, len(scores))
    weights = _weights_with_slopes(windows, inside, buffer)
    hits = np.cumsum(weights[order])[detected - 1]
    slope_hits = np.cumsum(np.where(inside, 0.0, weights)[order])[detected - 1]
    positives = inside.sum()
    recall = np.minimum(hits / ((positives + positives + slope_hits) / 2), 1.0)
    tops = np.array(
        [scores[first : last + 1].max() for first, last in _merged_windows(windows, len(scores), buffer)]
    )
    existence = (tops[:, None] >= thresholds[None, :]).mean(axis=0)
    return float(np.sum(hits / detected * np.diff(recall * existence, prepend=0.0)))


def _weights_with_slopes(windows: Windows, inside: BoolArray, buffer: int) -> FloatArray:
    """Return 1 inside a window, falling over half a buffer on both sides of it."""
    weights = inside.astype(float)
    reach = buffer // 2
    for first, last in windows:
        after = np.arange(last + 1, min(last + reach + 1, len(weights)))
        weights[after] += np.sqrt(1 - (after - last) / max(buffer, 1))
        before = np.arange(max(first - reach, 0), first)
        weights[before] += np.sqrt(1 - (first - before) / max(buffer, 1))
    limited: FloatArray = np.minimum(weights, 1.0)
    return limited


def _merged_windows(windows: Windows, rows: int, buffer: int) -> list[tuple[int, int]]:
    reach = buffer // 2
    merged: list[tuple[int, int]] = []
    for first, last in sorted(windows):
        start, end = max(first - reach, 0), min(last + reach, rows - 1)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
