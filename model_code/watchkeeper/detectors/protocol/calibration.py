"""What a score is worth: from the kernel's evidence to a false-alarm rate, and from there to a severity.

The rarity of a row is -log10 of how often a row that nobody labelled gets at least as much, per row of one
series: 3 is one false alarm in 1,000 rows. A detector's threshold is a rarity too.
The tables were measured on the rows outside all labelled windows of the development half of NAB, by
`python -m benchmarks.quality.calibrating`; `docs/benchmarks.md` has both halves. From an onset of 5 on there
are too few false alarms to measure, and the table is an extrapolation. The last level states less than
measured, so that an onset outranks it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchkeeper.core.severity import BELOW_THRESHOLD, THRESHOLD_SEVERITY, severity_above
from watchkeeper.detectors.native.elementwise import exponential, interpolated

FloatArray = npt.NDArray[np.float64]

SMALLEST_ONSET = 2.3
EARLY_WEIGHT = 0.8
LARGEST_RARITY = 9.9
_MEDIAN_RARITY = float(np.log10(2.0))

ONSET_RARITY = np.array(
    [
        [2.3, 3.0],
        [2.5, 3.24],
        [2.8, 3.56],
        [3.05, 3.87],
        [3.4, 4.1],
        [3.8, 4.35],
        [5.0, 4.5],
        [7.0, 5.1],
        [20.0, 9.9],
    ]
)
LEVEL_RARITY = np.array(
    [
        [0.0, 0.0],
        [0.6, 0.07],
        [0.8, 0.15],
        [1.0, 0.33],
        [1.2, 0.62],
        [1.5, 1.05],
        [2.0, 1.59],
        [2.5, 2.04],
        [3.0, 2.48],
        [4.0, 2.92],
    ]
)

# Of all columns together: measured on the application metrics of the development data.
TOGETHER_ONSET_RARITY = np.array([[2.5, 3.3], [2.75, 3.75], [3.25, 4.4], [5.0, 5.5], [20.0, 9.9]])
TOGETHER_LEVEL_RARITY = np.array([[0.0, 0.0], [1.0, 0.6], [2.0, 1.6], [3.0, 2.6], [6.0, 3.5], [20.0, 3.7]])


def rarity_of(onset: FloatArray, level: FloatArray) -> FloatArray:
    """Return the rarity of rows with this onset and level, 0 to 9.9.

    An onset of at least `SMALLEST_ONSET` ranks above every level: it is news, the level is context. One below
    is of a series' first rows, and states less than it would be worth.
    """
    rarity: FloatArray = np.maximum(_of_onset(onset), _of_level(level))
    return rarity


def rarity_together(onset: FloatArray, surprise: FloatArray) -> FloatArray:
    """Return the rarity of rows whose columns together have this onset and surprise (`streaming.together`).

    As for one column, an onset ranks above every row that is not one.
    """
    news = interpolated(onset, TOGETHER_ONSET_RARITY)
    level = interpolated(surprise, TOGETHER_LEVEL_RARITY)
    rarity: FloatArray = np.where(onset > 0, news, level)
    return rarity


def is_news(onset: FloatArray, level: FloatArray) -> npt.NDArray[np.bool_]:
    """Return whether it is the onset that rows with this onset and level are scored by, not the level."""
    news: npt.NDArray[np.bool_] = _of_onset(onset) > _of_level(level)
    return news


def severity_of(rarity: FloatArray, threshold: float, is_anomaly: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the severity of rows, 0 to 100: at least the threshold's exactly where they are anomalies.

    Below the threshold it is the threshold's, times the share of the threshold's rarity. Above, it is how far
    beyond the threshold a row is, in distances from the median row to the threshold. These are the rules of
    `judgement.severity`.

    Parameters
    ----------
    threshold
        The rarity that just is an anomaly.

    Examples
    --------
    >>> rarity = np.array([0.0, 1.5, 3.0, 5.7])
    >>> (severity_of(rarity, 3.0, rarity >= 3.0) >= THRESHOLD_SEVERITY).tolist()
    [False, False, True, True]
    """
    at = max(threshold, float(np.finfo(np.float64).tiny))
    distance = np.maximum(rarity - at, 0.0) / max(at - _MEDIAN_RARITY, _MEDIAN_RARITY)
    above = severity_above(exponential(-distance))
    below = np.minimum(THRESHOLD_SEVERITY * np.minimum(rarity, at) / at, BELOW_THRESHOLD)
    return np.where(is_anomaly, above, below)


def false_alarm_rate(rarity: float) -> float:
    """Return the false alarms a row that alerting at this rarity stands for.

    >>> round(1 / false_alarm_rate(3.75))
    5623
    """
    return float(10.0**-rarity)


def _of_onset(onset: FloatArray) -> FloatArray:
    of_table = interpolated(onset, ONSET_RARITY)
    rarity: FloatArray = np.where(onset >= SMALLEST_ONSET, of_table, EARLY_WEIGHT * onset)
    return rarity


def _of_level(level: FloatArray) -> FloatArray:
    rarity: FloatArray = interpolated(level, LEVEL_RARITY)
    return rarity
