"""Known detectors of several columns through scikit-learn and PyOD, on the common scale.

The libraries are imported when a detector is fitted, so the rest of the package does without them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.batch import BatchDetector
from watchkeeper.errors import InvalidInputError

FloatArray = npt.NDArray[np.float64]
Scorer = Callable[[FloatArray], FloatArray]


class KnownDetector(BatchDetector):
    """A published method behind the common interface.

    Columns are standardized by the mean and deviation of the fit.

    Parameters
    ----------
    algorithm : str
        One of `KNOWN_ALGORITHMS`.
    alert_severity : float, default 60
        Severity from which a row is an anomaly: 60 is one ordinary row in 1,000.
    random_state : int, default 0
    """

    def __init__(self, algorithm: str, *, alert_severity: float = 60.0, random_state: int = 0) -> None:
        self.algorithm = algorithm
        self.alert_severity = alert_severity
        self.random_state = random_state

    def _learn(self, rows: FloatArray) -> None:
        if self.algorithm not in _FITS:
            raise InvalidInputError(
                f"algorithm is {self.algorithm!r}: allowed are {', '.join(KNOWN_ALGORITHMS)}"
            )
        self.mean_ = rows.mean(axis=0)
        deviation = rows.std(axis=0)
        self.deviation_ = np.where(deviation > 0, deviation, 1.0)
        self.scorer_ = _FITS[self.algorithm](self._standardized(rows), self.random_state)

    def _raw(self, rows: FloatArray) -> FloatArray:
        return np.asarray(self.scorer_(self._standardized(rows)), dtype=np.float64)

    def _standardized(self, rows: FloatArray) -> FloatArray:
        standardized: FloatArray = np.clip((rows - self.mean_) / self.deviation_, -1e6, 1e6)
        return standardized


def _isolation_forest(rows: FloatArray, random_state: int) -> Scorer:
    from sklearn.ensemble import IsolationForest

    return _negated(IsolationForest(random_state=random_state).fit(rows).score_samples)


def _local_outlier_factor(rows: FloatArray, random_state: int) -> Scorer:
    from sklearn.neighbors import LocalOutlierFactor

    neighbours = min(20, len(rows) - 1)
    return _negated(LocalOutlierFactor(n_neighbors=neighbours, novelty=True).fit(rows).score_samples)


def _one_class_svm(rows: FloatArray, random_state: int) -> Scorer:
    from sklearn.svm import OneClassSVM

    return _negated(OneClassSVM(gamma="scale", nu=0.05).fit(rows).score_samples)


def _dbscan(rows: FloatArray, random_state: int) -> Scorer:
    """Return the distance, in radii, within which a row has as many core rows as a core row needs neighbours.

    DBSCAN itself only labels the rows of the fit.
    """
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    neighbours = min(2 * rows.shape[1] + 1, len(rows))
    distances = NearestNeighbors(n_neighbors=neighbours).fit(rows).kneighbors(rows)[0][:, -1]
    radius = max(float(np.quantile(distances, 0.95)), 1e-12)
    cores = rows[DBSCAN(eps=radius, min_samples=neighbours).fit(rows).core_sample_indices_]
    nearest = NearestNeighbors(n_neighbors=min(neighbours, len(cores))).fit(cores)
    return lambda queries: nearest.kneighbors(queries)[0][:, -1] / radius


def _ecod(rows: FloatArray, random_state: int) -> Scorer:
    from pyod.models.ecod import ECOD

    return _decision_function(ECOD().fit(rows))


def _hbos(rows: FloatArray, random_state: int) -> Scorer:
    from pyod.models.hbos import HBOS

    return _decision_function(HBOS().fit(rows))


def _copod(rows: FloatArray, random_state: int) -> Scorer:
    from pyod.models.copod import COPOD

    return _decision_function(COPOD().fit(rows))


def _decision_function(fitted: Any) -> Scorer:
    scorer: Scorer = fitted.decision_function
    return scorer


def _negated(score_samples: Scorer) -> Scorer:
    return lambda rows: -score_samples(rows)


_FITS: dict[str, Callable[[FloatArray, int], Scorer]] = {
    "copod": _copod,
    "dbscan": _dbscan,
    "ecod": _ecod,
    "hbos": _hbos,
    "isolation_forest": _isolation_forest,
    "lof": _local_outlier_factor,
    "one_class_svm": _one_class_svm,
}
KNOWN_ALGORITHMS = tuple(_FITS)
