"""Rules of a column that work from the first intervals: interquartile range, quantiles, persistence.

Of several columns, the one that breaks its rule most counts. Values are limited to ±1e300.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.batch import BatchDetector
from watchkeeper.detectors.interface import as_rows
from watchkeeper.errors import InvalidInputError

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]
_SMALLEST_WIDTH = 1e-300
_LARGEST_SCORE = 1e12
_LARGEST_VALUE = 1e300


@dataclass(kw_only=True, eq=False)
class RangeRule(BatchDetector):
    """A value is an anomaly outside bounds that two quantiles of the fit set.

    The bounds are the quantiles, moved outwards by `margin` times their distance. Quantiles 0.25 and 0.75
    with margin 1.5 are Tukey's interquartile rule.

    Parameters
    ----------
    low, high : float
        Quantiles, 0 to 1.
    margin : float

    Attributes
    ----------
    lower_, upper_ : ndarray, shape (n_features,)
        The bounds.
    """

    format: ClassVar[str] = "watchkeeper-range-rule"
    state_names: ClassVar[tuple[str, ...]] = ("lower_", "upper_", "width_")

    low: float
    high: float
    margin: float

    def _check_parameters(self) -> None:
        if not 0 <= self.low < self.high <= 1 or not 0 <= self.margin < np.inf:
            raise InvalidInputError(
                f"low is {self.low!r}, high {self.high!r}, margin {self.margin!r}: "
                "give 0 <= low < high <= 1 and a margin of at least 0"
            )

    def _threshold(self) -> float:
        return 0.0

    def _learn(self, rows: FloatArray) -> FloatArray:
        first, last = np.quantile(_limited(rows), [self.low, self.high], axis=0)
        self.width_ = np.maximum(last - first, _SMALLEST_WIDTH)
        self.lower_ = first - self.margin * (last - first)
        self.upper_ = last + self.margin * (last - first)
        return self._raw(rows)

    def _raw(self, rows: FloatArray) -> FloatArray:
        values = _limited(rows)
        return _worst(np.maximum(self.lower_ - values, values - self.upper_), self.width_)

    def _restore(self) -> None:
        self.n_features_in_ = len(self.width_)


@dataclass(kw_only=True, eq=False)
class IQRRule(RangeRule):
    """Tukey's rule: outside the quartiles by `margin` interquartile ranges."""

    format: ClassVar[str] = "watchkeeper-iqr"

    low: float = 0.25
    high: float = 0.75
    margin: float = 1.5


@dataclass(kw_only=True, eq=False)
class QuantileRule(RangeRule):
    """Below or above what the fit's values rarely leave."""

    format: ClassVar[str] = "watchkeeper-quantile"

    low: float = 0.005
    high: float = 0.995
    margin: float = 0.0


@dataclass(kw_only=True, eq=False)
class PersistRule(BatchDetector):
    """A value is an anomaly when it leaves the median of the values before it by more than usual.

    Rows are in time order, in the fit and in every call; the first row of a call follows the last of the fit.
    A row with NaN is left out.

    Parameters
    ----------
    window : int, default 12
        Rows of the median.
    margin : float, default 3
        How many interquartile ranges of the fit's differences are usual.
    """

    format: ClassVar[str] = "watchkeeper-persist"
    state_names: ClassVar[tuple[str, ...]] = ("width_", "before_")

    window: int = 12
    margin: float = 3.0

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn the usual differences of rows in time order."""
        rows = as_rows(X)
        self.before_ = np.empty((0, rows.shape[1]))
        super().fit(rows, y)
        self.before_ = _limited(rows[~np.isnan(rows).any(axis=1)][-self.window :])
        return self

    def _check_parameters(self) -> None:
        if self.window < 1 or not self.margin > 0:
            raise InvalidInputError(
                f"window is {self.window!r}, margin {self.margin!r}: "
                "give a window of at least 1 row and a margin above 0"
            )

    def _threshold(self) -> float:
        return self.margin

    def _learn(self, rows: FloatArray) -> FloatArray:
        first, last = np.quantile(self._differences(rows), [0.25, 0.75], axis=0)
        self.width_ = np.maximum(last - first, _SMALLEST_WIDTH)
        return self._raw(rows)

    def _raw(self, rows: FloatArray) -> FloatArray:
        return _worst(np.abs(self._differences(rows)), self.width_)

    def _restore(self) -> None:
        self.n_features_in_ = len(self.width_)

    def _differences(self, rows: FloatArray) -> FloatArray:
        rows = _limited(rows)
        joined = np.concatenate((self.before_, rows))
        start = len(self.before_)
        medians = np.empty(rows.shape)
        # Rows that have few before them; the first of all has only itself.
        few = min(max(self.window - start, 0), len(rows))
        for row in range(few):
            medians[row] = np.median(joined[: max(start + row, 1)], axis=0)
        if few < len(rows):
            windows = np.lib.stride_tricks.sliding_window_view(joined[:-1], self.window, axis=0)
            medians[few:] = np.median(windows[start + few - self.window :], axis=-1)
        changes: FloatArray = rows - medians
        return changes


def _limited(rows: FloatArray) -> FloatArray:
    limited: FloatArray = np.clip(rows, -_LARGEST_VALUE, _LARGEST_VALUE)
    return limited


def _worst(distances: FloatArray, widths: FloatArray) -> FloatArray:
    """Return the largest distance of each row in widths of its column."""
    with np.errstate(over="ignore"):
        worst: FloatArray = np.minimum(distances / widths, _LARGEST_SCORE).max(axis=1)
    return worst
