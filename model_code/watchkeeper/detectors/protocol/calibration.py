"""What a score is worth: from the kernel's evidence to a false-alarm rate.

`decades` is -log10 of how often a row that nobody labelled gets at least as much, per row of one series.
The tables were measured on the rows outside all labelled windows of the development half of NAB, by
`python -m benchmarks.quality.calibrating`; `docs/benchmarks.md` has both halves. From an onset of 5 on there
are too few false alarms to measure, and the table is an extrapolation. The last level states less than
measured, so that an onset outranks it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SMALLEST_ONSET = 2.3
EARLY_WEIGHT = 0.8
SCORE_DECADES = 10.0
SEVERITY_PER_DECADE = 20.0

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


def decades(onset: FloatArray, level: FloatArray) -> FloatArray:
    """Return -log10 of the false-alarm rate that rows with this onset and level stand for, 0 to 9.9.

    An onset of at least `SMALLEST_ONSET` ranks above every level: it is news, the level is context. One below
    is of a series' first rows, and states less than it would be worth.
    """
    rarity: FloatArray = np.maximum(_of_onset(onset), _of_level(level))
    return rarity


def is_news(onset: FloatArray, level: FloatArray) -> npt.NDArray[np.bool_]:
    """Return whether it is the onset that rows with this onset and level are scored by, not the level."""
    news: npt.NDArray[np.bool_] = _of_onset(onset) > _of_level(level)
    return news


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


def _of_onset(onset: FloatArray) -> FloatArray:
    of_table = np.interp(onset, ONSET_RARITY[:, 0], ONSET_RARITY[:, 1])
    rarity: FloatArray = np.where(onset >= SMALLEST_ONSET, of_table, EARLY_WEIGHT * onset)
    return rarity


def _of_level(level: FloatArray) -> FloatArray:
    rarity: FloatArray = np.interp(level, LEVEL_RARITY[:, 0], LEVEL_RARITY[:, 1])
    return rarity
