"""Rules of one column that work from the first intervals: interquartile range, quantiles, persistence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.batch import BatchDetector
from watchkeeper.errors import InvalidInputError

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]
_SMALLEST_WIDTH = 1e-300


class RangeRule(BatchDetector):
    """A value is an anomaly outside bounds that two quantiles of the fit set.

    The bounds are the quantiles, moved outwards by `margin` times their distance. Quantiles 0.25 and 0.75
    with margin 1.5 are Tukey's interquartile rule.

    Parameters
    ----------
    low, high : float
        Quantiles, 0 to 1.
    margin : float
    """

    def __init__(self, *, low: float, high: float, margin: float) -> None:
        self.low = low
        self.high = high
        self.margin = margin

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return -1 for a value outside the bounds and 1 for the rest."""
        values = np.asarray(X, dtype=np.float64).reshape(-1)
        return np.where((values < self.lower_) | (values > self.upper_), -1, 1)

    def _learn(self, rows: FloatArray) -> None:
        if not 0 <= self.low < self.high <= 1 or self.margin < 0:
            raise InvalidInputError("give 0 <= low < high <= 1 and a margin of at least 0")
        _require_one_column(rows)
        first, last = np.quantile(rows[:, 0], [self.low, self.high])
        self.width_ = max(float(last - first), _SMALLEST_WIDTH)
        self.lower_ = float(first - self.margin * (last - first))
        self.upper_ = float(last + self.margin * (last - first))

    def _raw(self, rows: FloatArray) -> FloatArray:
        value = rows[:, 0]
        outside = np.maximum(self.lower_ - value, value - self.upper_) / self.width_
        limited: FloatArray = np.minimum(outside, 1e12)
        return limited


class PersistRule(BatchDetector):
    """A value is an anomaly when it leaves the median of the values before it by more than usual.

    Rows are in time order, in the fit and in every call; the first row of a call follows the last of the fit.

    Parameters
    ----------
    window : int, default 12
        Rows of the median.
    margin : float, default 3
        How many interquartile ranges of the fit's differences are usual.
    """

    def __init__(self, *, window: int = 12, margin: float = 3.0) -> None:
        self.window = window
        self.margin = margin

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn the usual differences of rows in time order."""
        self.before_ = np.empty(0)
        super().fit(X, y)
        values = np.asarray(X, dtype=np.float64).reshape(-1)
        self.before_ = values[~np.isnan(values)][-self.window :]
        return self

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return -1 for a value that leaves the median by more than usual and 1 for the rest."""
        values = np.asarray(X, dtype=np.float64).reshape(-1)
        complete = ~np.isnan(values)
        result = np.ones(len(values), dtype=np.int64)
        result[complete] = np.where(self._raw(values[complete, np.newaxis]) > self.margin, -1, 1)
        return result

    def _learn(self, rows: FloatArray) -> None:
        if self.window < 1 or self.margin <= 0:
            raise InvalidInputError("give a window of at least 1 row and a margin above 0")
        _require_one_column(rows)
        first, last = np.quantile(self._differences(rows[:, 0]), [0.25, 0.75])
        self.width_ = max(float(last - first), _SMALLEST_WIDTH)

    def _raw(self, rows: FloatArray) -> FloatArray:
        changes: FloatArray = np.abs(self._differences(rows[:, 0]))
        limited: FloatArray = np.minimum(changes / self.width_, 1e12)
        return limited

    def _differences(self, values: FloatArray) -> FloatArray:
        joined = np.concatenate((self.before_, values))
        start = len(self.before_)
        medians = [
            np.median(joined[max(row - self.window, 0) : row]) if row else joined[0]
            for row in range(start, len(joined))
        ]
        changes: FloatArray = values - np.array(medians)
        return changes


def iqr() -> RangeRule:
    """Return Tukey's rule: outside the quartiles by 1.5 interquartile ranges."""
    return RangeRule(low=0.25, high=0.75, margin=1.5)


def quantile() -> RangeRule:
    """Return the rule of the highest and the lowest half per cent."""
    return RangeRule(low=0.005, high=0.995, margin=0.0)


def persist() -> PersistRule:
    """Return the rule of persistence with its defaults."""
    return PersistRule()


def _require_one_column(rows: FloatArray) -> None:
    if rows.shape[1] != 1:
        raise InvalidInputError(f"{rows.shape[1]} columns: this rule takes one")
