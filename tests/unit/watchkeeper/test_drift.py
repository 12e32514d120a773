"""The drift report and the configuration by which traffic is explained."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone

import pytest

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.analysis_configuration import drift_configuration
from watchkeeper.regression.drift import DriftReport
from watchkeeper.regression.drift_runs import drift_run
from watchkeeper.regression.plan import ColumnPlan, RegressionPlan

REPORT = DriftReport(
    workload="press",
    status="to_compare",
    starts_at="2024-01-01T00:00:00Z",
    ends_at="2024-01-02T00:00:00Z",
    ndcg_at_least=0.9,
    minimum_rows=50,
    rows_captured=70,
    rows=60,
    run_id="r",
)
IMPORTANCE = {"force": 2.0, "speed": 1.0}


@pytest.mark.parametrize(("ndcg", "status"), [(1.0, "stable"), (0.9, "stable"), (0.8999, "drifted")])
def test_below_the_limit_is_drift(ndcg: float, status: str) -> None:
    report = REPORT.compared(ndcg, IMPORTANCE, IMPORTANCE)

    assert report.status == status
    assert f"{ndcg:.3f}" in report.in_words
    assert DriftReport.from_json(report.to_json()) == report


@pytest.mark.parametrize("status", ["to_compare", "too_few_rows", "no_model", "no_baseline"])
def test_every_status_has_words(status: str) -> None:
    report = dataclasses.replace(REPORT, status=status)  # type: ignore[arg-type]

    assert report.in_words.endswith(".")


def test_too_few_rows_are_told_with_both_numbers() -> None:
    report = dataclasses.replace(REPORT, status="too_few_rows", rows_captured=7)

    assert report.in_words == "Not compared: 7 captured records, at least 50 are needed."


def test_a_run_is_named_by_its_execution_and_reads_the_models_training_run() -> None:
    run = drift_run(
        bucket="b",
        workload="press",
        execution_arn="arn:1",
        started_at=datetime(2024, 1, 2, tzinfo=timezone.utc),
        model_run_id="20240101000000-abcdef",
    )

    assert run.run_id.startswith("20240102000000-")
    assert len(run.names.job) <= 63
    assert run.uris.model == (
        "s3://b/runs/press/20240101000000-abcdef/regressor/"
        "watchkeeper-press-regressor-20240101000000-abcdef/output/model.tar.gz"
    )
    assert run.report_uri == f"s3://b/drift/press/{run.run_id}/result/drift.json"


def test_traffic_is_explained_by_the_method_and_the_baseline_of_the_training() -> None:
    training = {
        "dataset_type": "text/csv",
        "headers": ["wear", "force", "line"],
        "label": "wear",
        "methods": {
            "shap": {"num_clusters": 5, "agg_method": "mean_sq", "use_logit": False, "seed": 3},
            "pre_training_bias": {"methods": "all"},
            "report": {"name": "report"},
        },
        "facet": [{"name_or_index": "line", "value_or_threshold": ["a"]}],
        "predictor": {
            "content_type": "text/csv",
            "accept_type": "text/csv",
            "model_name": "m",
            "instance_type": "ml.m5.large",
        },
    }
    plan = RegressionPlan("press", "wear", (ColumnPlan("force", "numeric"), ColumnPlan("line", "one_hot")))

    found = drift_configuration(training, plan, baseline_uri="s3://b/baseline.csv")

    assert found == {
        "dataset_type": "text/csv",
        "headers": ["force", "line"],
        "methods": {
            "shap": {
                "baseline": "s3://b/baseline.csv",
                "agg_method": "mean_sq",
                "use_logit": False,
                "seed": 3,
                "save_local_shap_values": False,
            }
        },
        "predictor": {"content_type": "text/csv", "accept_type": "text/csv"},
    }
    with pytest.raises(ContractViolationError, match="no SHAP values"):
        drift_configuration({"methods": {}}, plan, baseline_uri="s3://b/baseline.csv")
