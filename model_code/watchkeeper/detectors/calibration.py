"""What a score is worth: from the kernel's evidence to a false-alarm rate.

`decades` is -log10 of how often a row that nobody labelled gets at least as much, per row of one series.
The tables were measured on the rows outside all labelled windows of the development half of NAB; the
validation half agrees within 0.15 up to an onset of 3.5, and `docs/benchmarks.md` has both. Beyond, there
are too few false alarms to measure, and the last line is an extrapolation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SMALLEST_ONSET = 2.3
SCORE_DECADES = 10.0
SEVERITY_PER_DECADE = 20.0

_ONSET = np.array(
    [
        [2.3, 2.94],
        [2.5, 3.15],
        [2.8, 3.44],
        [3.05, 3.73],
        [3.4, 3.95],
        [3.8, 4.25],
        [5.0, 4.5],
        [7.0, 5.1],
        [20.0, 9.9],
    ]
)
_LEVEL = np.array(
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


def decades(onset: FloatArray, level: FloatArray) -> FloatArray:
    """Return -log10 of the false-alarm rate that rows with this onset and level stand for, 0 to 9.9.

    An onset of at least `SMALLEST_ONSET` ranks above every level: it is news, the level is context.
    """
    of_onset = np.interp(onset, _ONSET[:, 0], _ONSET[:, 1])
    of_level = np.interp(level, _LEVEL[:, 0], _LEVEL[:, 1])
    rarity: FloatArray = np.where(onset >= SMALLEST_ONSET, of_onset, of_level)
    return rarity


def severity_of(decades: FloatArray) -> FloatArray:
    """Return the severity, 0 to 100: 20 a decade, so 60 is one false alarm in 1,000 rows and 80 in 10,000."""
    severity: FloatArray = np.clip(SEVERITY_PER_DECADE * decades, 0.0, 100.0)
    return severity


def false_alarm_rate(severity: float) -> float:
    """Return the false alarms a row that alerting at this severity stands for.

    >>> round(1 / false_alarm_rate(75))
    5623
    """
    return float(10.0 ** (-severity / SEVERITY_PER_DECADE))
