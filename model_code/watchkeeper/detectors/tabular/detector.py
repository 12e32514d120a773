"""What the published detectors have in common: the scale of columns, and what makes a row an anomaly."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.protocol.batch import BatchDetector
from watchkeeper.detectors.protocol.detector import require_rarity

FloatArray = npt.NDArray[np.float64]
LARGEST_STANDARDIZED = 1e6
_SAFE_TO_SQUARE = 1e100


@dataclass(kw_only=True, eq=False)
class TabularDetector(BatchDetector):
    """A published method behind the common interface.

    Fitting takes scikit-learn; what is learned are arrays, and scoring is a formula over them.

    Parameters
    ----------
    contamination : float, optional
        Share of the fit's rows that are anomalies, above 0 and at most 0.5: the threshold is the quantile
        of their scores that leaves this share above it, as in scikit-learn and PyOD. Without it, a method
        with a criterion of its own (DBSCAN, one-class SVM) uses that, and the others use `alert_rarity`.
    alert_rarity : float, default 3
        Rarity from which a row is an anomaly: 3 is one ordinary row in 1,000.
    standardize : bool, default True
        Take columns in units of their deviation from the fit's mean, limited to a million of them. Without
        it, distances are in the columns' own units.
    """

    algorithm: ClassVar[str]
    """Its name in `watchkeeper.detectors.catalogue`."""
    learned: ClassVar[tuple[str, ...]]
    """Attributes that hold the method's own state."""

    contamination: float | None = None
    alert_rarity: float = 3.0
    standardize: bool = True

    def __init_subclass__(cls) -> None:
        """Derive the format of the state."""
        if "algorithm" in cls.__dict__:
            cls.format = f"watchkeeper-{cls.algorithm.replace('_', '-')}"
            cls.state_names = ("unit_", "mean_", "deviation_", *cls.learned)

    def _check_parameters(self) -> None:
        require_rarity(self.alert_rarity)
        if self.contamination is not None and not 0 < self.contamination <= 0.5:
            raise InvalidInputError(
                f"contamination is {self.contamination!r}: give a number above 0 and at most 0.5, or none"
            )

    def threshold_at(self, contamination: float) -> float:
        """Return the threshold that a contamination gives: nothing else of the fit depends on it."""
        # Of the negated scores, as scikit-learn takes it: the interpolation is then the same to the bit.
        return -float(np.percentile(-self.tail_.sorted_, 100.0 * contamination))

    def _threshold(self) -> float:
        if self.contamination is not None:
            return self.threshold_at(self.contamination)
        own = self._own_threshold()
        return self.tail_.raw_at(self.alert_rarity) if own is None else own

    def _own_threshold(self) -> float | None:
        """Return the method's own criterion, if it has one."""
        return None

    def _learn(self, rows: FloatArray) -> FloatArray:
        self._learn_columns(rows)
        columns = self._columns(rows)
        try:
            return self._fit_columns(columns)
        except ValueError as error:  # what the libraries raise of rows or parameters that do not go together
            raise InvalidInputError(f"{self.algorithm} cannot be fitted: {error}") from error

    def _raw(self, rows: FloatArray) -> FloatArray:
        return self._score_columns(self._columns(rows))

    def _restore(self) -> None:
        self.n_features_in_ = len(self.mean_)
        self._prepare()

    @abstractmethod
    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        """Set the attributes of `learned`, and return the rows' scores as those of rows not seen."""

    @abstractmethod
    def _score_columns(self, rows: FloatArray) -> FloatArray:
        """Return the method's score, from the attributes of `learned`, higher is more anomalous."""

    def _prepare(self) -> None:
        """Build what scoring needs beside the attributes of `learned`."""

    def _learn_columns(self, rows: FloatArray) -> None:
        largest = np.abs(rows).max(axis=0)
        self.unit_ = np.where(largest > _SAFE_TO_SQUARE, largest, 1.0)
        scaled = rows / self.unit_
        self.mean_ = scaled.mean(axis=0)
        # A column that differs by rounding only is constant.
        deviation = scaled.std(axis=0)
        smallest = 10.0 * np.finfo(np.float64).eps * np.abs(self.mean_)
        self.deviation_ = np.where(deviation > smallest, deviation, 1.0)

    def _columns(self, rows: FloatArray) -> FloatArray:
        if not self.standardize:
            return rows
        with np.errstate(over="ignore"):
            columns: FloatArray = (rows / self.unit_ - self.mean_) / self.deviation_
        return np.clip(columns, -LARGEST_STANDARDIZED, LARGEST_STANDARDIZED)
