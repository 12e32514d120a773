"""Threshold-free accuracy: PR-AUC and VUS-PR, and what a threshold gives in windows and alerts.

VUS-PR is Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series
Anomaly Detection", VLDB 2022, with the choices of the TSB-AD benchmark (Liu & Paparrizos, NeurIPS 2024):
250 thresholds at evenly spaced ranks, buffers of 0 to L rows on both sides of a window, L = the series' own
period by autocorrelation (125 where it has none between 3 and 300 rows).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality.corpus import LabelledSeries

FloatArray = npt.NDArray[np.float64]
THRESHOLDS = 250
FALLBACK_BUFFER = 125
_LONGEST_LAG = 400
_FIRST_LAG = 3
_ROWS_FOR_PERIOD = 20_000


def pr_auc(labels: npt.NDArray[np.bool_], scores: FloatArray) -> float:
    """Return the average precision: the sum over thresholds of precision times the growth of recall."""
    detected, hits = _counts_at_distinct_scores(labels.astype(float), scores)
    return float(np.sum(hits / detected * np.diff(hits, prepend=0.0)) / labels.sum())


def vus_pr(series: LabelledSeries, scores: FloatArray, *, buffer_step: int = 1) -> float:
    """Return the volume under the precision-recall surface of one labelled series, 0 to 1.

    Parameters
    ----------
    series : LabelledSeries
        With at least one window.
    scores : ndarray, shape (n_rows,)
        Higher is more anomalous.
    buffer_step : int
        Evaluate every `buffer_step`-th buffer length only. The measure is defined with 1.
    """
    longest = period_by_autocorrelation(series.values)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ranks = np.linspace(0, len(scores) - 1, THRESHOLDS).astype(int)
    thresholds = ranked[ranks]
    detected = np.searchsorted(-ranked, -thresholds, side="right")
    areas = [
        _range_precision_recall_area(series, scores, order, thresholds, detected, buffer)
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


@dataclass(frozen=True)
class AlertSummary:
    """What a person gets from a series of alerts.

    Attributes
    ----------
    windows, found : int
        Labelled windows, and those with an alert inside.
    false_alerts : int
        Alerts outside every window.
    weeks : float
        Length of what was scored.
    """

    windows: int
    found: int
    false_alerts: int
    weeks: float

    @property
    def f1(self) -> float:
        """Harmonic mean of window recall and alert precision, where the alerts inside one window count
        once."""
        wrong = self.windows - self.found + self.false_alerts
        return 2 * self.found / (2 * self.found + wrong) if self.found or wrong else 1.0


def summarize_alerts(series: LabelledSeries, alerts: npt.NDArray[np.bool_]) -> AlertSummary:
    """Return how many windows the alerts find after the benchmark's probation, and how many alerts are
    outside all."""
    scored = alerts & (np.arange(len(alerts)) >= series.probation_rows)
    found = sum(bool(scored[first : last + 1].any()) for first, last in series.windows)
    span = series.timestamps[-1] - series.timestamps[series.probation_rows]
    weeks = float(span / np.timedelta64(7 * 24 * 3600, "s"))
    return AlertSummary(len(series.windows), found, int((scored & ~series.labels).sum()), weeks)


def _counts_at_distinct_scores(weights: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return (last + 1).astype(float), np.cumsum(weights[order])[last]


def _range_precision_recall_area(
    series: LabelledSeries,
    scores: FloatArray,
    order: npt.NDArray[np.int64],
    thresholds: FloatArray,
    detected: npt.NDArray[np.int64],
    buffer: int,
) -> float:
    inside = series.labels
    weights = _weights_with_slopes(series, buffer)
    hits = np.cumsum(weights[order])[detected - 1]
    slope_hits = np.cumsum(np.where(inside, 0.0, weights)[order])[detected - 1]
    positives = inside.sum()
    recall = np.minimum(hits / ((positives + positives + slope_hits) / 2), 1.0)
    tops = np.array([scores[first : last + 1].max() for first, last in _merged_windows(series, buffer)])
    existence = (tops[:, None] >= thresholds[None, :]).mean(axis=0)
    return float(np.sum(hits / detected * np.diff(recall * existence, prepend=0.0)))


def _weights_with_slopes(series: LabelledSeries, buffer: int) -> FloatArray:
    """Return 1 inside a window, falling over half a buffer on both sides of it."""
    weights = series.labels.astype(float)
    reach = buffer // 2
    for first, last in series.windows:
        after = np.arange(last + 1, min(last + reach + 1, len(weights)))
        weights[after] += np.sqrt(1 - (after - last) / max(buffer, 1))
        before = np.arange(max(first - reach, 0), first)
        weights[before] += np.sqrt(1 - (first - before) / max(buffer, 1))
    limited: FloatArray = np.minimum(weights, 1.0)
    return limited


def _merged_windows(series: LabelledSeries, buffer: int) -> list[tuple[int, int]]:
    reach, rows = buffer // 2, len(series.values)
    merged: list[tuple[int, int]] = []
    for first, last in sorted(series.windows):
        start, end = max(first - reach, 0), min(last + reach, rows - 1)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
