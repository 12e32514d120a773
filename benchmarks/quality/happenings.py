"""Synthetic series in which one thing happens at a known row, and series in which nothing does.

Every weakness that was seen on charts of real series is one of them. Rows are 5 minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality.ordinary import DAY_ROWS, KINDS, MONDAY
from watchkeeper.detectors.streaming.scores import SeriesScores

FloatArray = npt.NDArray[np.float64]
Generator = np.random.Generator
Score = Callable[[npt.NDArray[np.datetime64], FloatArray], SeriesScores]

SERIES = 40
WEEK_ROWS = 7 * DAY_ROWS
_QUIET_ROWS = 6 * WEEK_ROWS
_AT = 3 * WEEK_ROWS


def _rhythm(generator: Generator, rows: int) -> FloatArray:
    phase = generator.uniform(0, 2 * np.pi)
    return 10 * np.sin(2 * np.pi * np.arange(rows) / DAY_ROWS + phase) + generator.normal(size=rows)


def _noise(generator: Generator, rows: int) -> FloatArray:
    return generator.normal(size=rows)


@dataclass(frozen=True)
class Happening:
    """A series and the rows, from the first to the last, of which one is to be an alert.

    `change` gets the series and the generator, changes the series in place and returns those rows.
    """

    name: str
    series: Callable[[Generator, int], FloatArray]
    change: Callable[[FloatArray, Generator], tuple[int, int]]
    rows: int = _AT + 2 * DAY_ROWS


def _spikes(*spikes: tuple[int, float]) -> Callable[[FloatArray, Generator], tuple[int, int]]:
    """Return the change that adds spikes at rows; the last one is to be found."""

    def change(values: FloatArray, generator: Generator) -> tuple[int, int]:
        for row, size in spikes:
            values[row] += size
        return spikes[-1][0], spikes[-1][0]

    return change


def _contextual_dip(values: FloatArray, generator: Generator) -> tuple[int, int]:
    # At the top of the day the value of its middle: inside the usual range, at the wrong time.
    top = _AT + int(np.argmax(np.convolve(values[_AT : _AT + DAY_ROWS], np.ones(15) / 15, "same")[12:-12]))
    values[top : top + 12] -= 6.0
    return top, top + 13


def _frozen(values: FloatArray, generator: Generator) -> tuple[int, int]:
    values[_AT : _AT + DAY_ROWS // 2] = values[_AT]
    return _AT, _AT + DAY_ROWS // 2


def _scaled_noise(factor: float) -> Callable[[FloatArray, Generator], tuple[int, int]]:
    def change(values: FloatArray, generator: Generator) -> tuple[int, int]:
        values[_AT : _AT + DAY_ROWS] *= factor
        return _AT, _AT + DAY_ROWS

    return change


def _step(values: FloatArray, generator: Generator) -> tuple[int, int]:
    values[_AT:] += 6.0
    return _AT, _AT + 24


def _constant_then_one_more(values: FloatArray, generator: Generator) -> tuple[int, int]:
    values[:] = 7.0
    values[_AT:] += 1.0
    return _AT, _AT + 1


HAPPENINGS = (
    Happening("8σ spike", _noise, _spikes((_AT, 8.0))),
    Happening("15σ spike, 500 rows after one of 30σ", _noise, _spikes((_AT - 500, 30.0), (_AT, 15.0))),
    Happening("15σ spike, 4,000 rows after one of 100σ", _noise, _spikes((_AT - 4000, 100.0), (_AT, 15.0))),
    Happening("30σ at row 2,000, after 60σ at row 3", _noise, _spikes((3, 60.0), (2000, 30.0)), 2100),
    Happening("equal spike 100 rows later", _noise, _spikes((_AT - 100, 15.0), (_AT, 15.0))),
    Happening("dip at the wrong time of day", _rhythm, _contextual_dip),
    Happening("sensor with a rhythm frozen for 12 hours", _rhythm, _frozen),
    Happening("sensor of noise frozen for 12 hours", _noise, _frozen),
    Happening("noise gone for a day", _noise, _scaled_noise(0.1)),
    Happening("noise × 3 for a day", _noise, _scaled_noise(3.0)),
    Happening("step of 6σ", _noise, _step),
    Happening("constant, then 1 more", _noise, _constant_then_one_more),
)


def _growing(generator: Generator, rows: int) -> FloatArray:
    grown: FloatArray = 1.1 ** (np.arange(rows) / WEEK_ROWS) * (20 + _rhythm(generator, rows))
    return grown


QUIET: dict[str, Callable[[Generator, int], FloatArray]] = {
    **KINDS,
    "random walk": lambda generator, rows: generator.normal(size=rows).cumsum(),
    "linear trend and noise": lambda generator, rows: np.arange(rows) / 100 + generator.normal(size=rows),
    "rhythm that grows 10 % a week": _growing,
    "Poisson counts, 0.1": lambda generator, rows: generator.poisson(0.1, size=rows).astype(np.float64),
    "zeros with rare 1 to 3": lambda generator, rows: np.where(
        generator.random(rows) < 0.005, generator.integers(1, 4, size=rows).astype(np.float64), 0.0
    ),
    "2 % intermittent": lambda generator, rows: np.where(
        generator.random(rows) < 0.02, generator.lognormal(size=rows), 0.0
    ),
    "constant": lambda generator, rows: np.full(rows, 4.2),
}


def found(happening: Happening, score: Score, series: int = SERIES) -> int:
    """Return in how many of the series the alert comes."""
    timestamps = MONDAY + np.arange(happening.rows) * np.timedelta64(300, "s")
    count = 0
    for seed in range(series):
        generator = np.random.default_rng(seed)
        values = happening.series(generator, happening.rows)
        first, last = happening.change(values, generator)
        count += bool(score(timestamps, values).is_anomaly[first : last + 1].any())
    return count


def alerts_a_week(kind: str, score: Score, series: int = 20) -> tuple[float, float]:
    """Return the alerts of the first week and those a week after it, where nothing happens."""
    timestamps = MONDAY + np.arange(_QUIET_ROWS) * np.timedelta64(300, "s")
    first, later = 0, 0
    for seed in range(series):
        alerts = score(timestamps, QUIET[kind](np.random.default_rng(seed), _QUIET_ROWS)).is_anomaly
        first += int(alerts[:WEEK_ROWS].sum())
        later += int(alerts[WEEK_ROWS:].sum())
    return first / series, later / series / (_QUIET_ROWS / WEEK_ROWS - 1)
