"""Detectors that take each column's distribution: ECOD, COPOD, HBOS."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.tabular.detector import TabularDetector
from watchkeeper.detectors.tabular.parameters import require_whole, require_within

FloatArray = npt.NDArray[np.float64]


@dataclass(kw_only=True, eq=False)
class _TailDetector(TabularDetector):
    """The rarity of a row's values in the tails of the columns' empirical distributions.

    PyOD takes the rows of a call into the distributions, so that there a score depends on the others of the
    call. Here a row joins the fit's rows alone, which is what PyOD answers to a call of one row; the
    direction of a column's skewness is the fit's.
    """

    learned: ClassVar[tuple[str, ...]] = ("ordered_", "skewness_")

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        self.ordered_ = np.sort(rows, axis=0)
        centred = rows - rows.mean(axis=0)
        third = (centred**3).mean(axis=0)
        self.skewness_ = np.where(centred.std(axis=0) > 0, np.sign(third), 0.0)
        return self._rarity(rows, joining=0)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        return self._rarity(rows, joining=1)

    def _rarity(self, rows: FloatArray, joining: int) -> FloatArray:
        low, high = np.empty(rows.shape), np.empty(rows.shape)
        count = len(self.ordered_)
        for column, ordered in enumerate(self.ordered_.T):
            low[:, column] = np.searchsorted(ordered, rows[:, column], side="right")
            high[:, column] = count - np.searchsorted(ordered, rows[:, column], side="left")
        left, right = (-np.log((side + joining) / (count + joining)) for side in (low, high))
        skewed = np.where(self.skewness_ <= 0, left, 0.0) + np.where(self.skewness_ >= 0, right, 0.0)
        rarity: FloatArray = self._combined(left, right, skewed).sum(axis=1)
        return rarity

    @staticmethod
    @abstractmethod
    def _combined(left: FloatArray, right: FloatArray, skewed: FloatArray) -> FloatArray:
        """Return the rarity by column."""


class ECODDetector(_TailDetector):
    """Empirical cumulative distributions (Li et al. 2022), as PyOD's ECOD."""

    algorithm: ClassVar[str] = "ecod"

    @staticmethod
    def _combined(left: FloatArray, right: FloatArray, skewed: FloatArray) -> FloatArray:
        return np.maximum(np.maximum(left, right), skewed)


class COPODDetector(_TailDetector):
    """Empirical copula (Li et al. 2020), as PyOD's COPOD."""

    algorithm: ClassVar[str] = "copod"

    @staticmethod
    def _combined(left: FloatArray, right: FloatArray, skewed: FloatArray) -> FloatArray:
        return np.maximum((left + right) / 2.0, skewed)


@dataclass(kw_only=True, eq=False)
class HBOSDetector(TabularDetector):
    """Histograms of the columns (Goldstein & Dengel 2012), as PyOD's HBOS.

    The score is the sum over columns of -log2(density + alpha).

    Parameters
    ----------
    n_bins : int, default 10
    alpha : float, default 0.1
        Above 0 and at most 1; keeps empty bins finite.
    tol : float, default 0.5
        How many widths of the outermost bin a value may be outside and still count as in it; above 0 and at
        most 1. Beyond, it counts as in the column's emptiest bin.
    """

    algorithm: ClassVar[str] = "hbos"
    learned: ClassVar[tuple[str, ...]] = ("edges_", "height_")

    n_bins: int = 10
    alpha: float = 0.1
    tol: float = 0.5

    def _check_parameters(self) -> None:
        super()._check_parameters()
        require_whole(self.n_bins, "n_bins", at_least=2)
        require_within(self.alpha, "alpha", 0.0, 1.0)
        require_within(self.tol, "tol", 0.0, 1.0)

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        found = [np.histogram(column, bins=self.n_bins, density=True) for column in rows.T]
        self.height_ = np.log2(np.array([height for height, _ in found]).T + self.alpha)
        self.edges_ = np.array([edges for _, edges in found]).T
        return self._score_columns(rows)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        score = np.zeros(len(rows))
        for column, (edges, height) in enumerate(zip(self.edges_.T, self.height_.T, strict=True)):
            values = rows[:, column]
            place = np.digitize(values, edges, right=True)
            found = height[np.clip(place - 1, 0, len(height) - 1)]
            below = (place == 0) & (edges[0] - values > self.tol * (edges[1] - edges[0]))
            above = (place == len(edges)) & (values - edges[-1] > self.tol * (edges[-1] - edges[-2]))
            score -= np.where(below | above, height.min(), found)
        return score
