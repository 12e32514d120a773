"""The workflow's functions for a regression workload."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.adapters.endpoint import RowRefusedError
from lambdas.adapters.object_store import ObjectUri
from lambdas.steps.decide_promotion import decide
from lambdas.steps.smoke_test import SmokeTestEffects, SmokeTestError, check
from lambdas.steps.stage_release import StagingEffects, stage
from lambdas.steps.summarize_explanation import summarize
from lambdas.steps.validate_input import validate
from lambdas.steps.write_explain_configuration import write
from tests.unit.lambdas.builders import (
    BEGIN,
    BUCKET,
    WORKLOAD,
    make_plan,
    make_release,
    make_run,
    run_payload,
)
from tests.unit.lambdas.fakes import (
    FakeLogGroups,
    FakeObjectStore,
    FakeReleaseStore,
    run_documents,
    validation_effects,
)
from tests.unit.lambdas.golden_events import golden_event
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.regression.evaluation import RegressionEvaluation, RegressionMetrics
from watchkeeper.regression.manifest import schema_hash
from watchkeeper.regression.plan import (
    BiasPlan,
    ColumnPlan,
    ExplainPlan,
    RegressionPlan,
    ShapPlan,
    TableHistoryPlan,
)
from watchkeeper.regression.release import RegressionRelease

RUN = make_run(5)
PLAN = RegressionPlan(
    workload=WORKLOAD,
    target="wear",
    features=(ColumnPlan("force", "numeric"), ColumnPlan("line", "one_hot")),
    explain=ExplainPlan(
        predictor="endpoint",
        shap=ShapPlan(baseline_rows=((1.0, "a"),), num_samples=20, seed=3),
        bias=BiasPlan("line", ("a",), 4.0, "force"),
    ),
)
EVALUATION = RegressionEvaluation(
    workload=WORKLOAD,
    run_id=RUN.run_id,
    schema_hash=schema_hash(PLAN),
    candidate=RegressionMetrics(100, 2.0, 1.5, 0.6),
    baseline=RegressionMetrics(100, 3.0, 2.5, 0.0),
    champion=None,
    n_train=400,
)
SMOKE = {"kind": "regression", "rows": ["1.0,a", "2.0,b"], "predictions": [-3.0, 4.0], "tolerance": 1e-6}


@dataclass
class FakeRegressor:
    """Answers of an endpoint by row; another row is refused."""

    answers: dict[str, float] = field(default_factory=lambda: {"1.0,a": -3.0, "2.0,b": 4.0})

    def score(self, endpoint: str, rows: list[str]) -> tuple[float, ...]:
        raise AssertionError("a regressor gives no anomaly score")

    def predict(self, endpoint: str, rows: list[str]) -> tuple[float, ...]:
        for position, row in enumerate(rows):
            if row not in self.answers:
                raise RowRefusedError("no", position)
        return tuple(self.answers[row] for row in rows)


def make_regression_release(minute: int, **changes: Any) -> RegressionRelease:
    run = make_run(minute)
    return dataclasses.replace(
        RegressionRelease(
            workload=WORKLOAD,
            run_id=run.run_id,
            execution_arn=run.execution_arn,
            endpoint=run.names.endpoint,
            endpoint_config=run.names.endpoint_config,
            model=run.names.model,
            model_package_arn="arn",
            schema_hash=schema_hash(PLAN),
            metrics={"rmse": 2.0},
            explanations="",
            released_at="2024-01-01T00:00:00Z",
        ),
        **changes,
    )


def validated(plan: Any, *live: Any, history: bool = True, **changes: Any) -> dict[str, Any]:
    effects = validation_effects(plan, *live, **({"history": b"x"} if history else {}))
    return validate({**golden_event("validate_input"), "workload": WORKLOAD, "input": {}, **changes}, effects)


def test_a_candidate_is_judged_by_its_error() -> None:
    objects = run_documents(RUN, plan=PLAN.to_json(), evaluation=EVALUATION.to_json())

    decision = decide(run_payload(RUN), objects)

    assert decision["approved"] is True
    assert decision["metrics"] == {"n": 100, "rmse": 2.0, "mae": 1.5, "r2": 0.6}


def test_an_evaluation_of_another_kind_than_the_plan_is_a_contract_violation() -> None:
    objects = run_documents(RUN, plan=make_plan().to_json(), evaluation=EVALUATION.to_json())

    with pytest.raises(ContractViolationError, match="not of its plan's kind"):
        decide(run_payload(RUN), objects)


def test_a_release_has_its_rows_and_where_its_explanations_are() -> None:
    releases = FakeReleaseStore()
    documents = run_documents(RUN, evaluation=EVALUATION.to_json())
    effects = StagingEffects(documents, releases, FakeLogGroups(), now=lambda: BEGIN)

    stage(run_payload(RUN, model_package_arn="arn", explanations="s3://b/explain/"), effects)

    release = releases.of_run(WORKLOAD, RUN.run_id)
    assert isinstance(release, RegressionRelease)
    assert release.schema_hash == schema_hash(PLAN)
    assert release.explanations == "s3://b/explain/"
    assert release.metrics["rmse"] == 2.0
    releases.publish(release)
    assert releases.candidates(WORKLOAD) == [], "it scores no telemetry"


def test_the_endpoint_must_predict_as_in_the_evaluation() -> None:
    objects = run_documents(RUN, smoke=json.dumps(SMOKE))

    assert check(run_payload(RUN), SmokeTestEffects(objects, FakeRegressor())) == {"rows": 2}
    with pytest.raises(SmokeTestError, match=r"row '2.0,b' has 4.1, in the evaluation it had 4.0"):
        check(run_payload(RUN), SmokeTestEffects(objects, FakeRegressor({"1.0,a": -3.0, "2.0,b": 4.1})))


def test_an_endpoint_that_takes_a_malformed_row_fails() -> None:
    anything = FakeRegressor({"1.0,a": -3.0, "2.0,b": 4.0, "not-a-time,not-a-number": 1.0})

    with pytest.raises(SmokeTestError, match="must answer 4xx to the malformed row"):
        check(run_payload(RUN), SmokeTestEffects(run_documents(RUN, smoke=json.dumps(SMOKE)), anything))


def test_a_table_is_trained_from_its_history_only() -> None:
    assert validated(PLAN)["sources"] == {"history": True, "raw": False}
    with pytest.raises(InvalidInputError, match=f"no object under s3://{BUCKET}/history/{WORKLOAD}/; "):
        validated(PLAN, history=False)


def test_a_window_needs_rows_with_a_time() -> None:
    with pytest.raises(InvalidInputError, match="have no time; leave start and end out"):
        validated(PLAN, input={"start": "2024-01-01T00:00:00Z"})
    timed = dataclasses.replace(PLAN, history=TableHistoryPlan(timestamp=TimestampPlan("at")))
    assert validated(timed, input={"start": "2024-01-01T00:00:00Z"})["window"]["start"]


@pytest.mark.parametrize(
    ("plan", "live", "compared"),
    [
        (PLAN, make_regression_release(1), True),
        (PLAN, make_regression_release(1, schema_hash="other"), False),
        (PLAN, make_release(1), False),
        (make_plan(), make_regression_release(1), False),
        (make_plan(), make_release(1), True),
    ],
)
def test_the_champion_is_a_model_that_can_answer_the_same_rows(plan: Any, live: Any, compared: bool) -> None:
    assert validated(plan, live)["champion"]["exists"] is compared


def test_the_configuration_is_clarifys() -> None:
    objects = run_documents(RUN, plan=PLAN.to_json())

    answer = write(run_payload(RUN, instance_type="ml.m5.large"), objects)

    written = objects.read(ObjectUri.parse(answer["uri"]))
    assert answer["uri"] == f"{RUN.uris.explain_config}analysis_config.json"
    assert written is not None
    assert json.loads(written) == {
        "dataset_type": "text/csv",
        "headers": ["wear", "force", "line"],
        "label": "wear",
        "label_values_or_threshold": [4.0],
        "facet": [{"name_or_index": "line", "value_or_threshold": ["a"]}],
        "group_variable": "force",
        "methods": {
            "shap": {
                "baseline": [[1.0, "a"]],
                "num_samples": 20,
                "seed": 3,
                "agg_method": "mean_abs",
                "use_logit": False,
                "save_local_shap_values": True,
            },
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "report": {"name": "report", "title": f"What {WORKLOAD} predicts wear from"},
        },
        "predictor": {
            "content_type": "text/csv",
            "accept_type": "text/csv",
            "model_name": RUN.names.model,
            "instance_type": "ml.m5.large",
            "initial_instance_count": 1,
            "endpoint_name_prefix": f"watchkeeper-{WORKLOAD}-explain",
        },
    }


def test_a_model_in_the_jobs_process_has_no_name_and_no_baseline_is_a_summary() -> None:
    plan = dataclasses.replace(PLAN, explain=ExplainPlan(shap=ShapPlan(num_clusters=4)))
    objects = run_documents(RUN, plan=plan.to_json())

    answer = write(run_payload(RUN, instance_type="ml.m5.large"), objects)

    configuration = json.loads(objects.read(ObjectUri.parse(answer["uri"])) or b"")
    assert configuration["predictor"] == {"content_type": "text/csv", "accept_type": "text/csv"}
    assert "baseline" not in configuration["methods"]["shap"]
    assert configuration["methods"]["shap"]["num_clusters"] == 4
    assert "facet" not in configuration
    assert set(configuration["methods"]) == {"shap", "report"}


def test_what_matters_most_is_told_in_words() -> None:
    values = {"force": 0.5, "line": 1.5}
    analysis = {"explanations": {"kernel_shap": {"label0": {"global_shap_values": values}}}}

    answer = summarize(run_payload(RUN), run_documents(RUN, analysis=json.dumps(analysis)))

    assert answer == {
        "status": "explained",
        "summary": "It predicts mostly from line (75 %), force (25 %). "
        f"Report: {RUN.uris.explanations}report.html",
        "uri": RUN.uris.explanations,
    }


def test_a_skipped_explanation_says_why() -> None:
    cause = json.dumps({"ExitMessage": "InvalidInputError: methods.shap.seed: must be a whole number"})

    answer = summarize(
        run_payload(RUN, error={"Error": "States.TaskFailed", "Cause": cause}), FakeObjectStore()
    )

    assert answer["status"] == "skipped"
    assert "methods.shap.seed: must be a whole number" in answer["summary"]
    assert answer["uri"] == ""


@pytest.mark.parametrize("analysis", ["{}", '{"explanations": {"kernel_shap": {}}}', "not json"])
def test_a_job_that_left_no_explanations_is_a_contract_violation(analysis: str) -> None:
    with pytest.raises(ContractViolationError, match="no SHAP values"):
        summarize(run_payload(RUN), run_documents(RUN, analysis=analysis))
    with pytest.raises(ContractViolationError, match="does not exist"):
        summarize(
            run_payload(RUN),
            run_documents(
                RUN,
            ),
        )
