from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.judgement.adaptation import Adaptation, adapted, threshold_now, thresholds_of
from watchkeeper.judgement.thresholds import Threshold

MOVING = Threshold("adaptive", 5.0, {"risk": 0.1, "rise": 2.0, "low": 3.0, "high": 8.0}, 100)
UNBOUNDED = Threshold("adaptive", 5.0, {"risk": 0.1, "rise": 2.0, "low": -1e9, "high": 1e9}, 100)
FIXED = Threshold("mean_sigma", 5.0, {"k": 3.0}, 100)
SCORES = st.lists(st.floats(0, 1e6), max_size=80)


def walk(scores: list[float], threshold: Threshold = MOVING) -> list[float]:
    return thresholds_of(["m"] * len(scores), scores, threshold)


@given(SCORES)
def test_a_rule_that_does_not_move_judges_every_score_alike(scores: list[float]) -> None:
    assert walk(scores, FIXED) == [5.0] * len(scores)
    assert adapted(FIXED, "1", None, 9.0) is None


@given(SCORES)
def test_a_threshold_stays_within_its_limits(scores: list[float]) -> None:
    assert all(3.0 <= limit <= 8.0 for limit in walk(scores))


@given(SCORES, st.floats(0, 1e6))
def test_a_score_is_judged_by_those_before_it_only(scores: list[float], later: float) -> None:
    assert walk([*scores, later])[: len(scores)] == walk(scores)


@given(SCORES)
def test_beginnings_of_anomalies_are_the_stated_share_but_for_how_far_the_threshold_moved(
    scores: list[float],
) -> None:
    """What the rule promises of any scores, between its limits."""
    limits = walk([*scores, 0.0], UNBOUNDED)
    anomalous = [score > limit for score, limit in zip(scores, limits, strict=False)]
    begins = [now and not before for now, before in zip(anomalous, [False, *anomalous], strict=False)]
    counted = sum(not now or begin for now, begin in zip(anomalous, begins, strict=True))
    moved = limits[len(scores)] - 5.0

    assert sum(begins) == pytest.approx(0.1 * counted + moved / 2.0, abs=1e-6)


def test_an_anomaly_that_goes_on_moves_the_threshold_once() -> None:
    assert walk([9.0, 9.0, 9.0, 9.0, 1.0]) == pytest.approx([5.0, 6.8, 6.8, 6.8, 6.8])


def test_series_move_apart() -> None:
    limits = thresholds_of(["a", "b", "a", "b"], [9.0, 1.0, 1.0, 1.0], MOVING)

    assert limits == pytest.approx([5.0, 5.0, 6.8, 4.8])


def test_another_models_threshold_begins_anew() -> None:
    raised = Adaptation("1", 7.9, alerting=True)

    assert threshold_now(MOVING, "1", raised) == 7.9
    assert threshold_now(MOVING, "2", raised) == 5.0
    assert adapted(MOVING, "2", raised, 9.0) == Adaptation("2", pytest.approx(6.8), alerting=True)  # type: ignore[arg-type]
