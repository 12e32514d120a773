"""Known detectors against scikit-learn and PyOD called by hand, on rows with outliers and skewed columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.knn import KNN
from pyod.models.pca import PCA
from scipy.stats import skew
from sklearn.cluster import DBSCAN
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.forest.forest import FrozenForest

GENERATOR = np.random.default_rng(42)
ROWS = np.column_stack(
    (GENERATOR.normal(5, 2, 400), GENERATOR.exponential(3, 400), -GENERATOR.gamma(2, 1, 400))
)
ROWS[::40] += GENERATOR.normal(0, 12, (10, 3))
QUERIES = np.concatenate([ROWS[:60] + GENERATOR.normal(0, 0.3, (60, 3)), GENERATOR.normal(0, 9, (60, 3))])
CONTAMINATION = 0.07


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize(
    ("algorithm", "hyperparameters", "library"),
    [
        ("isolation_forest", {}, IsolationForest(random_state=0, max_samples=256)),
        (
            "isolation_forest",
            {"n_estimators": 30, "max_samples": 100, "max_features": 0.7, "random_state": 3},
            IsolationForest(n_estimators=30, max_samples=100, max_features=0.7, random_state=3),
        ),
        ("lof", {}, LocalOutlierFactor(novelty=True)),
        ("lof", {"n_neighbors": 7}, LocalOutlierFactor(n_neighbors=7, novelty=True)),
        ("one_class_svm", {}, OneClassSVM(nu=0.05)),
        ("one_class_svm", {"nu": 0.2, "gamma": 0.3}, OneClassSVM(nu=0.2, gamma=0.3)),
        (
            "one_class_svm",
            {"kernel": "poly", "degree": 2, "coef0": 1.0, "gamma": "auto"},
            OneClassSVM(nu=0.05, kernel="poly", degree=2, coef0=1.0, gamma="auto"),
        ),
        (
            "one_class_svm",
            {"kernel": "sigmoid", "gamma": 0.01},
            OneClassSVM(nu=0.05, kernel="sigmoid", gamma=0.01),
        ),
        ("one_class_svm", {"kernel": "linear"}, OneClassSVM(nu=0.05, kernel="linear")),
        ("elliptic_envelope", {}, EllipticEnvelope(random_state=0)),
        (
            "elliptic_envelope",
            {"support_fraction": 0.8, "random_state": 5},
            EllipticEnvelope(support_fraction=0.8, random_state=5),
        ),
    ],
)
def test_scores_are_scikit_learns_with_the_opposite_sign(
    algorithm: str, hyperparameters: dict[str, Any], library: Any, standardize: bool
) -> None:
    scaler = StandardScaler().fit(ROWS) if standardize else None
    rows, queries = (scaler.transform(each) if scaler else each for each in (ROWS, QUERIES))
    ours = new_detector(algorithm, **hyperparameters, standardize=standardize).fit(ROWS)
    theirs = library.fit(rows)
    scored = theirs.decision_function if algorithm == "one_class_svm" else theirs.score_samples
    np.testing.assert_allclose(ours.raw_scores(QUERIES), -scored(queries), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("algorithm", "library"),
    [
        ("isolation_forest", IsolationForest(random_state=0, max_samples=256, contamination=CONTAMINATION)),
        ("lof", LocalOutlierFactor(novelty=True, contamination=CONTAMINATION)),
        ("elliptic_envelope", EllipticEnvelope(random_state=0, contamination=CONTAMINATION)),
    ],
)
def test_calls_with_contamination_are_scikit_learns(algorithm: str, library: Any) -> None:
    ours = new_detector(algorithm, contamination=CONTAMINATION, standardize=False).fit(ROWS)
    theirs = library.fit(ROWS)
    assert ours.threshold_ == pytest.approx(-theirs.offset_, rel=1e-9)
    np.testing.assert_array_equal(ours.predict(QUERIES), theirs.predict(QUERIES))
    assert 0 < (ours.predict(QUERIES) < 0).sum() < len(QUERIES)


def test_calls_of_the_one_class_svm_are_scikit_learns_own() -> None:
    ours = new_detector("one_class_svm", nu=0.1, standardize=False).fit(ROWS)
    np.testing.assert_array_equal(ours.predict(QUERIES), OneClassSVM(nu=0.1).fit(ROWS).predict(QUERIES))


@pytest.mark.parametrize(
    ("algorithm", "hyperparameters", "library"),
    [
        ("hbos", {}, HBOS(contamination=CONTAMINATION)),
        ("hbos", {"n_bins": 25, "alpha": 0.3, "tol": 0.2}, HBOS(25, 0.3, 0.2, CONTAMINATION)),
        ("knn", {}, KNN(contamination=CONTAMINATION)),
        ("knn", {"n_neighbors": 9, "method": "mean"}, KNN(CONTAMINATION, 9, "mean")),
        ("knn", {"n_neighbors": 4, "method": "median"}, KNN(CONTAMINATION, 4, "median")),
        ("pca", {}, PCA(contamination=CONTAMINATION, standardization=False)),
        (
            "pca",
            {"n_components": 3, "n_selected_components": 1, "weighted": False},
            PCA(3, 1, CONTAMINATION, weighted=False, standardization=False),
        ),
    ],
)
def test_scores_and_calls_are_pyods(algorithm: str, hyperparameters: dict[str, Any], library: Any) -> None:
    ours = new_detector(algorithm, **hyperparameters, contamination=CONTAMINATION, standardize=False).fit(
        ROWS
    )
    theirs = library.fit(ROWS)
    np.testing.assert_allclose(ours.raw_scores(QUERIES), theirs.decision_function(QUERIES), rtol=1e-9)
    np.testing.assert_allclose(ours.tail_.sorted_, np.sort(theirs.decision_scores_), rtol=1e-9)
    assert ours.threshold_ == pytest.approx(theirs.threshold_, rel=1e-9)
    np.testing.assert_array_equal(ours.predict(QUERIES) < 0, theirs.predict(QUERIES) == 1)


def test_pca_of_standardized_columns_is_pyods_default() -> None:
    np.testing.assert_allclose(
        new_detector("pca").fit(ROWS).raw_scores(QUERIES),
        PCA().fit(ROWS).decision_function(QUERIES),
        rtol=1e-9,
    )


@pytest.mark.parametrize(("algorithm", "library"), [("ecod", ECOD), ("copod", COPOD)])
@pytest.mark.parametrize("standardize", [False, True])
def test_scores_are_those_that_pyod_gives_to_one_row_a_call(
    algorithm: str, library: Any, standardize: bool
) -> None:
    ours = new_detector(algorithm, contamination=CONTAMINATION, standardize=standardize).fit(ROWS)
    theirs = library(contamination=CONTAMINATION).fit(ROWS)
    # PyOD takes the skewness with the new row; here it is the fit's, which only COPOD's scores show.
    skewness = np.sign(skew(ROWS))
    kept = [(np.sign(skew(np.vstack((ROWS, query)))) == skewness).all() for query in QUERIES]
    assert sum(kept) > len(QUERIES) / 2
    one_by_one = [theirs.decision_function(query[np.newaxis])[0] for query in QUERIES[kept]]
    np.testing.assert_allclose(ours.raw_scores(QUERIES[kept]), one_by_one, rtol=1e-9)
    np.testing.assert_allclose(ours.tail_.sorted_, np.sort(theirs.decision_scores_), rtol=1e-9)
    assert ours.threshold_ == pytest.approx(theirs.threshold_, rel=1e-9)


@pytest.mark.parametrize(("eps", "min_samples"), [(0.4, 4), (0.25, 8), (0.8, 3)])
def test_dbscan_calls_noise_what_scikit_learns_does_and_new_rows_by_the_nearest_core_row(
    eps: float, min_samples: int
) -> None:
    ours = new_detector("dbscan", eps=eps, min_samples=min_samples).fit(ROWS)
    scaler = StandardScaler().fit(ROWS)
    theirs = DBSCAN(eps=eps, min_samples=min_samples).fit(scaler.transform(ROWS))
    np.testing.assert_array_equal(ours.predict(ROWS) < 0, theirs.labels_ == -1)
    distances = np.linalg.norm(
        scaler.transform(QUERIES)[:, np.newaxis] - theirs.components_[np.newaxis], axis=2
    ).min(axis=1)
    np.testing.assert_allclose(ours.raw_scores(QUERIES), distances, rtol=1e-9)
    np.testing.assert_array_equal(ours.predict(QUERIES) < 0, distances > eps)


def test_rcf_scores_are_the_frozen_forests() -> None:
    ours = new_detector("rcf", n_trees=20, sample_size=64, random_state=4, standardize=False).fit(ROWS)
    forest = FrozenForest(n_trees=20, sample_size=64, random_state=4).fit(ROWS)
    np.testing.assert_array_equal(ours.raw_scores(QUERIES), forest.score_samples(QUERIES))
