"""What the detector says of the rows of a series."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from watchkeeper.core.severity import SCORE_RARITY
from watchkeeper.detectors.native.elementwise import decimal_logarithm
from watchkeeper.detectors.protocol import calibration
from watchkeeper.detectors.protocol.scores import Scores
from watchkeeper.detectors.streaming.together import ONGOING, Together

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SeriesScores(Scores):
    """What the detector says of each row of a series, beside its scores.

    With several columns, arrays "by column" have shape (n_rows, n_columns).

    Attributes
    ----------
    is_anomaly : ndarray of bool
        The rarity is at least the alert rarity. An alert says that something new begins: it does not
        repeat while the same thing goes on, unless it gets stronger.
    expected, lower, upper : ndarray
        By column: the forecast made before the row was seen, and the band that contains about 99 % of rows.
    confidence : ndarray
        0 to 1, rising while the detector warms up.
    contributions : ndarray
        By column: the part of `anomaly_score` that each column accounts for; they add up to it.
    goes_on : ndarray of bool
        Whether something unusual goes on: an anomaly lasts until it has not for a while (`protocol.events`).
    """

    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    confidence: FloatArray
    contributions: FloatArray
    goes_on: npt.NDArray[np.bool_]

    @property
    def still_unusual(self) -> npt.NDArray[np.bool_]:
        """`goes_on`."""
        return self.goes_on

    def row(self, index: int) -> Score:
        """Return one row as plain numbers."""
        return Score(**{field.name: getattr(self, field.name)[index].tolist() for field in fields(Score)})


@dataclass(frozen=True)
class Score:
    """One row of `SeriesScores`; lists where there are several columns."""

    anomaly_score: float
    severity: float
    is_anomaly: bool
    expected: float | list[float]
    lower: float | list[float]
    upper: float | list[float]
    confidence: float
    contributions: float | list[float]


def interpret(
    outputs: npt.NDArray[np.void],
    alert_rarity: float,
    missing: npt.NDArray[np.bool_],
    together: Together | None = None,
) -> SeriesScores:
    """Return what the kernel's outputs mean.

    Parameters
    ----------
    outputs
        Shape (n_columns, n_rows), dtype `kernel.OUTPUT`.
    missing
        Which rows lack a value, shape (n_rows,).
    together
        Of several columns: what all of them say together.
    """
    by_column = calibration.rarity_of(outputs["onset"], outputs["level"])
    varied = _in_order(outputs["varied"])
    rarity = np.maximum(by_column.max(axis=0) - decimal_logarithm(np.maximum(varied, 1.0)), 0.0)
    shares = by_column / np.maximum(_in_order(by_column), np.finfo(float).tiny)
    goes_on: npt.NDArray[np.bool_] = np.asarray((outputs["channels"] > 0).any(axis=(0, 2)))
    if together is not None:
        several = varied > 1  # one that changes has no other to go with
        of_all = np.where(several, calibration.rarity_together(together.onset, together.surprise), 0.0)
        shares = np.where(of_all > rarity, together.parts.T, shares)
        rarity = np.maximum(rarity, of_all)
        goes_on |= several & (together.surprise >= ONGOING)
    score = rarity / SCORE_RARITY
    is_anomaly = rarity >= alert_rarity
    expected, band = outputs["expected"], outputs["band"]
    return SeriesScores(
        anomaly_score=score,
        severity=calibration.severity_of(rarity, alert_rarity, is_anomaly),
        is_anomaly=is_anomaly,
        raw=np.where(missing, -np.inf, score),
        expected=_by_row(expected),
        lower=_by_row(expected - band),
        upper=_by_row(expected + band),
        confidence=outputs["confidence"].min(axis=0),
        contributions=_by_row(shares * score),
        goes_on=goes_on,
    )


def _in_order(by_column: FloatArray) -> FloatArray:
    """Return the sum of the columns, one after the other: numpy's own order differs between its versions."""
    return functools.reduce(np.add, by_column)


def _by_row(by_column: FloatArray) -> FloatArray:
    return by_column[0] if len(by_column) == 1 else by_column.T
