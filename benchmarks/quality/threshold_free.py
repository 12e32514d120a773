"""What scores are worth on one labelled series: threshold-free accuracy, and what alerts give in windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality.corpus import LabelledSeries
from watchkeeper.judgement import accuracy
from watchkeeper.judgement.accuracy import pr_auc

__all__ = ["AlertSummary", "pr_auc", "summarize_alerts", "vus_pr"]

FloatArray = npt.NDArray[np.float64]


def vus_pr(series: LabelledSeries, scores: FloatArray, *, buffer_step: int = 1) -> float:
    """Return `accuracy.vus_pr` of a series with at least one window."""
    return accuracy.vus_pr(series.values, series.windows, scores, buffer_step=buffer_step)


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
