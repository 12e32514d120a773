"""Synthetic series of known kind, in which nothing happens: how often the detector alerts all the same.

Real corpora do not say what the first rows are worth, because a benchmark does not score them and nobody
labelled them. Here every alert is false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from watchkeeper.core.severity import SCORE_RARITY
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.detectors.streaming.state import Parameters

FloatArray = npt.NDArray[np.float64]
Generator = np.random.Generator

DAY_ROWS = 288
"""Rows of 5 minutes."""
SPANS = ((0, DAY_ROWS), (DAY_ROWS, 2000), (2000, 10_000))
_SHORT_SERIES, _LONG_SERIES = 200, 40
_AUTOCORRELATION = 0.9
_WEEKEND_FACTOR = 0.4
MONDAY = np.datetime64("2026-03-02T00:00:00", "s")
_WEEKLY_SERIES, _WEEKLY_ROWS = 40, 5 * 7 * DAY_ROWS


def _day(rows: int) -> FloatArray:
    return 2 * np.pi * np.arange(rows) / DAY_ROWS


def _autocorrelated(generator: Generator, rows: int) -> FloatArray:
    steps = generator.normal(size=rows) * np.sqrt(1 - _AUTOCORRELATION**2)
    noise: FloatArray = lfilter([1.0], [1.0, -_AUTOCORRELATION], steps)
    return noise


def _weekly(generator: Generator, rows: int) -> FloatArray:
    return _rhythm_of_week(generator, _weekends(generator, rows)) + generator.normal(size=rows)


def _weekends(generator: Generator, rows: int) -> npt.NDArray[np.bool_]:
    weekends: npt.NDArray[np.bool_] = (np.arange(rows) // DAY_ROWS + generator.integers(7)) % 7 >= 5
    return weekends


def _rhythm_of_week(generator: Generator, weekend: npt.NDArray[np.bool_]) -> FloatArray:
    day = 12 + 10 * np.sin(_day(len(weekend)) + generator.uniform(0, 2 * np.pi))
    rhythm: FloatArray = 50 + np.where(weekend, _WEEKEND_FACTOR, 1.0) * day
    return rhythm


KINDS: dict[str, Callable[[Generator, int], FloatArray]] = {
    "Gaussian noise": lambda generator, rows: generator.normal(size=rows),
    "uniform noise": lambda generator, rows: generator.uniform(size=rows),
    "heavy-tailed noise (Student's t, 3)": lambda generator, rows: generator.standard_t(3, size=rows),
    "autocorrelated noise (0.9)": _autocorrelated,
    "sine without noise": lambda generator, rows: np.sin(
        generator.uniform(2, 20) * _day(rows) + generator.uniform(0, 2 * np.pi)
    ),
    "daily rhythm and noise": lambda generator, rows: (
        10 * np.sin(_day(rows) + generator.uniform(0, 2 * np.pi)) + generator.normal(size=rows)
    ),
    "daily rhythm and autocorrelated noise": lambda generator, rows: (
        10 * np.sin(_day(rows) + generator.uniform(0, 2 * np.pi)) + 2 * _autocorrelated(generator, rows)
    ),
    "weekly rhythm and noise": _weekly,
}


@dataclass(frozen=True)
class OrdinaryAlerts:
    """Alerts of a kind of series, and the rows that they are of, by span; alerts on the first day of one."""

    kind: str
    alerts: tuple[int, ...]
    rows: tuple[int, ...]
    first_day: float


def ordinary_alerts() -> Iterator[OrdinaryAlerts]:
    """Yield what each kind measures at the default settings."""
    longest = SPANS[-1][1]
    timestamps = MONDAY + np.arange(longest) * np.timedelta64(300, "s")
    for kind, draw in KINDS.items():
        alerts, rows = [0] * len(SPANS), [0] * len(SPANS)
        for seed in range(_SHORT_SERIES):
            length = longest if seed < _LONG_SERIES else SPANS[-1][0]
            values = draw(np.random.default_rng(seed), length)
            found = score_series(timestamps[:length], values).is_anomaly
            for span, (first, last) in enumerate(SPANS):
                alerts[span] += int(found[first:last].sum())
                rows[span] += len(found[first:last])
        yield OrdinaryAlerts(kind, tuple(alerts), tuple(rows), alerts[0] / _SHORT_SERIES)


@dataclass(frozen=True)
class HolidaySummary:
    """What weekly series give, in whose fifth week a working day is like a weekend: holidays found, median
    rarity of theirs, and false alerts of the third to fifth week before them."""

    series: int
    found: int
    rarity: float
    false_alerts: int


def holidays(parameters: Parameters | None = None) -> HolidaySummary:
    """Return what these parameters find of the holidays in weekly series."""
    timestamps = MONDAY + np.arange(_WEEKLY_ROWS) * np.timedelta64(300, "s")
    found, rarities, false_alerts = 0, [], 0
    for seed in range(_WEEKLY_SERIES):
        generator = np.random.default_rng(seed)
        weekend = _weekends(generator, _WEEKLY_ROWS)
        working_days = [day for day in range(28, 35) if not weekend[day * DAY_ROWS]]
        first = int(generator.choice(working_days)) * DAY_ROWS
        day = slice(first, first + DAY_ROWS)
        weekend[day] = True
        values = _rhythm_of_week(generator, weekend) + generator.normal(size=_WEEKLY_ROWS)
        scores = score_series(timestamps, values, parameters=parameters)
        found += bool(scores.is_anomaly[day].any())
        rarities.append(SCORE_RARITY * float(scores.anomaly_score[day].max()))
        false_alerts += int(scores.is_anomaly[14 * DAY_ROWS : first].sum())
    return HolidaySummary(_WEEKLY_SERIES, found, float(np.median(rarities)), false_alerts)
