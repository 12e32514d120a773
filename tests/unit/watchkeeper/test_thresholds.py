from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import ThresholdPlan
from watchkeeper.judgement.thresholds import Threshold, expected_alerts_per_week, fit_threshold, quantile

SCORES = st.lists(st.floats(0, 1e6), min_size=2, max_size=50)


@given(SCORES)
def test_mean_sigma_is_the_mean_plus_k_standard_deviations(scores: list[float]) -> None:
    threshold = fit_threshold(scores, ThresholdPlan(k=2.5))

    assert threshold.value == pytest.approx(np.mean(scores) + 2.5 * np.std(scores), rel=1e-9, abs=1e-9)
    assert (threshold.rule, threshold.n_scores, threshold.parameters["k"]) == ("mean_sigma", len(scores), 2.5)


@given(SCORES, st.floats(0, 1))
def test_quantile_is_numpys(scores: list[float], probability: float) -> None:
    assert quantile(sorted(scores), probability) == pytest.approx(
        np.quantile(scores, probability), rel=1e-9, abs=1e-9
    )


def test_quantile_rule_leaves_the_wanted_share_above() -> None:
    scores = [float(score) for score in range(1000)]
    threshold = fit_threshold(scores, ThresholdPlan("quantile", quantile=0.99))

    assert sum(score > threshold.value for score in scores) == 10


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.3])
def test_peaks_over_threshold_finds_the_quantile_of_a_known_tail(shape: float) -> None:
    ranks = (np.arange(20_000) + 0.5) / 20_000
    tail = -np.log(ranks) if shape == 0.0 else (ranks**-shape - 1.0) / shape

    fitted = fit_threshold(tail.tolist(), ThresholdPlan("peaks_over_threshold", risk=1e-3, tail=0.05))

    truth = -np.log(1e-3) if shape == 0.0 else (1e-3**-shape - 1.0) / shape
    assert fitted.value == pytest.approx(truth, rel=0.02)
    assert fitted.parameters["shape"] == pytest.approx(shape, abs=0.03)


@given(SCORES)
def test_peaks_over_threshold_is_finite_and_not_below_where_the_tail_begins(scores: list[float]) -> None:
    fitted = fit_threshold(scores, ThresholdPlan("peaks_over_threshold"))

    assert np.isfinite(fitted.value)
    assert fitted.value >= fitted.parameters["begin"]


@pytest.mark.parametrize(
    ("scores", "reason"),
    [([], "too_few_scores"), ([1.0], "too_few_scores"), ([1.0, float("nan")], "not_finite")],
)
def test_refuses_scores_that_say_nothing(scores: list[float], reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        fit_threshold(scores, ThresholdPlan())

    assert refused.value.reason == reason


def test_alerts_a_week_follow_from_the_share_above_the_interval_and_the_series() -> None:
    scores = [0.0] * 99 + [9.0]
    five, nine = (Threshold("quantile", value, {"quantile": 0.99}, 100) for value in (5.0, 9.0))

    assert expected_alerts_per_week(scores, five, 300) == pytest.approx(0.01 * 2016)
    assert expected_alerts_per_week(scores, five, 3600, n_series=3) == pytest.approx(0.01 * 168 * 3)
    assert expected_alerts_per_week(scores, nine, 300) == 0.0
    assert expected_alerts_per_week([], nine, 300) == 0.0


@pytest.mark.parametrize("rule", ["peaks_over_threshold", "adaptive"])
def test_alerts_a_week_of_a_rule_that_states_its_risk_are_those(rule: Literal["adaptive"]) -> None:
    scores = np.random.default_rng(0).exponential(size=2000).tolist()
    threshold = fit_threshold(scores, ThresholdPlan(rule, risk=2e-3))

    assert expected_alerts_per_week(scores, threshold, 300) == pytest.approx(2e-3 * 2016)


@given(SCORES)
def test_an_adaptive_threshold_begins_at_peaks_over_threshold_within_its_limits(scores: list[float]) -> None:
    adaptive = fit_threshold(scores, ThresholdPlan("adaptive", reach=0.7))
    parameters = adaptive.parameters

    assert adaptive.value == fit_threshold(scores, ThresholdPlan("peaks_over_threshold")).value
    assert parameters["low"] <= adaptive.value <= parameters["high"]
    assert parameters["rise"] > 0
