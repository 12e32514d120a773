"""Rules and known detectors: one interface, one scale."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from watchkeeper.detectors.batch import BatchDetector
from watchkeeper.detectors.known import KNOWN_ALGORITHMS, KnownDetector
from watchkeeper.detectors.rules import iqr, persist, quantile
from watchkeeper.detectors.tail import TailCalibration
from watchkeeper.errors import InvalidInputError

ROWS = np.random.default_rng(0).normal(size=(800, 3)) * [1.0, 50.0, 0.01]
RULES: list[Callable[[], BatchDetector]] = [iqr, quantile, persist]


@pytest.mark.parametrize("algorithm", KNOWN_ALGORITHMS)
def test_known_detector_ranks_an_outlier_first_on_the_common_scale(algorithm: str) -> None:
    detector = KnownDetector(algorithm).fit(ROWS)
    queries = np.concatenate([ROWS[:300], [[7.0, -400.0, 0.08]]])
    scores = detector.score_samples(queries)
    assert scores.argmax() == 300
    assert detector.predict(queries)[300] == -1
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (detector.severity(queries) >= 60).mean() < 0.02


@pytest.mark.parametrize("algorithm", KNOWN_ALGORITHMS)
def test_severity_of_known_detectors_states_how_rare_ordinary_rows_are(algorithm: str) -> None:
    detector = KnownDetector(algorithm).fit(ROWS)
    fresh = np.random.default_rng(9).normal(size=(4000, 3)) * [1.0, 50.0, 0.01]
    assert (detector.severity(fresh) >= 20).mean() == pytest.approx(0.1, abs=0.06)


def test_a_row_with_a_missing_value_scores_zero() -> None:
    detector = KnownDetector("ecod").fit(np.where(np.arange(2400).reshape(800, 3) % 397 == 0, np.nan, ROWS))
    assert detector.score_samples([[np.nan, 1.0, 1.0], [9.0, 900.0, 9.0]])[0] == 0


def test_unknown_algorithm_names_what_is_allowed() -> None:
    with pytest.raises(InvalidInputError, match=r"'knn'.*isolation_forest"):
        KnownDetector("knn").fit(ROWS)


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
    detector = iqr().fit(np.arange(101.0))
    assert (detector.lower_, detector.upper_) == (25 - 75, 75 + 75)
    assert detector.predict([-50.0, -51.0, 150.0, 151.0]).tolist() == [1, -1, 1, -1]


def test_persist_flags_a_jump_where_it_happens_and_gets_used_to_it() -> None:
    ordinary = np.random.default_rng(0).normal(size=400)
    detector = persist().fit(ordinary)
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
def test_rule_refuses_several_columns(rule: Callable[[], BatchDetector]) -> None:
    with pytest.raises(InvalidInputError, match="3 columns"):
        rule().fit(ROWS)


def test_tail_states_the_probability_of_scores_it_has_seen_and_orders_those_beyond() -> None:
    raw = np.random.default_rng(0).exponential(size=20_000)
    tail = TailCalibration().fit(raw)
    decades = np.array([0.5, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(tail.decades(np.log(10) * decades), decades, rtol=0.1)
    assert (np.diff(tail.decades(np.linspace(0, 20, 200))) >= 0).all()


def test_importing_the_package_needs_numpy_and_numba_only() -> None:
    program = (
        "import sys, pkgutil, importlib, watchkeeper.detectors as package\n"
        "for module in pkgutil.iter_modules(package.__path__):\n"
        "    importlib.import_module(package.__name__ + '.' + module.name)\n"
        "print([name for name in ('sklearn', 'pyod', 'pandas', 'krcf') if name in sys.modules])\n"
    )
    folder = Path(__file__).parents[3] / "model_code"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder
    )
    assert answer.stdout.strip() == "[]"
