"""What a regression spec means, and what a user reads when it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watchkeeper.regression.plan import ColumnPlan, RegressionPlan, ShapPlan, TableSplitPlan
from watchkeeper.spec import Problem, RegressionWorkload, load_workload

GOOD = """\
name: press
kind: regression
target: wear
columns:
  numeric: [force, speed]
  one_hot: [line]
"""

Problems = Callable[[str], list[Problem]]


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[str], RegressionPlan]:
    def planned(more: str = "") -> RegressionPlan:
        path = tmp_path / "press.yaml"
        path.write_text(GOOD + more)
        spec = load_workload(path)
        assert isinstance(spec, RegressionWorkload)
        return spec.plan()

    return planned


def test_a_short_spec_has_every_default(plan: Callable[..., RegressionPlan]) -> None:
    found = plan()

    assert found.features == (
        ColumnPlan("force", "numeric"),
        ColumnPlan("speed", "numeric"),
        ColumnPlan("line", "one_hot"),
    )
    assert found.history.split == TableSplitPlan("random", 0.8, 0)
    assert found.explain.engine == "watchkeeper"
    assert found.explain.predictor == "model"
    assert found.hyperparameters == {
        "n_estimators": 100,
        "min_samples_leaf": 1,
        "max_features": 1.0,
        "random_state": 0,
    }


def test_every_key_reaches_the_plan_and_the_plan_its_parameter(plan: Callable[..., RegressionPlan]) -> None:
    found = plan("""\
history:
  headers: [line, at, force, wear, speed]
  timestamp: {field: at, format: epoch_seconds}
  window: 30d
  split: {by: time, train: 0.7, seed: 3}
model:
  hyperparameters: {n_estimators: 20, max_depth: 6, min_samples_leaf: 2, max_features: sqrt, random_state: 1}
gate: {beat_baseline: false, beat_champion: false, tolerance: 0.1, max_rmse: 4.5}
explain:
  engine: clarify
  on_failure: skip
  rows: 50
  shap:
    baseline: [[a, 1, 2.5], [b, 3, 4]]
    num_samples: 30
    agg_method: median
    use_logit: true
    seed: 9
    save_local_shap_values: false
  bias: {facet: line, facet_values_or_threshold: [a], label_threshold: 3, group: force}
""")

    assert found.feature_names == ("line", "force", "speed"), "the order of the headers"
    assert found.history.window_seconds == 30 * 86_400
    assert found.hyperparameters["max_features"] == "sqrt"
    assert found.explain.predictor == "endpoint", "Clarify asks an endpoint"
    assert found.explain.shap == ShapPlan(
        (("a", 1.0, 2.5), ("b", 3.0, 4.0)), "", 30, "median", True, 9, None, False
    )
    assert found.explain.bias is not None
    assert found.explain.bias.facet_values_or_threshold == ("a",)
    assert RegressionPlan.from_json(found.to_json()) == found


def test_a_baseline_may_be_a_file(plan: Callable[..., RegressionPlan]) -> None:
    found = plan("explain: {shap: {baseline: s3://bucket/folder/baseline.csv}}\n")

    assert found.explain.shap.baseline_uri == "s3://bucket/folder/baseline.csv"
    assert found.explain.shap.baseline_rows == ()


@pytest.mark.parametrize(
    ("more", "key", "message"),
    [
        ("history: {split: {by: time}}", "history.split", "by time needs history.timestamp"),
        ("history: {window: 7d}", "history.window", "needs timestamp"),
        ("history: {headers: [force, speed, line]}", "history", "headers have no column 'wear'"),
        (
            "model: {hyperparameters: {max_features: half}}",
            "model.hyperparameters.max_features",
            "must be sqrt, log2, or a share",
        ),
        (
            "model: {hyperparameters: {n_estimator: 5}}",
            "model.hyperparameters.n_estimator",
            "did you mean n_estimators?",
        ),
        ("model: {algorithm: forest}", "model.algorithm", "must be 'random_forest'"),
        (
            "explain: {engine: clarify, predictor: model}",
            "explain.predictor",
            "must be endpoint beside engine clarify",
        ),
        ("explain: {rows: 20, examples: [20]}", "explain.examples", "20 is not a row's number from 0 to 19"),
        ("explain: {engine: clarify, examples: [1]}", "explain.examples", "must be left out beside engine"),
        ("explain: {engine: clarity}", "explain.engine", "did you mean clarify?"),
        (
            "explain: {shap: {baseline: [[1, 2]]}}",
            "explain",
            "a row has 2 values, the features are force",
        ),
        ("explain: {shap: {baseline: [[x, 2, a]]}}", "explain", "'x' is not a number, but force is numeric"),
        ("explain: {shap: {baseline: http://x/y}}", "explain.shap.baseline", "must be a file such as s3://"),
        (
            "explain: {shap: {baseline: [[1, 2, a]], num_clusters: 3}}",
            "explain.shap.num_clusters",
            "must be left out beside baseline",
        ),
        (
            "explain: {bias: {facet: colour, facet_values_or_threshold: [a], label_threshold: 1}}",
            "explain",
            "bias.facet: 'colour' is not a column",
        ),
        (
            "explain: {bias: {facet: force, facet_values_or_threshold: [1, 2], label_threshold: 1}}",
            "explain",
            "force is numeric: give one number",
        ),
        ("alerts: {throttle: 1h}", "alerts", "unknown key"),
        ("explain: {drift: {}}", "explain.drift.schedule", "is missing"),
        (
            "explain: {drift: {schedule: rate(1 day), window: 40d}}",
            "explain.drift.window",
            "must be more than 0 and at most 30d",
        ),
        (
            "explain: {drift: {schedule: rate(1 day), rows: 20, minimum_rows: 30}}",
            "explain.drift.minimum_rows",
            "must be at most rows, 20",
        ),
        (
            "explain: {engine: none, drift: {schedule: rate(1 day)}}",
            "explain.drift",
            "needs an engine",
        ),
        (
            "explain: {drift: {schedule: rate(1 day)}}\nendpoint: {capture_percent: 0}",
            "endpoint",
            "capture_percent must be above 0",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_remedy(
    problems: Problems, more: str, key: str, message: str
) -> None:
    (problem,) = problems(f"{GOOD}{more}\n")

    assert problem.key == key
    assert message in problem.message


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{numeric: [wear]}", "'wear' is the target"),
        ("{}", "at least one column"),
        ("{numeric: [a], one_hot: [a]}", "'a' is there 2 times"),
    ],
)
def test_columns_that_cannot_be_are_refused(problems: Problems, columns: str, message: str) -> None:
    text = f"name: press\nkind: regression\ntarget: wear\ncolumns: {columns}\n"

    (problem,) = problems(text)

    assert problem.key.startswith("columns")
    assert message in problem.message
