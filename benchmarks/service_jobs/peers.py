"""scikit-learn and PyOD called by hand, as one would without the service: standardize, fit, predict."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

FloatArray = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CONTAMINATION = 0.1
"""PyOD's default."""
ONE_BY_ONE = ("ECOD", "COPOD")
"""PyOD takes the asked rows into its distributions: only one alone is judged by the fit."""


def has_peer(algorithm: str) -> bool:
    """Whether a library has the method: RCF and `watchkeeper` are the project's own."""
    return algorithm not in ("RCF", "watchkeeper")


def peer_of(algorithm: str) -> Any:
    """Return the library's detector with the service's hyperparameters and PyOD's contamination."""
    from pyod.models.copod import COPOD
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS
    from pyod.models.knn import KNN
    from pyod.models.ocsvm import OCSVM
    from pyod.models.pca import PCA
    from sklearn.covariance import EllipticEnvelope
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import LocalOutlierFactor

    share = CONTAMINATION
    makers = {
        "IsolationForest": lambda: IsolationForest(max_samples=256, random_state=0, contamination=share),
        "LOF": lambda: LocalOutlierFactor(novelty=True, contamination=share),
        "OneClassSVM": lambda: OCSVM(nu=0.05, gamma="scale", contamination=share),
        "EllipticEnvelope": lambda: EllipticEnvelope(random_state=0, contamination=share),
        "ECOD": lambda: ECOD(contamination=share),
        "HBOS": lambda: HBOS(contamination=share),
        "COPOD": lambda: COPOD(contamination=share),
        "KNN": lambda: KNN(contamination=share),
        "PCA": lambda: PCA(contamination=share, standardization=False),
    }
    return makers[algorithm]()


def flags_by_hand(algorithm: str, rows: FloatArray, queries: FloatArray) -> Flags:
    """Fit to rows and return which of the queries the library calls anomalies."""
    scaler = StandardScaler().fit(rows)
    peer = peer_of(algorithm).fit(scaler.transform(rows))
    asked = scaler.transform(queries)
    if algorithm in ONE_BY_ONE:
        scores = np.array([peer.decision_function(query[np.newaxis])[0] for query in asked])
        return np.asarray(scores > peer.threshold_)
    answers = peer.predict(asked)
    # scikit-learn says -1 of an anomaly and 1 of the rest, PyOD 1 and 0
    return np.asarray(answers == (1 if hasattr(peer, "decision_scores_") else -1))


def noise_by_hand(rows: FloatArray, eps: float, min_samples: int) -> Flags:
    """Return which rows scikit-learn's DBSCAN calls noise."""
    from sklearn.cluster import DBSCAN

    scaled = StandardScaler().fit_transform(rows)
    return np.asarray(DBSCAN(eps=eps, min_samples=min_samples).fit(scaled).labels_ == -1)
