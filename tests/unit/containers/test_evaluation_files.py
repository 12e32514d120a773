from __future__ import annotations

from pathlib import Path

import pytest

from containers.anomaly.charts import draw_charts
from containers.anomaly.model_quality import model_quality
from containers.anomaly.partition import partition
from tests.unit.containers.plans import HOUR, hourly
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.evaluation import Evaluation, HoldbackRow
from watchkeeper.judgement.metrics import evaluate, measure_scores
from watchkeeper.telemetry.labels import Labels

SPIKE = 195


def evaluated(labels: Labels | None, plan: WorkloadPlan) -> tuple[list[HoldbackRow], list[float], Evaluation]:
    values = [
        (hour * HOUR, float(hour % 24) + 50.0 * (hour == SPIKE))
        for hour in range(200)
        if hour not in (150, 151)
    ]
    parts = partition({"flow|hall=a b": values}, plan)
    rows = [row for _, row in parts.holdback(labels, plan)]
    scores = [1.0 + row.value / 24 for row in rows]
    return rows, scores, evaluate(rows, scores, None, parts.step_scales, plan, "r-1")


def statistics(labels: Labels | None):  # type: ignore[no-untyped-def]
    plan = hourly(dimensions=("hall",))
    rows, scores, evaluation = evaluated(labels, plan)
    calibrate = [index for index, row in enumerate(rows) if row.part == "calibrate"]
    metrics = measure_scores(
        [rows[index] for index in calibrate],
        [scores[index] for index in calibrate],
        evaluation.threshold.value,
        plan,
    )
    return evaluation, model_quality(evaluation, rows, scores, metrics, plan)


def test_statistics_agree_with_the_evaluation() -> None:
    spike = SPIKE * HOUR * 1_000_000
    evaluation, document = statistics(Labels(((spike, spike),)))
    found = document["binary_classification_metrics"]
    assert found["confusion_matrix"] == {
        "0": {"0": evaluation.candidate.n - 1, "1": 0},
        "1": {"0": 0, "1": 1},
    }
    assert (
        found["recall"]["value"] == found["true_positive_rate"]["value"] == evaluation.candidate.recall == 1.0
    )
    assert found["accuracy"]["value"] == 1.0
    assert document["anomaly_detection_metrics"]["severity_at_threshold"]["value"] == pytest.approx(70.0)
    assert document["calibrate"]["n"]["value"] == evaluation.n_calibrate


def test_statistics_without_labels_claim_no_precision() -> None:
    _, document = statistics(None)
    assert "binary_classification_metrics" not in document
    assert document["anomaly_detection_metrics"]["alerts_per_week"]["value"] > 0


@pytest.mark.parametrize("labels", [None, Labels(((SPIKE * HOUR * 1_000_000, SPIKE * HOUR * 1_000_000),))])
def test_draws_a_chart_of_each_series(tmp_path: Path, labels: Labels | None) -> None:
    plan = hourly(dimensions=("hall",))
    rows, scores, evaluation = evaluated(labels, plan)
    (chart,) = draw_charts(rows, scores, evaluation, plan, tmp_path)
    assert chart.name.startswith("flow-hall-a-b-")
    assert chart.read_bytes().startswith(b"\x89PNG")
