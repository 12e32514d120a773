"""`statistics.json`: an evaluation as the model registry shows it, in SageMaker's format of model quality."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.evaluation import Evaluation, HoldbackRow, Metrics
from watchkeeper.judgement.metrics import decided

FORMAT_VERSION = 0.0


def model_quality(
    evaluation: Evaluation,
    rows: Sequence[HoldbackRow],
    scores: Sequence[float],
    calibrate: Metrics,
    plan: WorkloadPlan,
) -> dict[str, Any]:
    """Return the document.

    `binary_classification_metrics` is of the labelled rows of the test part and is there only when some are
    labelled as anomalies. `anomaly_detection_metrics` needs no labels; `calibrate` repeats it for the part
    that the threshold was fitted on, which is not a test.

    Parameters
    ----------
    rows, scores
        The held-back rows and the candidate's scores of them.
    calibrate
        The candidate's metrics of the calibrate part.
    """
    candidate = evaluation.candidate
    document: dict[str, Any] = {
        "version": FORMAT_VERSION,
        "dataset": {"item_count": candidate.n},
        "anomaly_detection_metrics": {
            **_values(candidate, "alerts_per_week", "false_alerts_per_week", "anomalies", "threshold"),
            **_values(candidate, "expected_alerts_per_week", "windows_found", "windows_total"),
            "severity_at_threshold": _value(evaluation.severity.severity(evaluation.threshold.value)),
        },
        "calibrate": _values(calibrate, *(field.name for field in dataclasses.fields(calibrate))),
    }
    if evaluation.labelled:
        document["binary_classification_metrics"] = _classification(evaluation, rows, scores, plan)
    return document


def _classification(
    evaluation: Evaluation, rows: Sequence[HoldbackRow], scores: Sequence[float], plan: WorkloadPlan
) -> dict[str, Any]:
    counts = {actual: dict.fromkeys("01", 0) for actual in "01"}
    test = [(row, score) for row, score in zip(rows, scores, strict=True) if row.part == "test"]
    flags = decided([row for row, _ in test], [score for _, score in test], evaluation.threshold, plan)
    for (row, _), flagged in zip(test, flags, strict=True):
        if row.label is not None:
            counts[str(int(row.label))][str(int(flagged))] += 1
    (true_negatives, false_positives), (false_negatives, true_positives) = (
        tuple(counts[actual].values()) for actual in "01"
    )
    negatives, positives = true_negatives + false_positives, false_negatives + true_positives
    rates = {
        "accuracy": (true_negatives + true_positives) / (negatives + positives),
        "true_positive_rate": true_positives / positives,
        "false_negative_rate": false_negatives / positives,
    }
    if negatives:
        rates["true_negative_rate"] = true_negatives / negatives
        rates["false_positive_rate"] = false_positives / negatives
    return {
        "confusion_matrix": counts,
        **_values(evaluation.candidate, "precision", "recall", "f1"),
        "au_prc": _value(evaluation.candidate.pr_auc),
        **{name: _value(rate) for name, rate in rates.items()},
    }


def _values(metrics: Metrics, *names: str) -> dict[str, Any]:
    return {name: _value(getattr(metrics, name)) for name in names if getattr(metrics, name) is not None}


def _value(number: float | None) -> dict[str, Any]:
    return {"value": number, "standard_deviation": "NaN"}
