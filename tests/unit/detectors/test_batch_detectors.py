"""Rules and tabular detectors: one interface, one scale."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.catalogue import ALGORITHMS, TABULAR, algorithm_of
from watchkeeper.detectors.factory import candidates, detector_from_bytes, new_detector
from watchkeeper.detectors.protocol.batch import BatchDetector, TailCalibration
from watchkeeper.detectors.tabular.persist_rule import PersistRule
from watchkeeper.detectors.tabular.rules import IQRRule, QuantileRule

ROWS = np.random.default_rng(0).normal(size=(800, 3)) * [1.0, 50.0, 0.01]
RULES: list[Callable[[], BatchDetector]] = [IQRRule, QuantileRule, PersistRule]


@pytest.mark.parametrize("algorithm", TABULAR)
def test_tabular_detector_ranks_an_outlier_first_on_the_common_scale(algorithm: str) -> None:
    detector = new_detector(algorithm).fit(ROWS)
    queries = np.concatenate([ROWS[:300], [[7.0, -400.0, 0.08]]])
    scores = detector.score_samples(queries)
    assert scores.argmax() == 300
    assert detector.predict(queries)[300] == -1
    assert detector.raw_scores(queries).argmax() == 300
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (scores >= 0.3).mean() < 0.02
    np.testing.assert_array_equal(detector.severity(queries) >= 70, detector.predict(queries) < 0)


@pytest.mark.parametrize("algorithm", TABULAR)
def test_scores_of_tabular_detectors_state_how_rare_ordinary_rows_are(algorithm: str) -> None:
    detector = new_detector(algorithm).fit(ROWS)
    fresh = np.random.default_rng(9).normal(size=(4000, 3)) * [1.0, 50.0, 0.01]
    assert (detector.score_samples(fresh) >= 0.1).mean() == pytest.approx(0.1, abs=0.06)


def test_a_row_with_a_missing_value_scores_zero() -> None:
    detector = new_detector("ecod").fit(np.where(np.arange(2400).reshape(800, 3) % 397 == 0, np.nan, ROWS))
    assert detector.score_samples([[np.nan, 1.0, 1.0], [9.0, 900.0, 9.0]])[0] == 0


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("DBSCAN", "dbscan"),
        ("IsolationForest", "isolation_forest"),
        ("One-Class SVM", "one_class_svm"),
        ("OneClassSVM", "one_class_svm"),
        ("Elliptic Envelope", "elliptic_envelope"),
        ("LocalOutlierFactor", "lof"),
        ("iForest", "isolation_forest"),
        ("Watchkeeper", "watchkeeper"),
    ],
)
def test_an_algorithm_is_found_in_the_spellings_that_people_use(name: str, algorithm: str) -> None:
    assert algorithm_of(name).name == algorithm


def test_unknown_algorithm_names_the_nearest_and_what_is_allowed() -> None:
    with pytest.raises(InvalidInputError, match=r"'isolatoin-forest' \(did you mean isolation_forest.*copod"):
        new_detector("isolatoin-forest")


def test_unknown_hyperparameter_names_the_nearest_and_what_is_allowed() -> None:
    with pytest.raises(InvalidInputError, match=r"'n_neighbours' \(did you mean n_neighbors.*method"):
        new_detector("knn", n_neighbours=3)


@pytest.mark.parametrize(
    ("algorithm", "wrong"),
    [
        ("dbscan", {"eps": -1.0}),
        ("dbscan", {"min_samples": 2.5}),
        ("dbscan", {"eps_quantile": 0}),
        ("knn", {"n_neighbors": 0}),
        ("knn", {"method": "smallest"}),
        ("lof", {"n_neighbors": True}),
        ("one_class_svm", {"nu": 0.0}),
        ("one_class_svm", {"gamma": "wide"}),
        ("elliptic_envelope", {"support_fraction": 1.5}),
        ("hbos", {"n_bins": 1}),
        ("isolation_forest", {"max_features": 0.0}),
        ("isolation_forest", {"n_estimators": "many"}),
        ("pca", {"n_selected_components": 9}),
        ("rcf", {"sample_size": 1}),
        ("ecod", {"contamination": 0.7}),
        ("copod", {"alert_rarity": 10}),
        ("iqr", {"margin": -1.0}),
        ("persist", {"window": 0}),
        ("watchkeeper", {"alert_rarity": -1.0}),
    ],
)
def test_a_hyperparameter_out_of_range_is_refused_by_name(algorithm: str, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        new_detector(algorithm, **wrong).fit(ROWS)


def test_dbscan_without_a_core_row_says_what_to_change() -> None:
    with pytest.raises(InvalidInputError, match=r"larger eps or a smaller min_samples"):
        new_detector("dbscan", eps=1e-6, min_samples=5).fit(ROWS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_state_scores_bit_for_bit_as_the_original(algorithm: str) -> None:
    detector = new_detector(algorithm).fit(ROWS)
    queries = np.concatenate([ROWS[:100] * 1.7, [[np.nan, 0.0, 0.0]]])
    read = detector_from_bytes(detector.to_bytes())
    assert type(read) is type(detector)
    assert read.get_params() == detector.get_params()
    assert read.threshold_ == detector.threshold_
    np.testing.assert_array_equal(read.raw_scores(queries), detector.raw_scores(queries))
    np.testing.assert_array_equal(read.score_samples(queries), detector.score_samples(queries))
    np.testing.assert_array_equal(read.predict(queries), detector.predict(queries))
    assert read.to_bytes() == detector.to_bytes()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_state_of_another_detector_is_refused(algorithm: str) -> None:
    other = "hbos" if algorithm != "hbos" else "ecod"
    content = new_detector(other).fit(ROWS).to_bytes()
    with pytest.raises(InvalidInputError, match="its header says"):
        type(new_detector(algorithm)).from_bytes(content)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_detector_that_learned_nothing_says_so(algorithm: str) -> None:
    with pytest.raises(InvalidInputError, match="call fit"):
        new_detector(algorithm).score_samples(ROWS)


@pytest.mark.parametrize("algorithm", TABULAR)
def test_contamination_calls_that_share_of_the_fits_rows_an_anomaly(algorithm: str) -> None:
    detector = new_detector(algorithm, contamination=0.1).fit(ROWS)
    assert (detector.tail_.sorted_ > detector.threshold_).mean() == pytest.approx(
        0.1, abs=0.02
    )  # HBOS has ties
    if algorithm != "dbscan":  # of which the threshold is for rows that are not of the fit
        assert (detector.predict(ROWS) < 0).mean() == pytest.approx(0.1, abs=0.035)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_points_of_a_search_space_fit(algorithm: str) -> None:
    for point in candidates(algorithm, limit=4):
        detector = new_detector(algorithm, **point).fit(ROWS[:200])
        assert np.isfinite(detector.score_samples(ROWS[:20])).all()


@pytest.mark.parametrize("n_columns", [2, 30, 64])
def test_dbscan_calls_a_like_share_of_ordinary_rows_noise_however_many_columns(n_columns: int) -> None:
    rows = np.random.default_rng(n_columns).normal(size=(600, n_columns))
    shares = [
        (new_detector("dbscan", eps_quantile=quantile).fit(rows).predict(rows) < 0).mean()
        for quantile in (0.95, 0.8, 0.5)
    ]
    assert 0.002 < shares[0] < 0.05 < shares[1] < shares[2]


def test_candidates_begin_with_the_defaults_and_differ() -> None:
    for algorithm in ALGORITHMS:
        found = candidates(algorithm, limit=12)
        assert found[0] == {}
        assert 3 <= len(found) <= 12
        assert len({str(new_detector(algorithm, **point).get_params()) for point in found}) == len(found)
        assert found == candidates(algorithm, limit=12)


@pytest.mark.parametrize("rule", RULES)
def test_rule_flags_a_spike_and_little_else(rule: Callable[[], BatchDetector]) -> None:
    values = 20 + np.random.default_rng(3).normal(size=500)
    detector = rule().fit(values)
    queries = np.append(values[:200], 45.0)
    predicted = detector.predict(queries)
    assert predicted[200] == -1
    assert (predicted[:200] == -1).mean() < 0.03
    assert detector.score_samples(queries).argmax() == 200


def test_iqr_bounds_are_tukeys() -> None:
    detector = IQRRule().fit(np.arange(101.0))
    assert (*detector.lower_, *detector.upper_) == (25 - 75, 75 + 75)
    assert detector.predict([-50.0, -51.0, 150.0, 151.0]).tolist() == [1, -1, 1, -1]


def test_persist_flags_a_jump_where_it_happens_and_gets_used_to_it() -> None:
    ordinary = np.random.default_rng(0).normal(size=400)
    detector = PersistRule().fit(ordinary)
    predicted = detector.predict(np.concatenate([ordinary[:50], ordinary[50:100] + 30]))
    assert (predicted[50:56] == -1).all()
    assert (predicted[70:] == 1).mean() > 0.9


@pytest.mark.parametrize("rule", RULES)
def test_rule_of_a_constant_series_stays_finite(rule: Callable[[], BatchDetector]) -> None:
    detector = rule().fit(np.full(50, 3.0))
    scores = detector.score_samples([3.0, 4.0, np.nan])
    assert np.isfinite(scores).all()
    assert scores[1] > scores[0]
    assert scores[2] == 0


@pytest.mark.parametrize("rule", RULES)
def test_rule_of_several_columns_flags_the_row_that_breaks_one(rule: Callable[[], BatchDetector]) -> None:
    detector = rule().fit(ROWS)
    queries = ROWS[:50].copy()
    queries[25, 1] = 900.0
    assert detector.score_samples(queries).argmax() == 25
    assert detector.predict(queries)[25] == -1


def test_tail_states_the_probability_of_scores_it_has_seen_and_orders_those_beyond() -> None:
    raw = np.random.default_rng(0).exponential(size=20_000)
    tail = TailCalibration().fit(raw)
    rarity = np.array([0.5, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(tail.rarity(np.log(10) * rarity), rarity, rtol=0.1)
    assert (np.diff(tail.rarity(np.linspace(0, 20, 200))) >= 0).all()


def test_importing_the_package_needs_numpy_and_no_other_package_but_numba() -> None:
    program = (
        "import sys, pkgutil, importlib, watchkeeper.detectors as package\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    if not module.name.endswith('.estimators'):  # scikit-learn's face\n"
        "        importlib.import_module(module.name)\n"
        "print([name for name in ('sklearn', 'pyod', 'pandas', 'krcf') if name in sys.modules])\n"
    )
    folder = Path(__file__).parents[3] / "model_code"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder
    )
    assert answer.stdout.strip() == "[]"
