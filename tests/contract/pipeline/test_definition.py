"""The definition is a sound state machine, and every path in it exists when its state is reached."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from pipeline.contracts import OUTPUTS
from pipeline.definition import definition_of
from pipeline.settings import InstanceHosting, Rollout, ServerlessHosting, Serving, WorkflowSettings
from pipeline.step import EXPLAINING as EXPLAINING_STEPS
from pipeline.step import GRAPH, SMOKE_TEST, STREAMING, TRAINING, VERIFY_DEPLOYMENT
from pipeline.substitutions import Substitution
from tests.contract.pipeline.asl import known_paths, paths_in, successors, used_paths
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import DetectorPlan, GatePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.fraud.plan import FraudGatePlan, FraudPlan, LabelPlan, RelationPlan
from watchkeeper.regression.plan import (
    BiasPlan,
    ColumnPlan,
    ExplainPlan,
    RegressionGatePlan,
    RegressionPlan,
    ShapPlan,
)

PLAN = WorkloadPlan(
    workload="water_flow",
    timestamp=TimestampPlan("time"),
    measures=(MeasurePlan("flow", "flow"),),
    interval_seconds=3600,
)
OWN = dataclasses.replace(PLAN, detector=DetectorPlan("watchkeeper"))
SERVING = Serving(
    hosting=InstanceHosting("ml.m5.large", 1),
    capture_percent=20,
    rollout=Rollout(canary_percent=None, wait_seconds=300),
)
SERVERLESS = dataclasses.replace(SERVING, hosting=ServerlessHosting(2048, 5), capture_percent=0)
SETTINGS = WorkflowSettings(
    plan=PLAN,
    region="us-east-1",
    job_instance="ml.m5.large",
    serving=SERVING,
)
TABLE = RegressionPlan(
    workload="water_flow",
    target="wear",
    features=(ColumnPlan("force", "numeric"),),
    hyperparameters={"n_estimators": 7, "max_features": "sqrt"},
)
REGRESSIONS = {
    "regression": TABLE,
    "regression, explanation may fail": dataclasses.replace(TABLE, explain=ExplainPlan(on_failure="skip")),
    "regression, Clarify": dataclasses.replace(
        TABLE, explain=ExplainPlan(engine="clarify", predictor="endpoint", on_failure="skip")
    ),
    "regression, endpoint": dataclasses.replace(
        TABLE,
        explain=ExplainPlan(
            predictor="endpoint",
            shap=ShapPlan(baseline_uri="s3://b/baseline.csv"),
            bias=BiasPlan("force", (1.0,), 2.0),
        ),
    ),
    "regression, not explained": dataclasses.replace(
        TABLE, explain=ExplainPlan(engine="none"), gate=RegressionGatePlan(beat_champion=False)
    ),
}
TRANSACTIONS = FraudPlan(
    workload="water_flow",
    id_field="id",
    timestamp=TimestampPlan("time"),
    amount_field="amount",
    label=LabelPlan("fraud"),
    relations=(RelationPlan("card", ("card",)),),
    hyperparameters={"n_epochs": 3},
)
VARIANTS = {
    "one instance": SETTINGS,
    "fleet": dataclasses.replace(
        SETTINGS,
        serving=dataclasses.replace(
            SERVING,
            hosting=InstanceHosting("ml.m5.large", 3),
            rollout=Rollout(canary_percent=10, wait_seconds=3600),
        ),
    ),
    "serverless": dataclasses.replace(SETTINGS, serving=SERVERLESS),
    "no comparison": dataclasses.replace(
        SETTINGS, plan=dataclasses.replace(PLAN, gate=GatePlan(beat_champion=False))
    ),
    "streaming": dataclasses.replace(SETTINGS, plan=OWN, serving=None),
    "streaming, endpoint": dataclasses.replace(SETTINGS, plan=OWN),
    "streaming, serverless": dataclasses.replace(SETTINGS, plan=OWN, serving=SERVERLESS),
    "registered": dataclasses.replace(
        SETTINGS, plan=dataclasses.replace(PLAN, detector=DetectorPlan("registered", {"version": 7}))
    ),
    "no capture": dataclasses.replace(SETTINGS, serving=dataclasses.replace(SERVING, capture_percent=0)),
    **{name: dataclasses.replace(SETTINGS, plan=plan) for name, plan in REGRESSIONS.items()},
    "fraud": dataclasses.replace(SETTINGS, plan=TRANSACTIONS),
    "fraud, no comparison": dataclasses.replace(
        SETTINGS, plan=dataclasses.replace(TRANSACTIONS, gate=FraudGatePlan(beat_champion=False))
    ),
}
EXPLAINING = {"regression", "regression, explanation may fail", "regression, Clarify", "regression, endpoint"}


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def states(variant: str) -> dict[str, dict[str, Any]]:
    definition = definition_of(VARIANTS[variant])
    assert definition["StartAt"] == "OpenRun"
    result: dict[str, dict[str, Any]] = definition["States"]
    return result


def available_paths(states: dict[str, dict[str, Any]]) -> dict[str, set[str]]:
    """Return for each state the paths that exist whichever way the state is reached."""
    return known_paths(states, "OpenRun", {"$"}, OUTPUTS)


def test_every_transition_leads_to_a_state_and_every_state_is_reached(
    states: dict[str, dict[str, Any]],
) -> None:
    targets = {following for state in states.values() for following, _ in successors(state)}

    assert targets <= set(states)
    assert set(available_paths(states)) == set(states)


def test_every_path_exists_whichever_way_its_state_is_reached(states: dict[str, dict[str, Any]]) -> None:
    known = available_paths(states)

    missing = {name: sorted(used_paths(state) - known[name]) for name, state in states.items()}

    assert {name: paths for name, paths in missing.items() if paths} == {}


def test_a_path_that_no_state_wrote_is_found(states: dict[str, dict[str, Any]]) -> None:
    broken = json.loads(json.dumps(states))
    prepare = next(name for name in ("PrepareData", "PrepareTable", "Evaluate") if name in states)
    broken[prepare]["Parameters"]["Environment"] = {"X.$": "$.decision.approved"}

    known = available_paths(broken)

    assert used_paths(broken[prepare]) - known[prepare] == {"$.decision.approved"}


def test_results_stand_where_the_contract_says(states: dict[str, dict[str, Any]]) -> None:
    for name, state in states.items():
        if state["Type"] in ("Task", "Pass"):
            expected = OUTPUTS[name][0] if name in OUTPUTS else None
            assert state.get("ResultPath", "$") == expected, name


def test_selected_results_have_the_fields_of_their_contract(states: dict[str, dict[str, Any]]) -> None:
    for name, state in states.items():
        if "ResultSelector" in state:
            _, contract = OUTPUTS[name]
            selected = {key.removesuffix(".$") for key in state["ResultSelector"]}
            assert selected == {field.name for field in dataclasses.fields(contract)}, name


def test_every_task_has_a_time_limit_retries_and_a_catch(states: dict[str, dict[str, Any]]) -> None:
    for name, state in states.items():
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0, name
            assert state["Retry"], name
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_wrong_input_and_broken_contracts_are_not_retried(states: dict[str, dict[str, Any]]) -> None:
    retried = {
        error for state in states.values() for rule in state.get("Retry", []) for error in rule["ErrorEquals"]
    }

    assert "UnavailableError" in retried
    assert not retried & {"InvalidInputError", "ContractViolationError", "States.ALL", "States.TaskFailed"}


def test_a_failure_before_an_outcome_ends_in_clean_up(states: dict[str, dict[str, Any]]) -> None:
    outcome_stands = {"NotifyDeployed", "NotifyRejected", "NotifyFailed", "CleanUp"}
    explaining = {"WriteExplainConfiguration", "Explain", "SummarizeExplanation"}
    may_fail = explaining if "SkipExplanation" in states else set()
    for name, state in states.items():
        if state["Type"] == "Task" and name not in outcome_stands:
            end = "SkipExplanation" if name in may_fail else "CleanUp"
            assert [catch["Next"] for catch in state["Catch"]] == [end], name


def test_a_notification_that_fails_changes_no_outcome(states: dict[str, dict[str, Any]]) -> None:
    for notify, end in {
        "NotifyDeployed": "Deployed",
        "NotifyRejected": "Rejected",
        "NotifyFailed": "Failed",
    }.items():
        assert states[notify]["Next"] == end
        assert [catch["Next"] for catch in states[notify]["Catch"]] == [end]


def test_a_rejected_model_is_a_good_end_and_only_what_broke_fails(states: dict[str, dict[str, Any]]) -> None:
    assert states["Rejected"]["Type"] == "Succeed"
    assert [name for name, state in states.items() if state["Type"] == "Fail"] == ["Failed"]


def test_placeholders_are_exactly_the_documented_substitutions(
    states: dict[str, dict[str, Any]], variant: str
) -> None:
    used = set(re.findall(r"\$\{([A-Za-z]\w*)\}", json.dumps(states)))

    steps = (*TRAINING, *EXPLAINING_STEPS) if variant in EXPLAINING else TRAINING
    unused = {Substitution.REQUESTS_TABLE_NAME, Substitution.SIMULATE_FUNCTION_ARN}
    if variant.startswith("fraud"):
        steps = (*steps, *GRAPH)
        unused.add(Substitution.MODEL_CODE_ARCHIVE_NAME)
    else:
        unused |= {Substitution.FRAUD_CODE_URI, Substitution.FRAUD_CODE_ARCHIVE_NAME}
    if variant not in EXPLAINING or variant == "regression, Clarify":
        unused.add(Substitution.ANALYSIS_CODE_URI)
    if variant.startswith("streaming"):
        steps = (*steps, *STREAMING)
        unused.add(Substitution.MODEL_CODE_ARCHIVE_NAME)
    if variant == "streaming":
        steps = tuple(step for step in steps if step not in (VERIFY_DEPLOYMENT, SMOKE_TEST))
        unused |= {
            Substitution.MODEL_ROLE_ARN,
            Substitution.ENDPOINT_ERRORS_ALARM_NAME,
            Substitution.ENDPOINT_LATENCY_ALARM_NAME,
        }
    assert used == {each.substitution for each in steps} | set(Substitution) - unused


def test_everything_that_is_created_carries_its_workload(states: dict[str, dict[str, Any]]) -> None:
    creating = {
        name: s
        for name, s in states.items()
        if re.search(r":sagemaker:create(?!ModelPackage)", s.get("Resource", ""))
    }

    assert len(creating) >= 3
    for name, state in creating.items():
        assert {"Key": "watchkeeper:workload", "Value": "water_flow"} in state["Parameters"]["Tags"], name


def test_names_of_what_is_created_come_from_the_run(states: dict[str, dict[str, Any]]) -> None:
    for name, state in states.items():
        created = re.search(r":sagemaker:create(\w+)", state.get("Resource", ""))
        if created and created[1] != "ModelPackage":
            assert state["Parameters"][f"{created[1]}Name.$"].startswith("$.run.names."), name


def test_code_of_ours_runs_without_a_network_unless_it_asks_an_endpoint(
    states: dict[str, dict[str, Any]], variant: str
) -> None:
    for name, state in states.items():
        parameters = state.get("Parameters", {})
        if (
            "createTrainingJob" in state.get("Resource", "")
            or state.get("Resource", "").rpartition(":")[2] == "createModel"
        ):
            serverless = name == "CreateModel" and variant.endswith("serverless")
            assert parameters["EnableNetworkIsolation"] is not serverless, name
        if "createProcessingJob" in state.get("Resource", ""):
            asks_endpoint = name == "Explain" and variant in ("regression, Clarify", "regression, endpoint")
            assert parameters["NetworkConfig"]["EnableNetworkIsolation"] is not asks_endpoint, name


def test_waiting_for_the_endpoint_is_bounded(states: dict[str, dict[str, Any]], variant: str) -> None:
    if variant == "streaming":
        assert "EndpointSettled?" not in states
        return
    loop = next(rule for rule in states["EndpointSettled?"]["Choices"] if rule["Next"] == "WaitForEndpoint")

    bounds = [part for part in loop["And"] if part.get("Variable") == "$.polls.count"]
    assert bounds[0]["NumericLessThan"] > 0
    assert states["WaitForEndpoint"]["Next"] == "CountPoll"


def test_an_update_rolls_back_on_both_alarms() -> None:
    states = definition_of(SETTINGS)["States"]

    deployment = states["UpdateEndpoint"]["Parameters"]["DeploymentConfig"]
    alarms = [alarm["AlarmName"] for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]]
    assert alarms == ["${EndpointErrorsAlarmName}", "${EndpointLatencyAlarmName}"]
    assert deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"


def test_a_canary_takes_its_share_and_the_time_limit_leaves_room_for_both_waits() -> None:
    states = definition_of(VARIANTS["fleet"])["States"]

    policy = states["UpdateEndpoint"]["Parameters"]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    traffic = policy["TrafficRoutingConfiguration"]
    assert traffic["CanarySize"] == {"Type": "CAPACITY_PERCENT", "Value": 10}
    waits = traffic["WaitIntervalInSeconds"] + policy["TerminationWaitInSeconds"]
    assert waits < policy["MaximumExecutionTimeoutInSeconds"] <= 28_800  # the API's limit


def test_without_comparison_the_champion_is_not_scored() -> None:
    states = definition_of(VARIANTS["no comparison"])["States"]

    assert states["ScoreHoldback"]["Next"] == "Evaluate"
    assert "ScoreChampion" not in states


def test_the_users_hyperparameters_win_but_not_over_the_feature_dimension() -> None:
    detector = DetectorPlan(hyperparameters={"num_trees": 77, "feature_dim": 3})
    settings = dataclasses.replace(SETTINGS, plan=dataclasses.replace(PLAN, detector=detector))

    sent = definition_of(settings)["States"]["TrainDetector"]["Parameters"]["HyperParameters"]

    assert sent["num_trees"] == "77"
    assert sent["num_samples_per_tree"] == "256"
    assert int(sent["feature_dim"]) >= PLAN.features.shingle


def test_a_streaming_detector_is_warmed_up_judged_registered_and_published() -> None:
    states = definition_of(VARIANTS["streaming"])["States"]

    way = ["PrepareHistory"]
    while way[-1] != "Deployed":
        state = states[way[-1]]
        way.append(state["Next"] if "Next" in state else state["Choices"][0]["Next"])
    assert way[1:-2] == [
        "WarmUp",
        "Evaluate",
        "DecidePromotion",
        "Approved?",
        "RegisterModelPackage",
        "StageRelease",
        "TryRelease",
        "PublishRelease",
    ]
    called = {state.get("Resource", "").rpartition(":::")[2] for state in states.values()}
    assert {each for each in called if "sagemaker" in each} == {
        "sagemaker:createProcessingJob.sync",
        "aws-sdk:sagemaker:createModelPackage",
    }


def test_a_streaming_detector_with_an_endpoint_serves_what_its_pages_know() -> None:
    states = definition_of(VARIANTS["streaming, endpoint"])["States"]

    model = states["CreateModel"]["Parameters"]["PrimaryContainer"]
    warmed = states["WarmUp"]["Parameters"]["ProcessingOutputConfig"]["Outputs"]
    outputs = {each["OutputName"]: each["S3Output"]["S3Uri.$"] for each in warmed}
    assert outputs["pages"] == "$.run.uris.pages"
    assert model["ModelDataUrl.$"] == f"States.Format('{{}}model.tar.gz', {outputs['model']})"
    assert model["Environment"]["SAGEMAKER_PROGRAM"] == "serve_detector.py"
    package = states["RegisterModelPackage"]["Parameters"]["InferenceSpecification"]["Containers"]
    assert package == [model]
    assert states["RegisterModelPackage"]["Next"] == "CreateModel"
    assert states["VerifyDeployment"]["Next"] == "SmokeTest"
    assert states["SmokeTest"]["Next"] == "TryRelease"


def test_the_built_in_forest_follows_its_preprocessor() -> None:
    states = definition_of(SETTINGS)["States"]

    assert states["PrepareData"]["Next"] == "TrainPreprocessor"
    assert states["TransformTrainingRows"]["Next"] == "TrainDetector"
    containers = states["CreateModel"]["Parameters"]["Containers"]
    assert [container["ModelDataUrl.$"] for container in containers] == [
        "$.preprocessor.uri",
        "$.detector.uri",
    ]


def test_a_detector_that_the_workflow_cannot_train_is_refused() -> None:
    detector = DetectorPlan("prophet")  # type: ignore[arg-type]  # a plan of another release

    with pytest.raises(InvalidInputError, match="'prophet'; use one of: rcf, registered, watchkeeper"):
        definition_of(dataclasses.replace(SETTINGS, plan=dataclasses.replace(PLAN, detector=detector)))


def test_a_definition_does_not_depend_on_the_ambient_region(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = definition_of(SETTINGS)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")

    assert definition_of(SETTINGS) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$.run.names.model", {"$.run.names.model"}),
        ("$$.Execution.Id", set()),
        ("States.Format('cost {} of $.not_a_path', $.a.b, $$.Execution.Id)", {"$.a.b"}),
        ("States.Format('it\\'s {}', $.a)", {"$.a"}),
    ],
)
def test_paths_are_found_in_expressions(expression: str, expected: set[str]) -> None:
    assert paths_in(expression) == expected


def way_of(states: dict[str, dict[str, Any]]) -> list[str]:
    """Return the way of a first run that goes well."""
    way = ["OpenRun"]
    while "Next" in states[way[-1]] or "Choices" in states[way[-1]]:
        state = states[way[-1]]
        choices = state.get("Choices", [])
        way.append(
            state["Default"]
            if way[-1].endswith("Exists?")
            else choices[0]["Next"]
            if choices
            else state["Next"]
        )
    return way


def test_transactions_become_a_graph_and_the_store_has_it_before_a_model_answers() -> None:
    states = definition_of(VARIANTS["fraud"])["States"]

    assert way_of(states) == [
        "OpenRun",
        "ValidateInput",
        "ExportTransactions",
        "TransactionsExported?",
        "ProcessTransactions",
        "TrainClassifier",
        "ChampionExists?",
        "Evaluate",
        "DecidePromotion",
        "Approved?",
        "LoadGraph",
        "GraphLoaded?",
        "CreateModel",
        "RegisterModelPackage",
        "StageRelease",
        "CreateEndpointConfig",
        "FindEndpoint",
        "EndpointExists?",
        "CreateEndpoint",
        "WaitForEndpoint",
        "CountPoll",
        "DescribeEndpoint",
        "EndpointSettled?",
        "VerifyDeployment",
        "SmokeTest",
        "PublishRelease",
        "NotifyDeployed",
        "Deployed",
    ]


@pytest.mark.parametrize(
    ("question", "task"), [("TransactionsExported?", "ExportTransactions"), ("GraphLoaded?", "LoadGraph")]
)
def test_what_a_call_has_no_time_for_the_next_one_does(question: str, task: str) -> None:
    states = definition_of(VARIANTS["fraud"])["States"]

    assert states[task]["Next"] == question
    assert states[question]["Default"] == task


def test_spark_is_told_the_run_and_waited_for() -> None:
    process = definition_of(VARIANTS["fraud"])["States"]["ProcessTransactions"]

    assert process["Resource"] == "arn:${Partition}:states:::glue:startJobRun.sync"
    assert process["Parameters"] == {
        "JobName": "watchkeeper-water-flow-process",
        "Arguments": {
            "--run-prefix.$": "$.run.uris.prefix",
            "--plan-uri.$": "$.run.uris.plan",
            "--window.$": "States.Format('{}/{}', $.window.start, $.window.end)",
        },
    }


def test_champion_and_candidate_are_asked_by_their_artifacts() -> None:
    states = definition_of(VARIANTS["fraud"])["States"]

    compared = states["EvaluateAgainstChampion"]["Parameters"]["ProcessingInputs"]
    found = {each["InputName"]: each["S3Input"].get("S3Uri.$") for each in compared}
    assert found["candidate"] == "$.classifier.uri"
    assert found["champion"] == "$.champion.artifact"
    assert found["processed"] == "$.run.uris.processed"


def test_the_hyperparameters_of_a_network_are_those_of_its_plan() -> None:
    training = definition_of(VARIANTS["fraud"])["States"]["TrainClassifier"]["Parameters"]

    assert training["HyperParameters"]["n_epochs"] == "3"
    assert training["HyperParameters"]["sagemaker_program"] == "train_fraud.py"
    assert {each["ChannelName"] for each in training["InputDataConfig"]} == {"processed", "plan", "code"}
