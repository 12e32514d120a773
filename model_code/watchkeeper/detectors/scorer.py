"""Any detector over rows that come in pieces: one interface for the streaming and for the batch ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.algorithms import RULES, WATCHKEEPER, algorithm_of, new_detector
from watchkeeper.detectors.protocol.calibration import SCORE_DECADES, severity_of
from watchkeeper.detectors.protocol.detector import Detector, require_severity
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.detectors.tabular.rules import RangeRule

FloatArray = npt.NDArray[np.float64]


class RowScorer(Protocol):
    """Scores rows in the order of their time."""

    learns_first: bool
    """Whether `learn` is to be called before the first row is scored."""

    def learn(self, values: FloatArray) -> None:
        """Learn from rows, shape (n_rows, n_columns), before any is scored."""

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        """Score the next rows, shape (n_rows, n_columns); `seconds` since 1970, shape (n_rows,)."""


def row_scorer(
    algorithm: str,
    *,
    alert_severity: float | None = None,
    interval_seconds: float | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
) -> RowScorer:
    """Return the scorer of an algorithm.

    `watchkeeper` learns as it goes and scores each row with the rows before it; several columns are scored
    each on its own, and the most anomalous one counts, corrected for their number. The rules do the same with
    columns, but learn their bounds once; the known algorithms learn once, all columns together.

    Parameters
    ----------
    algorithm : str
        One of `algorithms.ALGORITHMS`, in any spelling.
    alert_severity : float, optional
        Severity from which a row is an anomaly; by default the algorithm's own criterion.
    interval_seconds : float, optional
        Only `watchkeeper` looks at it; as of `WatchkeeperDetector`.
    hyperparameters : mapping, optional
        Of the algorithm; those that are not named have its defaults.

    Raises
    ------
    InvalidInputError
        Another algorithm or hyperparameter, or a severity that is not from 0 to 100.
    """
    if alert_severity is not None:
        require_severity(alert_severity)
    name = algorithm_of(algorithm)
    given = dict(hyperparameters or {})
    if name == WATCHKEEPER:
        named = {"alert_severity": alert_severity, "interval_seconds": interval_seconds}
        settings = {**given, **{key: value for key, value in named.items() if value is not None}}
        return _Streaming(WatchkeeperDetector(**new_detector(name, **settings).get_params()))
    new_detector(name, **given)  # an unknown hyperparameter is refused before the file is read
    if name in RULES:
        return _ByColumn(lambda: new_detector(name, **given), alert_severity)
    return _AllColumns(new_detector(name, **given), alert_severity)


class _Streaming:
    learns_first = False

    def __init__(self, detector: WatchkeeperDetector) -> None:
        self._detector = detector

    def learn(self, values: FloatArray) -> None:
        """Do nothing: every row is learned after it was scored."""

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        return self._detector.update_all(values, timestamps=seconds)


class _ByColumn:
    learns_first = True

    def __init__(self, rule: Callable[[], Detector], alert_severity: float | None) -> None:
        self._rule = rule
        self._alert_severity = alert_severity
        self._detectors: list[Detector] = []

    def learn(self, values: FloatArray) -> None:
        self._detectors = [self._rule().fit(column) for column in values.T]

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        by_column = np.array(
            [
                detector.score_samples(column)
                for detector, column in zip(self._detectors, values.T, strict=True)
            ]
        )
        score = np.maximum(by_column.max(axis=0) - np.log10(len(by_column)) / SCORE_DECADES, 0.0)
        calls = [
            detector.predict(column) < 0 for detector, column in zip(self._detectors, values.T, strict=True)
        ]
        bounds = [
            (detector.lower_[0], detector.upper_[0]) if isinstance(detector, RangeRule) else (np.nan, np.nan)
            for detector in self._detectors
        ]
        lower, upper = (np.tile(side, (len(values), 1)) for side in np.array(bounds).T)
        shares = by_column / np.maximum(by_column.sum(axis=0), np.finfo(float).tiny)
        return _scores(score, np.any(calls, axis=0), self._alert_severity, lower, upper, (shares * score).T)


class _AllColumns:
    learns_first = True

    def __init__(self, detector: Detector, alert_severity: float | None) -> None:
        self._detector = detector
        self._alert_severity = alert_severity

    def learn(self, values: FloatArray) -> None:
        self._detector.fit(values)

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        score = self._detector.score_samples(values)
        unknown = np.full(values.shape, np.nan)
        called = self._detector.predict(values) < 0
        return _scores(score, called, self._alert_severity, unknown, unknown, unknown)


def _scores(
    score: FloatArray,
    called: npt.NDArray[np.bool_],
    alert_severity: float | None,
    lower: FloatArray,
    upper: FloatArray,
    contributions: FloatArray,
) -> SeriesScores:
    severity = severity_of(score * SCORE_DECADES)
    several = lower.shape[1] > 1
    return SeriesScores(
        anomaly_score=score,
        severity=severity,
        is_anomaly=called if alert_severity is None else severity >= alert_severity,
        expected=np.full(lower.shape if several else len(lower), np.nan),
        lower=lower if several else lower[:, 0],
        upper=upper if several else upper[:, 0],
        confidence=np.ones(len(score)),
        contributions=contributions if several else contributions[:, 0],
    )
