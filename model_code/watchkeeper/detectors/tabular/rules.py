"""Rules of a column by its range: interquartile range, quantiles.

Of several columns, the one that breaks its rule most counts. Values are limited to ±1e300.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.protocol.batch import BatchDetector
from watchkeeper.detectors.tabular.rule_parameters import checked_parameters, default_of

FloatArray = npt.NDArray[np.float64]
SMALLEST_WIDTH = 1e-300
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
    rule: ClassVar[str]
    """Its name in `rule_parameters`."""

    low: float
    high: float
    margin: float

    def _check_parameters(self) -> None:
        checked_parameters(self.rule, self.get_params())

    def _threshold(self) -> float:
        return 0.0

    def _learn(self, rows: FloatArray) -> FloatArray:
        first, last = np.quantile(limited(rows), [self.low, self.high], axis=0)
        self.width_ = np.maximum(last - first, SMALLEST_WIDTH)
        self.lower_ = first - self.margin * (last - first)
        self.upper_ = last + self.margin * (last - first)
        return self._raw(rows)

    def _raw(self, rows: FloatArray) -> FloatArray:
        values = limited(rows)
        return worst_of(np.maximum(self.lower_ - values, values - self.upper_), self.width_)

    def _restore(self) -> None:
        self.n_features_in_ = len(self.width_)


@dataclass(kw_only=True, eq=False)
class IQRRule(RangeRule):
    """Tukey's rule: outside the quartiles by `margin` interquartile ranges."""

    format: ClassVar[str] = "watchkeeper-iqr"
    rule: ClassVar[str] = "iqr"

    low: float = default_of("iqr", "low")
    high: float = default_of("iqr", "high")
    margin: float = default_of("iqr", "margin")


@dataclass(kw_only=True, eq=False)
class QuantileRule(RangeRule):
    """Below or above what the fit's values rarely leave."""

    format: ClassVar[str] = "watchkeeper-quantile"
    rule: ClassVar[str] = "quantile"

    low: float = default_of("quantile", "low")
    high: float = default_of("quantile", "high")
    margin: float = default_of("quantile", "margin")


def limited(rows: FloatArray) -> FloatArray:
    """Return values limited to ±1e300, so that differences are finite."""
    found: FloatArray = np.clip(rows, -_LARGEST_VALUE, _LARGEST_VALUE)
    return found


def worst_of(distances: FloatArray, widths: FloatArray) -> FloatArray:
    """Return the largest distance of each row in widths of its column."""
    with np.errstate(over="ignore"):
        worst: FloatArray = np.minimum(distances / widths, _LARGEST_SCORE).max(axis=1)
    return worst
