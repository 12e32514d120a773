"""Evaluation, gate, release and manifest of a regression model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from tests.unit.regression.plans import PLAN, changed
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.kinds import anomaly_plan, evaluation_from_json, plan_from_json, release_from_json
from watchkeeper.regression.evaluation import (
    RegressionEvaluation,
    RegressionMetrics,
    decide_regression,
    measure_predictions,
)
from watchkeeper.regression.manifest import RegressionManifest, check_artifact, schema_hash
from watchkeeper.regression.plan import ColumnPlan, RegressionGatePlan
from watchkeeper.regression.release import RegressionRelease

EVALUATION = RegressionEvaluation(
    workload="press",
    run_id="r1",
    schema_hash=schema_hash(PLAN),
    candidate=RegressionMetrics(100, 2.0, 1.5, 0.6),
    baseline=RegressionMetrics(100, 3.0, 2.5, 0.0),
    champion=RegressionMetrics(100, 1.9, 1.4, 0.63),
    n_train=400,
)
LIBRARIES = {"scikit-learn": "1.4.2", "numpy": "2.1.0"}
MANIFEST = RegressionManifest.of(
    PLAN, libraries=LIBRARIES, estimator_sha256="ab", categories={"line": ["a"]}, n_rows=5, hyperparameters={}
)

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50)


@given(values, st.randoms(use_true_random=False))
def test_metrics_are_those_of_scikit_learn(targets: list[float], random: object) -> None:
    predictions = [target + random.uniform(-5, 5) for target in targets]  # type: ignore[attr-defined]

    found = measure_predictions(targets, predictions)

    assert found.rmse == pytest.approx(root_mean_squared_error(targets, predictions))
    assert found.mae == pytest.approx(mean_absolute_error(targets, predictions))
    if np.ptp(targets) > 1e-3:
        assert found.r2 == pytest.approx(r2_score(targets, predictions), rel=1e-6, abs=1e-6)


def test_equal_targets_have_no_r2() -> None:
    assert measure_predictions([2.0, 2.0], [1.0, 3.0]).r2 is None


@pytest.mark.parametrize(
    ("gate", "approved", "said"),
    [
        (RegressionGatePlan(), False, "RMSE 2.0000 is above the champion's 1.9000."),
        (RegressionGatePlan(tolerance=0.1), True, "at most the champion's 1.9000 and 10.0% more."),
        (RegressionGatePlan(beat_champion=False), True, "RMSE 2.0000 is below that of the mean, 3.0000."),
        (
            RegressionGatePlan(beat_champion=False, max_rmse=1.5),
            False,
            "RMSE 2.0000 is over the limit of 1.5.",
        ),
        (RegressionGatePlan(beat_champion=False, max_rmse=2.0), True, "within the limit of 2."),
    ],
)
def test_the_gate_decides_by_rmse_and_says_why(gate: RegressionGatePlan, approved: bool, said: str) -> None:
    decision = decide_regression(EVALUATION, gate)

    assert decision.approved is approved
    assert any(said in reason for reason in decision.reasons)


def test_a_model_no_better_than_the_mean_is_rejected_unless_that_is_not_asked() -> None:
    poor = dataclasses.replace(EVALUATION, candidate=EVALUATION.baseline, champion=None)

    said, ways_on = decide_regression(poor, RegressionGatePlan()).reasons
    assert said == "gate.beat_baseline: RMSE 3.0000 is not below that of the mean, 3.0000."
    assert ways_on.startswith("Ways on: ")
    assert decide_regression(poor, RegressionGatePlan(beat_baseline=False)).approved


def test_documents_say_their_kind_and_survive_their_json() -> None:
    release = RegressionRelease(
        workload="press",
        run_id="r1",
        execution_arn="arn",
        endpoint="e",
        endpoint_config="c",
        model="m",
        model_package_arn="p",
        schema_hash="h",
        metrics={"rmse": 2.0},
        explanations="s3://b/k/",
        released_at="2024-01-01T00:00:00Z",
    )
    telemetry = WorkloadPlan("water", TimestampPlan("t"), (MeasurePlan("flow", "flow"),), 60)

    assert release_from_json(release.to_json()) == release
    assert evaluation_from_json(EVALUATION.to_json()) == EVALUATION
    assert plan_from_json(PLAN.to_json()) == PLAN
    assert plan_from_json(telemetry.to_json()) == telemetry
    assert RegressionManifest.from_json(MANIFEST.to_json()) == MANIFEST


def test_documents_of_another_release_are_refused() -> None:
    with pytest.raises(ContractViolationError, match="of kind 'forecast'"):
        plan_from_json('{"kind": "forecast"}')
    with pytest.raises(ContractViolationError, match="of version 9"):
        plan_from_json('{"kind": "regression", "version": 9}')
    with pytest.raises(ContractViolationError, match="unknown key 'colour'"):
        plan_from_json(PLAN.to_json().replace('"target"', '"colour"'))
    with pytest.raises(ContractViolationError, match="evaluation of version 9"):
        evaluation_from_json('{"kind": "regression", "version": 9}')
    with pytest.raises(ContractViolationError, match="train again"):
        release_from_json('{"kind": "regression", "version": 9}')


def test_a_workload_of_another_kind_has_no_telemetry() -> None:
    with pytest.raises(InvalidInputError, match="workload 'press' is of kind regression"):
        anomaly_plan(PLAN)


@pytest.mark.parametrize(
    ("plan", "libraries", "sha256", "said"),
    [
        (
            changed(features=(ColumnPlan("force", "numeric"),)),
            LIBRARIES,
            "ab",
            "takes force,line, the plan of",
        ),
        (changed(workload="pump"), LIBRARIES, "ab", "artifact of workload press"),
        (PLAN, LIBRARIES, "cd", "not the one that was trained"),
        (PLAN, {**LIBRARIES, "scikit-learn": "1.5.0"}, "ab", "made with scikit-learn 1.4.2"),
        (PLAN, {}, "ab", "has none"),
    ],
)
def test_an_artifact_that_does_not_fit_is_refused(
    plan: object, libraries: dict[str, str], sha256: str, said: str
) -> None:
    check_artifact(MANIFEST, PLAN, LIBRARIES, "ab")
    with pytest.raises(ContractViolationError, match=said):
        check_artifact(MANIFEST, plan, libraries, sha256)  # type: ignore[arg-type]
