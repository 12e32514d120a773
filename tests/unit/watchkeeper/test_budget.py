"""A threshold by the alerts of a week that are wanted."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.plan import AlertPlan, MeasurePlan, ThresholdPlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.budget import Case, alerts_among, fit_plan_threshold
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.judgement.metrics import evaluate, measure_part
from watchkeeper.judgement.thresholds import SECONDS_PER_WEEK

HOUR = 3600
PLAN = WorkloadPlan(
    "w",
    TimestampPlan("t"),
    (MeasurePlan("m", "m"),),
    HOUR,
    alerts=AlertPlan(throttle_seconds=3 * HOUR),
    threshold=ThresholdPlan("alert_budget", per_week=5.0),
)
CASES = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 500).map(lambda hour: hour * HOUR), st.integers(0, 9)),
    min_size=2,
    max_size=60,
    unique_by=lambda case: case[:2],
).map(lambda found: [(series, start, float(score)) for series, start, score in found])


def wanted(per_week: float) -> WorkloadPlan:
    return dataclasses.replace(PLAN, threshold=ThresholdPlan("alert_budget", per_week=per_week))


def alerts(cases: list[Case], threshold: float) -> int:
    told = sorted((start, series) for series, start, score in cases if score > threshold)
    return len(alerts_among([(series, start) for start, series in told], PLAN.alerts.throttle_seconds))


@given(CASES, st.floats(0.1, 100.0), st.integers(0, 2**32))
def test_the_threshold_is_the_lowest_score_that_keeps_to_the_budget_in_any_order(
    cases: list[Case], per_week: float, seed: int
) -> None:
    starts = [start for _, start, _ in cases]
    limit = per_week * (max(starts) - min(starts) + HOUR) / SECONDS_PER_WEEK
    shuffled = random.Random(seed).sample(cases, len(cases))

    found = fit_plan_threshold(cases, wanted(per_week))

    assert found == fit_plan_threshold(shuffled, wanted(per_week))
    assert found.parameters["alerts"] == alerts(cases, found.value) <= limit
    lower = [score for _, _, score in cases if score < found.value]
    assert not lower or alerts(cases, max(lower)) > limit


@pytest.mark.parametrize("per_week", [1.0, 5.0, 20.0])
def test_the_gate_counts_the_alerts_that_are_wanted(per_week: float) -> None:
    chooser = random.Random(3)
    rows = [
        HoldbackRow("m", format_instant(hour * HOUR), 0.0, part, None, None, None, None)
        for part, hours in (("calibrate", range(2000)), ("test", range(2000, 4000)))
        for hour in hours
    ]
    scores = [chooser.random() for _ in rows]
    plan = wanted(per_week)

    evaluation = evaluate(rows, scores, None, {"m": 1.0}, plan, "r")

    calibrate = measure_part(rows, scores, evaluation.threshold, plan, "calibrate")
    assert calibrate.alerts_per_week == pytest.approx(evaluation.candidate.expected_alerts_per_week)
    assert per_week - 0.2 <= calibrate.alerts_per_week <= per_week
    assert evaluation.candidate.alerts_per_week == pytest.approx(per_week, rel=0.5)
