from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import AlertPlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.judgement.metrics import (
    average_precision,
    baseline_scores,
    evaluate,
    measure_scores,
    precision_recall_f1,
)

HOUR = 3600
PLAN = WorkloadPlan(
    "w", TimestampPlan("t"), (MeasurePlan("m", "m"),), HOUR, alerts=AlertPlan(throttle_seconds=2 * HOUR)
)


def row(
    hour: int, value: float = 0.0, label: bool | None = None, part: str = "test", series: str = "m"
) -> HoldbackRow:
    return HoldbackRow(series, format_instant(hour * HOUR), value, part, label, None, None, None)  # type: ignore[arg-type]


def labelled(pattern: str) -> list[HoldbackRow]:
    return [row(hour, label=mark == "x") for hour, mark in enumerate(pattern)]


CASES = st.lists(st.tuples(st.booleans(), st.integers(0, 5).map(float)), min_size=1, max_size=60)


@given(CASES)
def test_average_precision_is_scikit_learns(cases: list[tuple[bool, float]]) -> None:
    truth, scores = zip(*cases, strict=True)
    area = average_precision(truth, scores)

    assert area is None if not any(truth) else area == pytest.approx(average_precision_score(truth, scores))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_precision_recall_and_f1_are_scikit_learns(cases: list[tuple[bool, bool]]) -> None:
    truth, predicted = zip(*cases, strict=True)
    expected = precision_recall_fscore_support(
        truth, predicted, average="binary", pos_label=True, zero_division=0.0
    )

    assert precision_recall_f1(truth, predicted) == pytest.approx(expected[:3])


def test_a_window_is_found_by_one_of_its_rows() -> None:
    rows = labelled("..xxx..xx..x")
    scores = [0, 9, 0, 9, 0, 0, 0, 0, 0, 0, 0, 9]

    metrics = measure_scores(rows, scores, 5.0, PLAN)

    assert (metrics.windows_found, metrics.windows_total) == (2, 3)


def test_windows_of_two_series_are_told_apart() -> None:
    rows = [row(hour, label=True, series=series) for hour in range(3) for series in ("m|a=1", "m|a=2")]

    metrics = measure_scores(rows, [9, 0, 0, 0, 0, 0], 5.0, PLAN)

    assert (metrics.windows_found, metrics.windows_total) == (1, 2)


def test_alerts_are_throttled_for_each_series_and_false_outside_windows() -> None:
    rows = labelled("....xx" + "." * 162)
    scores = [9.0, 9.0, 9.0, 0.0, 9.0, 9.0] + [0.0] * 162

    metrics = measure_scores(rows, scores, 5.0, PLAN)

    assert metrics.anomalies == 5
    assert metrics.alerts_per_week == pytest.approx(3.0)
    assert metrics.false_alerts_per_week == pytest.approx(2.0)


def test_without_labels_there_are_no_labelled_metrics() -> None:
    metrics = measure_scores([row(hour) for hour in range(4)], [1.0, 2.0, 9.0, 3.0], 5.0, PLAN)

    assert (metrics.n, metrics.anomalies, metrics.distinct_scores) == (4, 1, 4)
    assert (metrics.precision, metrics.pr_auc, metrics.windows_total, metrics.false_alerts_per_week) == (
        None,
    ) * 4


def test_with_labels_but_no_anomaly_every_alert_is_false_and_quality_is_unknown() -> None:
    metrics = measure_scores(labelled("...."), [1.0, 2.0, 9.0, 3.0], 5.0, PLAN)

    assert metrics.false_alerts_per_week == metrics.alerts_per_week > 0
    assert (metrics.precision, metrics.recall, metrics.f1, metrics.pr_auc) == (None,) * 4
    assert metrics.windows_total == 0


def test_baseline_is_the_distance_to_the_series_value_before_in_its_scale() -> None:
    rows = [
        row(0, 5.0, series="m|a=1"),
        row(0, 50.0, series="m|a=2"),
        row(1, 7.0, series="m|a=1"),
        row(1, 20.0, series="m|a=2"),
    ]

    assert baseline_scores(rows, {"m|a=1": 1.0, "m|a=2": 10.0}) == [0.0, 0.0, 2.0, 3.0]


def holdback() -> tuple[list[HoldbackRow], list[float]]:
    rows = [row(hour, value=hour % 3, part="calibrate", label=hour == 10) for hour in range(40)]
    rows += [row(hour, value=hour % 3, label=hour in (50, 51)) for hour in range(40, 80)]
    scores = [float(hour % 5) for hour in range(80)]
    scores[10] = 1e6
    scores[50] = scores[51] = 30.0
    return rows, scores


def test_the_threshold_is_fitted_on_the_calibrate_part_without_labelled_anomalies() -> None:
    rows, scores = holdback()

    evaluation = evaluate(rows, scores, None, {"m": 1.0}, PLAN, "run")

    assert evaluation.n_calibrate == 39
    assert evaluation.threshold.value < 30.0
    assert evaluation.severity.severity(evaluation.threshold.value) == 70.0
    assert evaluation.labelled
    assert evaluation.candidate.n == 40
    assert (evaluation.candidate.f1, evaluation.candidate.windows_found) == (1.0, 1)
    assert evaluation.champion is None


def test_it_says_which_series_the_counted_alerts_come_from() -> None:
    rows, scores = [], []
    for series, loud in (("m|a=1", 9.0), ("m|a=2", 9.0), ("m|a=3", 0.0)):
        rows += [row(hour, part="calibrate", series=series) for hour in range(40)]
        rows += [row(hour, label=hour == 50, series=series) for hour in range(40, 60)]
        every = 5 if series == "m|a=1" else 10
        scores += [hour % 2 * 0.1 + (loud if hour >= 40 and hour % every == 0 else 0) for hour in range(60)]

    shares = evaluate(
        rows, scores, None, dict.fromkeys(["m|a=1", "m|a=2", "m|a=3"], 1.0), PLAN, "r"
    ).alert_shares

    assert shares is not None
    assert (shares.n_alerting, shares.n_series) == (2, 3)
    a_week = 168 / 20
    assert shares.by_series == pytest.approx({"m|a=1": 3 * a_week, "m|a=2": 1 * a_week})


def test_the_champion_is_measured_on_the_same_rows() -> None:
    rows, scores = holdback()

    evaluation = evaluate(rows, scores, [score * 100 for score in scores], {"m": 1.0}, PLAN, "run")

    assert evaluation.champion is not None
    assert evaluation.champion.f1 == evaluation.candidate.f1
    assert evaluation.champion.threshold == pytest.approx(evaluation.candidate.threshold * 100)


def test_refuses_scores_that_do_not_fit_the_rows() -> None:
    rows, scores = holdback()

    with pytest.raises(ContractViolationError, match="79 scores for 80 rows"):
        evaluate(rows, scores[1:], None, {"m": 1.0}, PLAN, "run")
    with pytest.raises(InvalidInputError, match=r"score \d+ is nan"):
        evaluate(rows, [*scores[:60], float("nan"), *scores[61:]], None, {"m": 1.0}, PLAN, "run")
    with pytest.raises(InvalidInputError, match="test part has no rows"):
        evaluate(rows[:40], scores[:40], None, {"m": 1.0}, PLAN, "run")


def test_the_holdback_index_survives_its_file() -> None:
    rows = [row(0, label=True), dataclasses.replace(row(1), expected=1.0, lower=0.5, upper=1.5)]

    assert list(HoldbackRow.from_lines(item.to_json() + "\n" for item in rows)) == rows
    with pytest.raises(ContractViolationError, match="line 2"):
        list(HoldbackRow.from_lines([rows[0].to_json(), "{}"]))
