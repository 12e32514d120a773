"""What the workflow asks of the explain job is what the job reads."""

from __future__ import annotations

import dataclasses

import pytest

from containers.explain.io.configuration import read_configuration
from tests.unit.regression.plans import PLAN
from watchkeeper.regression.analysis_configuration import analysis_configuration
from watchkeeper.regression.plan import BiasPlan, ExplainPlan, ShapPlan

EXPLAINED = {
    "a row as baseline": ExplainPlan(shap=ShapPlan(baseline_rows=((1.0, "a"),), num_samples=9, seed=1)),
    "a file as baseline": ExplainPlan(shap=ShapPlan(baseline_uri="s3://bucket/baseline.csv")),
    "clusters": ExplainPlan(shap=ShapPlan(num_clusters=3, agg_method="median", use_logit=True)),
    "nothing chosen": ExplainPlan(),
    "an endpoint": ExplainPlan(predictor="endpoint", shap=ShapPlan(save_local_shap_values=False)),
    "bias": ExplainPlan(bias=BiasPlan("line", ("a", "b"), 4.0, "force")),
    "bias by a threshold": ExplainPlan(bias=BiasPlan("force", (2.5,), 4.0)),
}


@pytest.mark.parametrize("explain", EXPLAINED.values(), ids=EXPLAINED)
def test_the_job_reads_every_configuration_that_a_plan_can_ask_for(explain: ExplainPlan) -> None:
    plan = dataclasses.replace(PLAN, explain=explain)

    read = read_configuration(analysis_configuration(plan, model="m", instance_type="ml.m5.large"))

    shap, predictor = read.methods.shap, read.predictor
    assert shap is not None
    assert predictor is not None
    assert shap.num_clusters == explain.shap.num_clusters
    assert shap.agg_method == explain.shap.agg_method
    assert shap.save_local_shap_values is explain.shap.save_local_shap_values
    assert bool(shap.baseline) is bool(explain.shap.baseline_rows or explain.shap.baseline_uri)
    assert predictor.model_name == ("m" if explain.predictor == "endpoint" else None)
    assert read.measures_bias is (explain.bias is not None)
    assert read.needs_model
