"""Any detector over rows that come in pieces: one interface for the streaming and for the batch ones."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Fill
from watchkeeper.core.severity import MAX_SEVERITY, SCORE_RARITY, THRESHOLD_SEVERITY
from watchkeeper.detectors.catalogue import Algorithm, algorithm_of
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.protocol.detector import Detector
from watchkeeper.detectors.protocol.scores import Scores
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.detectors.streaming.series_detector import SeriesDetector
from watchkeeper.detectors.tabular.rules import RangeRule
from watchkeeper.telemetry.missing import MAX_FILLED_INTERVALS

FloatArray = npt.NDArray[np.float64]
Scorer = Callable[[FloatArray, FloatArray | None], Scores]
"""Scores the next rows, shape (n_rows, n_columns), which may have times, in seconds since 1970."""


def fit_detector(
    algorithm: str, hyperparameters: Mapping[str, Any], values: FloatArray, times: FloatArray | None = None
) -> Detector:
    """Fit a detector to rows; of more than the algorithm's `fit_rows`, to evenly spaced ones.

    Parameters
    ----------
    algorithm
        In any spelling.
    hyperparameters
        What differs from the algorithm's defaults.
    times
        Seconds since 1970, ascending; only a streaming detector asks for them.

    Raises
    ------
    InvalidInputError
        If the rows, or the hyperparameters, do not fit the algorithm.
    """
    detector = new_detector(algorithm, **hyperparameters)
    if isinstance(detector, SeriesDetector):
        return detector.fit(values, times=times)
    return detector.fit(values[fit_positions(algorithm, len(values))])


def fit_positions(algorithm: str, n_rows: int) -> npt.NDArray[np.int64]:
    """Return the rows that an algorithm learns of so many."""
    most = algorithm_of(algorithm).fit_rows
    if n_rows <= most:
        return np.arange(n_rows)
    return np.linspace(0, n_rows - 1, most).astype(np.int64)


def scorer_of(detector: Detector, *, as_they_came: bool = False) -> Scorer:
    """Return what scores consecutive pieces of rows, in order, by a detector that is fitted.

    Parameters
    ----------
    as_they_came
        The rows are those that the detector was fitted on. A streaming detector then scores each one with
        what came before it, as it did when it learned.
    """
    if isinstance(detector, SeriesDetector):
        streaming = detector.unfitted() if as_they_came else copy.deepcopy(detector.detector_)
        return partial(_stream, streaming)
    return lambda values, _times: detector.score_rows(values)


class RowScorer:
    """Scores the rows of a file in their order.

    `watchkeeper` learns as it goes and scores each row with the rows before it; several columns are scored
    each on its own, where the most anomalous one counts, corrected for their number, and all together. The
    rules take each column alone and learn their bounds once; the tabular algorithms learn once, all columns
    together.

    Parameters
    ----------
    algorithm : str
        One of `catalogue.ALGORITHMS`, in any spelling.
    alert_severity : float, default `THRESHOLD_SEVERITY`
        Severity from which a row is an anomaly. The default is the algorithm's own threshold, which its
        hyperparameters set.
    interval_seconds : float, optional
        Only `watchkeeper` looks at it; as of `WatchkeeperDetector`.
    missing : float or {"ignore", "previous"}, default "ignore"
        What a missing row has: see `watchkeeper.telemetry.missing`. It is learned, and in no answer.
    hyperparameters : mapping, optional
        Of the algorithm; those that are not named have its defaults.

    Raises
    ------
    InvalidInputError
        Another algorithm or hyperparameter, or a severity that is not from 0 to 100.
    """

    def __init__(
        self,
        algorithm: str,
        *,
        alert_severity: float = THRESHOLD_SEVERITY,
        interval_seconds: float | None = None,
        missing: Fill = "ignore",
        hyperparameters: Mapping[str, Any] | None = None,
    ) -> None:
        if not 0 <= alert_severity <= MAX_SEVERITY:
            raise InvalidInputError(
                f"alert_severity is {alert_severity!r}: give a number from 0 to {MAX_SEVERITY:g}"
            )
        self._alert_severity = alert_severity
        self._algorithm: Algorithm = algorithm_of(algorithm)
        settings = dict(hyperparameters or {})
        if self._algorithm.is_streaming and interval_seconds is not None:
            settings["interval_seconds"] = interval_seconds
        self._detector = new_detector(algorithm, **settings)
        self._score: Callable[[FloatArray, FloatArray | None], SeriesScores] | None = None
        if isinstance(self._detector, SeriesDetector):
            self._score = partial(_stream, self._detector.unfitted())
            if interval_seconds is not None and missing != "ignore":
                self._score = _Filled(self._detector.unfitted(), interval_seconds, missing)

    @property
    def learns_first(self) -> bool:
        """Whether `learn` is to be called before the first row is scored."""
        return not self._algorithm.is_streaming

    def learn(self, values: FloatArray) -> None:
        """Learn from rows, shape (n_rows, n_columns), before any is scored."""
        if self._algorithm.family == "rule":
            self._score = partial(_by_column, [copy.copy(self._detector).fit(column) for column in values.T])
        elif self._algorithm.family == "tabular":
            self._score = partial(_all_columns, self._detector.fit(values))

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        """Score the next rows, shape (n_rows, n_columns); `seconds` since 1970, shape (n_rows,)."""
        if self._score is None:
            raise InvalidInputError("nothing is learned yet: call learn first")
        scores = self._score(values, seconds)
        if self._alert_severity == THRESHOLD_SEVERITY:
            return scores
        return dataclasses.replace(scores, is_anomaly=scores.severity >= self._alert_severity)


def _stream(
    detector: WatchkeeperDetector, values: FloatArray, times: FloatArray | None = None
) -> SeriesScores:
    return detector.update_all(values, timestamps=times)


@dataclasses.dataclass
class _Filled:
    """Lets a detector learn rows that are missing by what they have instead."""

    detector: WatchkeeperDetector
    interval_seconds: float
    missing: float | Literal["previous"]
    _time: float = math.nan
    _row: FloatArray = dataclasses.field(default_factory=lambda: np.zeros(0))

    def __call__(self, values: FloatArray, times: FloatArray | None = None) -> SeriesScores:
        if times is None or not len(values):
            return self.detector.update_all(values, timestamps=times)
        before = np.concatenate(([self._time], times[:-1]))
        rows_before = np.vstack((self._row if len(self._row) else values[:1], values[:-1]))
        self._time, self._row = float(times[-1]), values[-1]
        steps = np.nan_to_num((times - before) / self.interval_seconds, nan=1.0)
        gaps = np.clip(np.rint(steps) - 1, 0, MAX_FILLED_INTERVALS).astype(np.int64)
        own = np.cumsum(gaps + 1) - 1
        nth = np.arange(int(own[-1]) + 1) - np.repeat(own - gaps, gaps + 1) + 1
        filled_times = np.repeat(before, gaps + 1) + nth * self.interval_seconds
        filled = np.repeat(rows_before, gaps + 1, axis=0)
        if self.missing != "previous":
            filled[:] = self.missing
        filled_times[own], filled[own] = times, values
        scores = self.detector.update_all(filled, timestamps=filled_times)
        return SeriesScores(**{name: column[own] for name, column in vars(scores).items()})


def _by_column(rules: Sequence[Detector], values: FloatArray, _times: FloatArray | None) -> SeriesScores:
    found = [rule.score_rows(column) for rule, column in zip(rules, values.T, strict=True)]
    by_column = np.array([scores.anomaly_score for scores in found])
    score = np.maximum(by_column.max(axis=0) - np.log10(len(by_column)) / SCORE_RARITY, 0.0)
    bounds = [
        (rule.lower_[0], rule.upper_[0]) if isinstance(rule, RangeRule) else (np.nan, np.nan)
        for rule in rules
    ]
    lower, upper = (np.tile(side, (len(values), 1)) for side in np.array(bounds).T)
    shares = by_column / np.maximum(by_column.sum(axis=0), np.finfo(float).tiny)
    whole = Scores(
        score,
        np.max([scores.severity for scores in found], axis=0),
        np.any([scores.is_anomaly for scores in found], axis=0),
        score,
    )
    return _with_bounds(whole, lower, upper, (shares * score).T)


def _all_columns(detector: Detector, values: FloatArray, _times: FloatArray | None) -> SeriesScores:
    unknown = np.full(values.shape, np.nan)
    return _with_bounds(detector.score_rows(values), unknown, unknown, unknown)


def _with_bounds(
    scores: Scores, lower: FloatArray, upper: FloatArray, contributions: FloatArray
) -> SeriesScores:
    several = lower.shape[1] > 1
    return SeriesScores(
        **vars(scores),
        expected=np.full(lower.shape if several else len(lower), np.nan),
        lower=lower if several else lower[:, 0],
        upper=upper if several else upper[:, 0],
        confidence=np.ones(len(scores)),
        contributions=contributions if several else contributions[:, 0],
        goes_on=scores.is_anomaly,
    )
