"""Detectors that look at the nearest rows of the fit: KNN, local outlier factor, DBSCAN.

Their state is the rows; the index of neighbours is built anew from them and answers the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.detectors.tabular.detector import TabularDetector
from watchkeeper.detectors.tabular.parameters import require_one_of, require_whole, require_within

FloatArray = npt.NDArray[np.float64]
Distance = Literal["largest", "mean", "median"]


@dataclass(kw_only=True, eq=False)
class KNNDetector(TabularDetector):
    """Distance to the nearest rows of the fit (Ramaswamy, Rastogi & Shim 2000), as PyOD's KNN.

    Parameters
    ----------
    n_neighbors : int, default 5
        At most the fit's rows less one are taken.
    method : {"largest", "mean", "median"}, default "largest"
        Which of the neighbours' distances, or what of them, is the score.
    """

    algorithm: ClassVar[str] = "knn"
    learned: ClassVar[tuple[str, ...]] = ("rows_",)

    n_neighbors: int = 5
    method: Distance = "largest"

    def _check_parameters(self) -> None:
        super()._check_parameters()
        require_whole(self.n_neighbors, "n_neighbors")
        require_one_of(self.method, "method", get_args(Distance))

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        self.rows_ = rows
        self._prepare()
        return self._distance(self._index.kneighbors()[0])

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        return self._distance(self._index.kneighbors(rows)[0])

    def _prepare(self) -> None:
        self._index = _index(self.rows_, min(self.n_neighbors, len(self.rows_) - 1))

    def _distance(self, distances: FloatArray) -> FloatArray:
        if self.method == "largest":
            return distances[:, -1]
        found: FloatArray = (np.mean if self.method == "mean" else np.median)(distances, axis=1)
        return found


@dataclass(kw_only=True, eq=False)
class LOFDetector(TabularDetector):
    """Local outlier factor (Breunig et al. 2000), as scikit-learn's with `novelty`.

    The score is how many times denser the neighbours' surroundings are than the row's own: about 1 is
    ordinary.

    Parameters
    ----------
    n_neighbors : int, default 20
        At most the fit's rows less one are taken.
    """

    algorithm: ClassVar[str] = "lof"
    learned: ClassVar[tuple[str, ...]] = ("rows_", "reach_", "density_")

    n_neighbors: int = 20

    def _check_parameters(self) -> None:
        super()._check_parameters()
        require_whole(self.n_neighbors, "n_neighbors")

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        self.rows_ = rows
        self._prepare()
        distances, neighbours = self._index.kneighbors()
        self.reach_ = distances[:, -1].copy()
        self.density_ = self._density(distances, neighbours)
        return self._factor(self.density_, neighbours)

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        distances, neighbours = self._index.kneighbors(rows)
        return self._factor(self._density(distances, neighbours), neighbours)

    def _prepare(self) -> None:
        self._index = _index(self.rows_, min(self.n_neighbors, len(self.rows_) - 1))

    def _density(self, distances: FloatArray, neighbours: npt.NDArray[np.int64]) -> FloatArray:
        """Return the local reachability density."""
        reached = np.maximum(distances, self.reach_[neighbours])
        # scikit-learn's guard against rows that are all equal.
        density: FloatArray = 1.0 / (reached.mean(axis=1) + 1e-10)
        return density

    def _factor(self, density: FloatArray, neighbours: npt.NDArray[np.int64]) -> FloatArray:
        factor: FloatArray = (self.density_[neighbours] / density[:, np.newaxis]).mean(axis=1)
        return factor


@dataclass(kw_only=True, eq=False)
class DBSCANDetector(TabularDetector):
    """DBSCAN (Ester et al. 1996) with a rule for rows that it was not fitted on.

    The score is the distance to the nearest core row. A row within `eps` of a core row belongs to its
    cluster; any other is an anomaly. Of the fit's rows, those are exactly the ones that DBSCAN calls noise.

    Parameters
    ----------
    eps : float, optional
        Radius. Without it, the distance to the `min_samples`-th neighbour that `eps_quantile` of the fit's
        rows do not exceed (the higher one of two distances): a point of the k-distance graph, which is on
        the rows' own scale however many columns they have.
    eps_quantile : float, default 0.95
        Above 0 and at most 1.
    min_samples : int, default 5
        Rows within `eps`, the row itself included, that make it a core row; at most the fit's rows are
        taken. Ester et al. found no use in more; twice the columns (Sander et al. 1998) calls nothing noise
        in wide tables: of 1,500 normal rows 3.0 % in 2 columns and none in 30, with 5 always about 1 %.
    """

    algorithm: ClassVar[str] = "dbscan"
    learned: ClassVar[tuple[str, ...]] = ("eps_", "core_rows_")

    eps: float | None = None
    eps_quantile: float = 0.95
    min_samples: int = 5

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.eps is not None and not (np.isfinite(self.eps) and self.eps > 0):
            raise InvalidInputError(f"eps is {self.eps!r}: give a number above 0, or none")
        require_within(self.eps_quantile, "eps_quantile", 0.0, 1.0)
        require_whole(self.min_samples, "min_samples")

    def _fit_columns(self, rows: FloatArray) -> FloatArray:
        with extra("scikit-learn", "DBSCAN"):
            from sklearn.cluster import DBSCAN

        enough = min(self.min_samples, len(rows))
        self.eps_ = self._radius(rows, enough) if self.eps is None else float(self.eps)
        cores = DBSCAN(eps=self.eps_, min_samples=enough).fit(rows).core_sample_indices_
        if not len(cores):
            raise InvalidInputError(
                f"dbscan finds no row with {enough} rows (min_samples) within {self.eps_:g} (eps): "
                "give a larger eps or a smaller min_samples"
            )
        self.core_rows_ = rows[cores]
        self._prepare()
        distances = self._score_columns(rows)
        if len(cores) > 1:  # a core row is as near as the next one to it
            distances[cores] = _index(self.core_rows_, 1).kneighbors()[0][:, 0]
        return distances

    def _score_columns(self, rows: FloatArray) -> FloatArray:
        nearest: FloatArray = self._index.kneighbors(rows)[0][:, 0]
        return nearest

    def _prepare(self) -> None:
        self._index = _index(self.core_rows_, 1)

    def _own_threshold(self) -> float:
        return self.eps_

    def _radius(self, rows: FloatArray, neighbours: int) -> float:
        distances = _index(rows, neighbours).kneighbors(rows)[0][:, -1]
        # A distance that there is, and a little more: the two searches may round it differently.
        return max(float(np.quantile(distances, self.eps_quantile, method="higher")) * (1.0 + 1e-9), 1e-12)


def _index(rows: FloatArray, n_neighbors: int) -> Any:
    with extra("scikit-learn", "the search for neighbours"):
        from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
