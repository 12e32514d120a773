"""A detector of any algorithm over tables: fitted on bounded rows, scoring a table part by part."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.service.predictions import Judgement
from containers.service.tables import Part
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.catalogue import algorithm_of
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.protocol.calibration import SCORE_RARITY, severity_of
from watchkeeper.detectors.protocol.detector import Detector
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.series_detector import SeriesDetector

FloatArray = npt.NDArray[np.float64]
Scorer = Callable[[Part], Judgement]


def fit_detector(algorithm: str, hyperparameters: dict[str, Any], rows: Part) -> Detector:
    """Fit a detector to a table.

    Parameters
    ----------
    algorithm
        Any spelling.
    hyperparameters
        What differs from the algorithm's defaults.

    Raises
    ------
    InvalidInputError
        If the rows, or the hyperparameters, do not fit the algorithm.
    """
    detector = new_detector(algorithm, **hyperparameters)
    if isinstance(detector, SeriesDetector):
        require_order(rows)
        learning = _streaming(detector)
        learning.fit(rows.values, timestamps=rows.times)
        return SeriesDetector.from_bytes(learning.to_bytes())
    return detector.fit(rows.values[fit_positions(algorithm, len(rows))])


def fit_positions(algorithm: str, n_rows: int) -> npt.NDArray[np.int64]:
    """Return the rows of a table that an algorithm learns."""
    most = algorithm_of(algorithm).fit_rows
    if n_rows <= most:
        return np.arange(n_rows)
    return np.linspace(0, n_rows - 1, most).astype(np.int64)


def scorer_of(detector: Detector, *, as_they_came: bool = False) -> Scorer:
    """Return what judges consecutive parts of a table, in order.

    Parameters
    ----------
    as_they_came
        The table is the one that the detector was fitted on. A streaming detector then scores each row with
        what came before it, as it did when it learned.
    """
    if isinstance(detector, SeriesDetector):
        streaming = _streaming(detector) if as_they_came else copy.deepcopy(detector.detector_)
        return _stream(streaming)
    return lambda part: _judge(detector, part.values)


def is_streaming(algorithm: str) -> bool:
    """Whether an algorithm takes rows in their order."""
    return algorithm_of(algorithm).family == "streaming"


def require_order(rows: Part) -> None:
    """Refuse rows whose times go back.

    Raises
    ------
    InvalidInputError
        Reason `bad_time`.
    """
    if rows.times is None:
        return
    back = np.flatnonzero(np.diff(rows.times) < 0)
    if len(back):
        raise InvalidInputError(
            f"row {rows.first_row + int(back[0]) + 1} is earlier than the row before it: this algorithm "
            "takes rows in the order of time; sort the file",
            reason="bad_time",
        )


def _streaming(detector: SeriesDetector) -> WatchkeeperDetector:
    return WatchkeeperDetector(alert_rarity=detector.alert_rarity, interval_seconds=detector.interval_seconds)


def _stream(detector: WatchkeeperDetector) -> Scorer:
    last = -np.inf

    def judge(part: Part) -> Judgement:
        nonlocal last
        require_order(part)
        if part.times is not None:
            if part.times[0] < last:
                raise InvalidInputError(
                    f"row {part.first_row} is earlier than the row before it: sort the file",
                    reason="bad_time",
                )
            last = float(part.times[-1])
        found = detector.update_all(part.values, timestamps=part.times)
        missing = np.isnan(part.values).any(axis=1)
        raw = np.where(missing, -np.inf, found.anomaly_score)
        return Judgement(found.is_anomaly, found.anomaly_score, found.severity, raw)

    return judge


def _judge(detector: Detector, values: FloatArray) -> Judgement:
    raw = detector.raw_scores(values)
    rarity = detector.tail_.rarity(raw)  # type: ignore[attr-defined]  # every other detector is a batch one
    label = raw > detector.threshold_
    return Judgement(
        label,
        rarity / SCORE_RARITY,
        severity_of(rarity, detector.threshold_score * SCORE_RARITY, label),
        np.where(np.isnan(raw), -np.inf, raw),
    )
