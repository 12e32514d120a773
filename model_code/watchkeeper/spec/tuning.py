"""How rare an interval must be to alert, so that the alerts of a week are about as many as are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.streaming.detector import WatchkeeperDetector

RARITIES = tuple(round(3.25 + 0.25 * step, 2) for step in range(20))
"""Candidates, -log10 of the share of usual intervals: below them what follows an anomaly alerts too."""
THROTTLE_SECONDS = 3600
_WEEK_SECONDS = 604_800

FloatArray = npt.NDArray[np.float64]
Line = tuple[FloatArray, FloatArray]
"""Starts of a series' intervals in seconds since 1970, in order, and their values."""


def tuned_rarity(lines: Sequence[Line], interval_seconds: int, alerts_per_week: float) -> float:
    """Return the lowest rarity with which the detector alerts no more often than wanted on these series.

    Parameters
    ----------
    lines
        All series; each is scored from its beginning, as the scoring loop would.
    alerts_per_week
        Of all series together; a series alerts once in `THROTTLE_SECONDS`.

    Returns
    -------
    float
        One of `RARITIES`; the highest where even that alerts more often.
    """
    spans = [times[-1] - times[0] + interval_seconds for times, _ in lines if len(times)]
    weeks = max(spans, default=0.0) / _WEEK_SECONDS
    for rarity in RARITIES:
        alerts = 0
        for times, values in lines:
            detector = WatchkeeperDetector(interval_seconds=interval_seconds, alert_rarity=rarity)
            alerts += _alerts(times[detector.update_all(values, timestamps=times).is_anomaly])
        if alerts <= alerts_per_week * weeks:
            return rarity
    return RARITIES[-1]


def _alerts(anomalous: FloatArray) -> int:
    """Return how many alerts anomalous intervals raise."""
    count, last = 0, -np.inf
    for start in anomalous.tolist():
        if start - last >= THROTTLE_SECONDS:
            count, last = count + 1, start
    return count
