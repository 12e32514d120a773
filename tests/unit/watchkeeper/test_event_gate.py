"""A streaming detector is judged by events and alerts, not by points."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.plan import (
    AlertPlan,
    DetectorPlan,
    GatePlan,
    MeasurePlan,
    ThresholdPlan,
    TimestampPlan,
    WorkloadPlan,
)
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.judgement.metrics import evaluate, measure_scores
from watchkeeper.judgement.promotion import decide_promotion
from watchkeeper.judgement.thresholds import RARITY, Threshold, fit_threshold

PLAN = WorkloadPlan(
    "w",
    TimestampPlan("t"),
    (MeasurePlan("m", "m"),),
    300,
    detector=DetectorPlan("watchkeeper"),
    threshold=ThresholdPlan(RARITY),
    alerts=AlertPlan(throttle_seconds=3600),
)
WINDOW = range(300, 348)


def holdback(labelled: bool = True) -> list[HoldbackRow]:
    """100 rows to calibrate by, and a test part of 500 rows with one window of four hours."""
    return [
        HoldbackRow(
            series="m",
            interval_start=format_instant(300 * at),
            value=float(at % 7),
            part="calibrate" if at < 100 else "test",
            label=at - 100 in WINDOW if labelled else None,
            expected=None,
            lower=None,
            upper=None,
        )
        for at in range(600)
    ]


def scores(*onsets: int) -> list[float]:
    """A stream that is silent but for these rows of the test part."""
    return [0.9 if at - 100 in onsets else 0.01 * (at % 5) for at in range(600)]


def decided(*onsets: int, champion: Threshold | None = None, gate: GatePlan | None = None):  # type: ignore[no-untyped-def]
    found = scores(*onsets)
    evaluation = evaluate(
        holdback(), found, found if champion else None, {"m": 1.0}, PLAN, "run", champion_threshold=champion
    )
    return evaluation, decide_promotion(evaluation, gate or GatePlan())


def test_a_stream_that_tells_the_onset_and_is_then_silent_passes() -> None:
    evaluation, decision = decided(WINDOW.start)

    assert evaluation.judged_by == "events"
    assert evaluation.candidate.recall == pytest.approx(1 / 48)
    assert (evaluation.candidate.event_precision, evaluation.candidate.event_recall) == (1.0, 1.0)
    assert decision.approved
    assert "F1 by event 1.0000 is at least the trivial detector's" in decision.reasons[2]


def test_a_stream_that_finds_no_window_is_rejected_whatever_the_trivial_detector_does() -> None:
    evaluation, decision = decided(20)

    assert evaluation.candidate.event_f1 == 0.0
    assert not decision.approved
    assert "F1 by event 0.0000 is 0 or below" in decision.reasons[0]


def test_alerts_outside_of_windows_are_within_the_weekly_budget() -> None:
    _, decision = decided(*range(0, 290, 13), WINDOW.start)

    assert not decision.approved
    assert "false alerts a week, over the budget of 7" in decision.reasons[0]


def test_a_release_that_judges_better_by_its_threshold_stays() -> None:
    found = [0.5 if at - 100 in (20, 40, 60) else score for at, score in enumerate(scores(WINDOW.start))]
    strict = Threshold(RARITY, 0.6, {}, 0)
    evaluation = evaluate(holdback(), found, found, {"m": 1.0}, PLAN, "run", champion_threshold=strict)

    assert evaluation.champion is not None
    assert evaluation.champion.event_f1 == 1.0
    reasons = decide_promotion(evaluation, GatePlan(max_alerts_per_week=100)).reasons
    assert reasons[0] == "gate.beat_champion: F1 by event 0.4000 is below the champion's 1.0000 less 0."


def test_the_threshold_is_the_detectors_own_and_states_its_risk() -> None:
    threshold = fit_threshold([0.0, 0.1], ThresholdPlan(RARITY))

    assert threshold.value < 0.375 == pytest.approx(threshold.value)
    assert threshold.parameters["risk"] == pytest.approx(1 / 5623, rel=1e-3)


@given(st.lists(st.integers(0, 499), max_size=30, unique=True), st.sampled_from([300, 3600, 7200]))
def test_events_are_runs_within_the_throttle_and_no_window_is_found_without_one(
    onsets: list[int], throttle: int
) -> None:
    plan = dataclasses.replace(PLAN, alerts=AlertPlan(throttle_seconds=throttle))
    rows = holdback()[100:]

    found = measure_scores(rows, scores(*onsets)[100:], 0.375, plan)

    ordered = sorted(onsets)
    gaps = [later - earlier for earlier, later in itertools.pairwise(ordered)]
    assert found.events == (1 + sum(300 * gap >= throttle for gap in gaps) if onsets else 0)
    hit = any(onset in WINDOW for onset in onsets)
    assert found.event_recall == float(hit)
    assert (found.event_f1 > 0.0) == hit  # type: ignore[operator]
