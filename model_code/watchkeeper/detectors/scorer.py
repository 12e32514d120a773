"""Any detector over rows that come in pieces: one interface for the streaming and for the batch ones."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY
from watchkeeper.detectors.catalogue import RULES, WATCHKEEPER, algorithm_of
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.protocol.calibration import SCORE_RARITY
from watchkeeper.detectors.protocol.detector import Detector
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
    alert_severity: float = THRESHOLD_SEVERITY,
    interval_seconds: float | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
) -> RowScorer:
    """Return the scorer of an algorithm.

    `watchkeeper` learns as it goes and scores each row with the rows before it; several columns are scored
    each on its own, and the most anomalous one counts, corrected for their number. The rules do the same with
    columns, but learn their bounds once; the tabular ones learn once, all columns together.

    Parameters
    ----------
    algorithm : str
        One of `catalogue.ALGORITHMS`, in any spelling.
    alert_severity : float, default 70
        Severity from which a row is an anomaly. 70 is the algorithm's own threshold, which its
        hyperparameters set.
    interval_seconds : float, optional
        Only `watchkeeper` looks at it; as of `WatchkeeperDetector`.
    hyperparameters : mapping, optional
        Of the algorithm; those that are not named have its defaults.

    Raises
    ------
    InvalidInputError
        Another algorithm or hyperparameter, or a severity that is not from 0 to 100.
    """
    if not 0 <= alert_severity <= MAX_SEVERITY:
        raise InvalidInputError(
            f"alert_severity is {alert_severity!r}: give a number from 0 to {MAX_SEVERITY:g}"
        )
    name = algorithm_of(algorithm).name
    given = dict(hyperparameters or {})
    if name == WATCHKEEPER:
        settings = given if interval_seconds is None else {**given, "interval_seconds": interval_seconds}
        return _Streaming(WatchkeeperDetector(**new_detector(name, **settings).get_params()), alert_severity)
    detector = new_detector(name, **given)
    return (_ByColumn if name in RULES else _AllColumns)(detector, alert_severity)


class _Streaming:
    learns_first = False

    def __init__(self, detector: WatchkeeperDetector, alert_severity: float) -> None:
        self._detector = detector
        self._alert_severity = alert_severity

    def learn(self, values: FloatArray) -> None:
        """Do nothing: every row is learned after it was scored."""

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        return _alerting(self._detector.update_all(values, timestamps=seconds), self._alert_severity)


class _ByColumn:
    learns_first = True

    def __init__(self, rule: Detector, alert_severity: float) -> None:
        self._rule = rule
        self._alert_severity = alert_severity
        self._detectors: list[Detector] = []

    def learn(self, values: FloatArray) -> None:
        self._detectors = [copy.copy(self._rule).fit(column) for column in values.T]

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        pairs = list(zip(self._detectors, values.T, strict=True))
        by_column = np.array([detector.score_samples(column) for detector, column in pairs])
        score = np.maximum(by_column.max(axis=0) - np.log10(len(by_column)) / SCORE_RARITY, 0.0)
        severity = np.max([detector.severity(column) for detector, column in pairs], axis=0)
        bounds = [
            (detector.lower_[0], detector.upper_[0]) if isinstance(detector, RangeRule) else (np.nan, np.nan)
            for detector in self._detectors
        ]
        lower, upper = (np.tile(side, (len(values), 1)) for side in np.array(bounds).T)
        shares = by_column / np.maximum(by_column.sum(axis=0), np.finfo(float).tiny)
        scores = _scores(score, severity, lower, upper, (shares * score).T)
        return _alerting(scores, self._alert_severity)


class _AllColumns:
    learns_first = True

    def __init__(self, detector: Detector, alert_severity: float) -> None:
        self._detector = detector
        self._alert_severity = alert_severity

    def learn(self, values: FloatArray) -> None:
        self._detector.fit(values)

    def score(self, seconds: FloatArray, values: FloatArray) -> SeriesScores:
        score, severity = self._detector.score_samples(values), self._detector.severity(values)
        unknown = np.full(values.shape, np.nan)
        return _alerting(_scores(score, severity, unknown, unknown, unknown), self._alert_severity)


def _alerting(scores: SeriesScores, alert_severity: float) -> SeriesScores:
    if alert_severity == THRESHOLD_SEVERITY:
        return scores
    return dataclasses.replace(scores, is_anomaly=scores.severity >= alert_severity)


def _scores(
    score: FloatArray,
    severity: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    contributions: FloatArray,
) -> SeriesScores:
    several = lower.shape[1] > 1
    return SeriesScores(
        anomaly_score=score,
        severity=severity,
        is_anomaly=severity >= THRESHOLD_SEVERITY,
        expected=np.full(lower.shape if several else len(lower), np.nan),
        lower=lower if several else lower[:, 0],
        upper=upper if several else upper[:, 0],
        confidence=np.ones(len(score)),
        contributions=contributions if several else contributions[:, 0],
    )
