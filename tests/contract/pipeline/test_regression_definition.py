"""What is particular to the workflow of a regression workload."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from pipeline.definition import definition_of
from tests.contract.pipeline.test_definition import SETTINGS, TABLE, VARIANTS
from watchkeeper.regression.plan import ExplainPlan


@cache
def states_of(variant: str) -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = definition_of(VARIANTS[variant])["States"]
    return states


def inputs_of(state: dict[str, Any]) -> dict[str, str]:
    return {
        each["InputName"]: each["S3Input"].get("S3Uri") or each["S3Input"]["S3Uri.$"]
        for each in state["Parameters"]["ProcessingInputs"]
    }


def way(states: dict[str, dict[str, Any]], start: str) -> list[str]:
    """Follow the states from one to the next choice."""
    names = [start]
    while "Next" in states[names[-1]]:
        names.append(states[names[-1]]["Next"])
    return names


def test_a_model_is_explained_between_the_gate_and_the_registry() -> None:
    states = states_of("regression")

    assert way(states, "PrepareTable") == [
        "PrepareTable",
        "TrainRegressor",
        "CreateModel",
        "ScoreHoldback",
        "ChampionExists?",
    ]
    assert states["Approved?"]["Choices"][0]["Next"] == "WriteExplainConfiguration"
    assert way(states, "WriteExplainConfiguration")[:5] == [
        "WriteExplainConfiguration",
        "Explain",
        "SummarizeExplanation",
        "RegisterModelPackage",
        "StageRelease",
    ]


def test_all_but_the_model_the_table_and_the_explanation_is_the_anomaly_workflows() -> None:
    shared = set(states_of("regression")) & set(states_of("one instance"))

    assert set(states_of("regression")) - shared == {
        "PrepareTable",
        "TrainRegressor",
        "WriteExplainConfiguration",
        "Explain",
        "SummarizeExplanation",
    }
    same = {name for name in shared if states_of("regression")[name] == states_of("one instance")[name]}
    assert {"ScoreHoldback", "CreateEndpointConfig", "UpdateEndpoint", "SmokeTest", "CleanUp"} <= same


def test_an_explanation_that_fails_fails_the_run_or_is_told() -> None:
    strict, lenient = states_of("regression"), states_of("regression, explanation may fail")

    assert strict["Explain"]["Catch"][0]["Next"] == "CleanUp"
    assert "SkipExplanation" not in strict
    assert lenient["Explain"]["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.explain_error", "Next": "SkipExplanation"}
    ]
    assert lenient["SkipExplanation"]["Parameters"]["Payload"]["error.$"] == "$.explain_error"
    assert lenient["SkipExplanation"]["Next"] == "RegisterUnexplainedModelPackage"
    assert lenient["RegisterUnexplainedModelPackage"]["Next"] == "StageRelease"
    assert "$.explanation.summary" in lenient["NotifyDeployed"]["Parameters"]["Message.$"]


def test_the_registry_has_explanations_only_where_there_are_some() -> None:
    def metrics(variant: str, name: str = "RegisterModelPackage") -> dict[str, Any]:
        found: dict[str, Any] = states_of(variant)[name]["Parameters"]["ModelMetrics"]
        return found

    assert set(metrics("regression")) == {"ModelQuality", "Explainability"}
    assert set(metrics("regression, endpoint")) == {"ModelQuality", "Explainability", "Bias"}
    assert set(metrics("regression, not explained")) == {"ModelQuality"}
    assert set(metrics("regression, explanation may fail", "RegisterUnexplainedModelPackage")) == {
        "ModelQuality"
    }


def test_the_job_gets_the_model_or_makes_an_endpoint_of_it() -> None:
    own, asking = states_of("regression")["Explain"], states_of("regression, endpoint")["Explain"]

    assert inputs_of(own) == {
        "code": "${AnalysisCodeUri}",
        "data": "$.run.uris.explain_rows",
        "config": "$.run.uris.explain_config",
        "model": "$.regressor.uri",
    }
    assert inputs_of(asking) == {
        "code": "${AnalysisCodeUri}",
        "data": "$.run.uris.explain_rows",
        "config": "$.run.uris.explain_config",
        "baseline": "s3://b/baseline.csv",
    }


def test_chosen_examples_reach_the_job() -> None:
    plan = dataclasses.replace(TABLE, explain=ExplainPlan(examples=(0, 7)))

    state = definition_of(dataclasses.replace(SETTINGS, plan=plan))["States"]["Explain"]

    assert state["Parameters"]["Environment"] == {
        "WATCHKEEPER_WORKLOAD": "water_flow",
        "WATCHKEEPER_EXAMPLES": "0,7",
    }


def test_clarify_takes_the_same_files_in_its_own_image() -> None:
    state = states_of("regression, Clarify")["Explain"]
    parameters = state["Parameters"]

    assert "sagemaker-clarify-processing" in parameters["AppSpecification"]["ImageUri"]
    assert "ContainerEntrypoint" not in parameters["AppSpecification"]
    assert inputs_of(state) == {"data": "$.run.uris.explain_rows", "config": "$.run.uris.explain_config"}
    (output,) = parameters["ProcessingOutputConfig"]["Outputs"]
    assert output["OutputName"] == "analysis_result"
    assert output["S3Output"]["LocalPath"] == "/opt/ml/processing/output"


def test_without_an_engine_nothing_is_explained() -> None:
    states = states_of("regression, not explained")

    assert states["Approved?"]["Choices"][0]["Next"] == "RegisterModelPackage"
    assert states["StageRelease"]["Parameters"]["Payload"]["explanations"] == ""
    assert not {"WriteExplainConfiguration", "Explain", "SummarizeExplanation"} & set(states)


def test_the_forest_is_trained_with_the_users_hyperparameters() -> None:
    training = states_of("regression")["TrainRegressor"]["Parameters"]

    assert training["HyperParameters"]["n_estimators"] == "7"
    assert training["HyperParameters"]["max_features"] == "sqrt"
    assert training["HyperParameters"]["sagemaker_program"] == "train_regressor.py"
    assert {channel["ChannelName"] for channel in training["InputDataConfig"]} == {"train", "plan", "code"}
