"""scikit-learn's own checks on the detectors as estimators, and how the two directions relate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from watchkeeper.detectors.catalogue import ALGORITHMS, TABULAR
from watchkeeper.detectors.estimators import ESTIMATORS, IsolationForest, OutlierEstimator, RandomCutForest
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.forest import kernel as forest_kernel

ROWS = np.random.default_rng(0).normal(size=(300, 3))
# The checks want both kinds of answer on rows that have few anomalies, and are many: so few trees.
SETTINGS: dict[str, dict[str, Any]] = {
    **{algorithm: {"contamination": 0.1} for algorithm in TABULAR},
    "dbscan": {},
    "iqr": {"margin": 0.3},
    "isolation_forest": {"contamination": 0.1, "n_estimators": 10},
    "one_class_svm": {},
    "persist": {"margin": 0.8},
    "rcf": {"contamination": 0.1, "n_trees": 5, "sample_size": 32},
    "watchkeeper": {"alert_rarity": 1.0},
}
IN_TIME_ORDER = {
    "check_methods_subset_invariance": "a row is scored with the rows before it in the call",
    "check_methods_sample_order_invariance": "a row is scored with the rows before it in the call",
}
# As scikit-learn's own LOF for novelties, which forbids `fit_predict`.
NOT_OF_THE_FIT = dict.fromkeys(
    ("check_outliers_fit_predict", "check_outliers_train"),
    "the threshold is for rows not of the fit: one of the fit finds itself when it is scored again",
)
EXPECTED_FAILURES = {
    **dict.fromkeys(("persist", "watchkeeper"), IN_TIME_ORDER),
    **dict.fromkeys(("copod", "dbscan", "ecod", "knn", "lof"), NOT_OF_THE_FIT),
}


def expected_failures(estimator: OutlierEstimator) -> dict[str, str]:
    return EXPECTED_FAILURES.get(estimator.algorithm, {})


@pytest.fixture(autouse=True)
def forests_without_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling for each number of columns takes longer than the checks."""
    monkeypatch.setattr(forest_kernel, "HAVE_NUMBA", False)


@parametrize_with_checks(
    [estimator(**SETTINGS.get(name, {})) for name, estimator in ESTIMATORS.items()],
    expected_failed_checks=expected_failures,
)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_every_algorithm_has_an_estimator() -> None:
    assert set(ESTIMATORS) == set(ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_estimator_says_what_its_detector_says_in_scikit_learns_direction(algorithm: str) -> None:
    settings = SETTINGS.get(algorithm, {})
    estimator = ESTIMATORS[algorithm](**settings).fit(ROWS)
    detector = new_detector(algorithm, **settings).fit(ROWS)
    queries = ROWS[:50] * 2.0
    np.testing.assert_array_equal(estimator.score_samples(queries), -detector.raw_scores(queries))
    np.testing.assert_array_equal(estimator.predict(queries), detector.predict(queries))
    assert clone(estimator).get_params() == detector.get_params()


def test_an_estimator_takes_part_in_pipelines_and_searches() -> None:
    rows = np.concatenate([ROWS, ROWS[:12] * 5.0])
    labels = np.concatenate([np.ones(len(ROWS)), -np.ones(12)])
    search = GridSearchCV(
        make_pipeline(MinMaxScaler(), IsolationForest(n_estimators=10)),
        {"isolationforest__contamination": [0.02, 0.05]},
        scoring="accuracy",
        cv=2,
    ).fit(rows, labels)
    assert search.best_score_ > 0.9


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(TypeError, match="RCF has no parameter 'trees'"):
        RandomCutForest(trees=3)
