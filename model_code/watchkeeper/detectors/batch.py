"""The interface of detectors that are fitted once and then score any rows: rules and known methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.calibration import SCORE_DECADES, severity_of
from watchkeeper.detectors.tail import TailCalibration
from watchkeeper.errors import InvalidInputError

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]


class BatchDetector(ABC):
    """Fit on ordinary rows, then score rows on the scale that all detectors share.

    A row with NaN scores 0. The score is a tenth of -log10 of how rarely the rows of the fit score as much.
    """

    alert_severity: float

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn from rows, shape (n_rows,) or (n_rows, n_features); those with NaN are left out."""
        rows = as_rows(X)
        complete = rows[~np.isnan(rows).any(axis=1)]
        if len(complete) < 2:
            raise InvalidInputError(f"{len(complete)} complete rows: give at least 2")
        self.n_features_in_ = rows.shape[1]
        self._learn(complete)
        self.tail_ = TailCalibration().fit(self._raw(complete))
        return self

    def score_samples(self, X: npt.ArrayLike) -> FloatArray:
        """Return the anomaly score of each row, shape (n_rows,): 0 to 1, higher is more anomalous."""
        return self._decades(X) / SCORE_DECADES

    def severity(self, X: npt.ArrayLike) -> FloatArray:
        """Return the severity of each row, 0 to 100, on the detectors' common scale."""
        return severity_of(self._decades(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return -1 for an anomaly and 1 for the rest, shape (n_rows,)."""
        return np.where(self.severity(X) >= self.alert_severity, -1, 1)

    @abstractmethod
    def _learn(self, rows: FloatArray) -> None:
        """Fit on complete rows."""

    @abstractmethod
    def _raw(self, rows: FloatArray) -> FloatArray:
        """Return the method's own score of complete rows, higher is more anomalous."""

    def _decades(self, X: npt.ArrayLike) -> FloatArray:
        rows = as_rows(X)
        if rows.shape[1] != self.n_features_in_:
            raise InvalidInputError(
                f"{rows.shape[1]} columns: the detector was fitted on {self.n_features_in_}"
            )
        complete = ~np.isnan(rows).any(axis=1)
        raw = np.full(len(rows), np.nan)
        if complete.any():
            raw[complete] = self._raw(rows[complete])
        return self.tail_.decades(raw)


def as_rows(X: npt.ArrayLike) -> FloatArray:
    """Return numbers as rows, shape (n_rows, n_features).

    Raises
    ------
    InvalidInputError
        They are not numbers, infinite, or of another shape.
    """
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"values are not all numbers: {error}") from error
    if rows.ndim == 1:
        rows = rows[:, np.newaxis]
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InvalidInputError(f"values have shape {rows.shape}: give (n_rows,) or (n_rows, n_columns)")
    if np.isinf(rows).any():
        row = int(np.isinf(rows).any(axis=1).argmax())
        raise InvalidInputError(f"row {row} is infinite: give a finite number, or NaN for a missing interval")
    return rows
