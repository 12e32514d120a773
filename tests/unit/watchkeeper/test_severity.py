from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.judgement.severity import THRESHOLD_SEVERITY, fit_severity

FINITE = st.floats(-1e9, 1e9)


@given(st.lists(FINITE, min_size=1, max_size=60), FINITE)
def test_the_threshold_is_exactly_seventy(scores: list[float], threshold: float) -> None:
    assert fit_severity(scores, threshold).severity(threshold) == THRESHOLD_SEVERITY


@given(st.lists(FINITE, min_size=1, max_size=60), FINITE, st.lists(FINITE, min_size=2, max_size=20))
def test_severity_never_falls_as_the_score_rises_and_stays_in_its_range(
    scores: list[float], threshold: float, asked: list[float]
) -> None:
    calibration = fit_severity(scores, threshold)
    severities = [calibration.severity(score) for score in sorted([*asked, *scores, threshold])]

    assert severities == sorted(severities)
    assert severities[0] >= 0.0
    assert severities[-1] <= 100.0
    assert all((score >= threshold) == (calibration.severity(score) >= 70.0) for score in asked)


def test_below_the_threshold_severity_states_the_false_alarm_rate() -> None:
    chooser = random.Random(7)
    scores = [chooser.expovariate(1.0) for _ in range(20_000)]
    calibration = fit_severity(scores, sorted(scores)[-100])

    for severity in (10.0, 30.0, 50.0, 65.0):
        share = sum(calibration.severity(score) >= severity for score in scores) / len(scores)
        assert share == pytest.approx(calibration.false_alarm_share(severity), rel=0.1)


def test_beyond_the_threshold_severity_counts_distances_to_the_median() -> None:
    calibration = fit_severity([float(score) for score in range(101)], 80.0)

    assert calibration.severity(110.0) == pytest.approx(100 - 30 / 2.718281828459045)
    assert calibration.severity(1e9) == 100.0


@pytest.mark.parametrize("scores", [[1.0], [1.0] * 50, [0.0] * 50])
def test_scores_that_are_all_alike_still_calibrate(scores: list[float]) -> None:
    calibration = fit_severity(scores, scores[0])

    assert calibration.severity(scores[0] - 0.1) < 70.0
    assert 70.0 < calibration.severity(scores[0] + 1.0) < 100.0


@pytest.mark.parametrize(("scores", "threshold"), [([], 1.0), ([float("nan")], 1.0), ([1.0], float("inf"))])
def test_refuses_what_is_not_a_distribution(scores: list[float], threshold: float) -> None:
    with pytest.raises(InvalidInputError):
        fit_severity(scores, threshold)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.floats(0, 100), st.floats(0, 200))
def test_severity_of_a_moved_threshold_is_seventy_from_there_on(
    scores: list[float], moved: float, score: float
) -> None:
    calibration = fit_severity(scores, 50.0)

    if score != moved:
        assert (calibration.severity_beyond(score, moved) >= 70.0) == (score > moved)
    assert calibration.severity_beyond(score, 50.0) == calibration.severity(score)
