"""SageMaker in Step Functions: request and response, .sync, the AWS SDK form, and their errors."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.contract.localcloud_sagemaker.api_requests import (
    container,
    create_model,
    ended,
    training_request,
    unique,
    wait_until,
)
from tests.contract.localcloud_sagemaker.gateway import ROLE, Gateway

SYNC = "arn:aws:states:::sagemaker:createTrainingJob.sync"
AWS_SDK = "arn:aws:states:::aws-sdk:sagemaker:"


@pytest.fixture(scope="module")
def states(gateway: Gateway) -> Any:
    return gateway.client("stepfunctions")


def start(states: Any, resource: str, parameters: dict[str, Any], **state: Any) -> str:
    definition = {
        "StartAt": "Task",
        "States": {
            "Task": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **state}
        },
    }
    machine = states.create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=ROLE
    )
    return str(states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"])


def result(states: Any, execution: str) -> dict[str, Any]:
    def described() -> Any:
        answer = states.describe_execution(executionArn=execution)
        return answer if answer["status"] != "RUNNING" else None

    return dict(wait_until(described))


def run(states: Any, resource: str, parameters: dict[str, Any], **state: Any) -> dict[str, Any]:
    return result(states, start(states, resource, parameters, **state))


def test_sync_gives_the_described_job_with_times_in_milliseconds(states: Any, sagemaker: Any) -> None:
    name = unique("train")
    execution = run(states, SYNC, training_request(name))
    assert execution["status"] == "SUCCEEDED", execution
    output = json.loads(execution["output"])
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert output["TrainingJobStatus"] == "Completed"
    assert output["ModelArtifacts"] == job["ModelArtifacts"]
    assert output["CreationTime"] == round(job["CreationTime"].timestamp() * 1000)
    assert isinstance(output["SecondaryStatusTransitions"][0]["StartTime"], int)


def test_failed_job_is_task_failed_with_the_described_job_as_its_cause(states: Any) -> None:
    execution = run(states, SYNC, training_request(unique("train"), fail="no rows"))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(execution["cause"])
    assert cause["TrainingJobStatus"] == "Failed"
    assert cause["FailureReason"] == "AlgorithmError: no rows, exit code: 3"


def test_stopped_execution_stops_its_job(states: Any, sagemaker: Any) -> None:
    name = unique("train")
    execution = start(states, SYNC, training_request(name, sleep="60"))
    wait_until(lambda: sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"])
    states.stop_execution(executionArn=execution)
    assert ended(sagemaker, "training", name)["TrainingJobStatus"] == "Stopped"


def test_state_that_times_out_stops_its_job(states: Any, sagemaker: Any) -> None:
    name = unique("train")
    execution = run(states, SYNC, training_request(name, sleep="60"), TimeoutSeconds=1)
    assert execution["error"] == "States.Timeout"
    assert ended(sagemaker, "training", name)["TrainingJobStatus"] == "Stopped"


def test_refused_request_has_the_error_of_the_optimized_integration(states: Any) -> None:
    name = unique("train")
    assert run(states, SYNC, training_request(name))["status"] == "SUCCEEDED"
    again = run(states, SYNC, training_request(name))
    assert again["error"] == "SageMaker.ResourceInUseException"
    assert "already exists" in again["cause"]
    missing = run(
        states,
        "arn:aws:states:::sagemaker:createEndpoint",
        {"EndpointName": unique("endpoint"), "EndpointConfigName": "nope"},
    )
    assert missing["error"] == "SageMaker.AmazonSageMakerException"
    assert "Could not find endpoint configuration" in missing["cause"]


def test_request_and_response_gives_the_arn(states: Any) -> None:
    name = unique("model")
    execution = run(
        states,
        "arn:aws:states:::sagemaker:createModel",
        {"ModelName": name, "ExecutionRoleArn": ROLE, "Containers": [container(), container()]},
    )
    assert json.loads(execution["output"])["ModelArn"].endswith(f":model/{name}")


def test_aws_sdk_form_gives_iso_times_and_its_own_errors(states: Any, sagemaker: Any) -> None:
    model = create_model(sagemaker, container())
    described = json.loads(run(states, f"{AWS_SDK}describeModel", {"ModelName": model})["output"])
    assert described["PrimaryContainer"]["Environment"] == {}
    assert datetime.fromisoformat(described["CreationTime"].replace("Z", "+00:00"))
    missing = run(states, f"{AWS_SDK}describeModel", {"ModelName": "nope"})
    assert missing["error"] == "SageMaker.SageMakerException"
    assert "Could not find model" in missing["cause"]


@pytest.mark.parametrize(
    ("resource", "parameters", "named"),
    [
        ("arn:aws:states:::sagemaker:describeModel", {"ModelName": "x"}, "sagemaker:describeModel"),
        ("arn:aws:states:::sagemaker:createModel.sync", {"ModelName": "x"}, "createModel.sync"),
        (f"{AWS_SDK}inventModel", {}, "inventModel"),
    ],
)
def test_unknown_action_fails_the_execution_by_name(
    states: Any, resource: str, parameters: dict[str, Any], named: str
) -> None:
    execution = run(states, resource, parameters)
    assert execution["error"] == "States.Runtime"
    assert named in execution["cause"]


def test_field_that_the_integration_lacks_is_refused_when_the_machine_is_made(states: Any) -> None:
    with pytest.raises(states.exceptions.InvalidDefinition, match="S3Operations"):
        run(states, SYNC, {"S3Operations": {}})


def test_operation_that_the_laptop_has_not_is_refused_by_name(states: Any) -> None:
    execution = run(states, f"{AWS_SDK}listAutoMLJobs", {})
    assert execution["error"] == "SageMaker.SageMakerException"
    assert "ListAutoMLJobs" in execution["cause"]
