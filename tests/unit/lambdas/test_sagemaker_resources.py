"""One suite for fake SageMaker resources and the control plane's adapter; Step Functions' executions."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from lambdas.adapters import clients
from lambdas.adapters.sagemaker_resources import (
    EndpointDescription,
    SageMakerControlPlane,
    SageMakerResources,
)
from lambdas.steps.validate_input import StepFunctionsExecutions
from tests.unit.lambdas.fakes import FakeResources
from watchkeeper.core.errors import ContractViolationError, UnavailableError

ROLE = "arn:aws:iam::123456789012:role/service"


@pytest.fixture(params=["fake", "sagemaker"])
def resources(request: pytest.FixtureRequest) -> SageMakerResources:
    """Model `m`, configurations `c` and `d`, and endpoint `e` with `c`."""
    if request.param == "fake":
        return FakeResources(
            {"m"},
            {"c": {"v": 1.0}, "d": {"w": 1.0}},
            {"e": EndpointDescription("InService", "c", "", {"v": 1.0})},
        )
    request.getfixturevalue("aws")
    client = clients.sagemaker()
    client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
    for name, variant in {"c": "v", "d": "w"}.items():
        client.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": "m",
                    "InstanceType": "ml.t2.medium",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1.0,
                }
            ],
        )
    client.create_endpoint(EndpointName="e", EndpointConfigName="c")
    return SageMakerControlPlane(client)


def test_absent_things_are_absent_and_not_errors(resources: SageMakerResources) -> None:
    assert not resources.model_exists("x")
    assert resources.endpoint("x") is None
    assert resources.configured_weights("x") is None


def test_a_package_is_judged_with_a_reason_that_fits(aws: object) -> None:
    client, arn = clients.sagemaker(), "arn:aws:sagemaker:us-east-1:123456789012:model-package/pump/1"
    with Stubber(client) as stub:
        wanted = {
            "ModelPackageArn": arn,
            "ModelApprovalStatus": "Rejected",
            "ApprovalDescription": f"It failed: {'x' * 1013}",
        }
        stub.add_response("update_model_package", {"ModelPackageArn": arn}, wanted)
        SageMakerControlPlane(client).judge_package(arn, approved=False, reason="It failed:\n" + "x" * 2000)
        stub.assert_no_pending_responses()


def test_describes_the_endpoint_and_its_configuration(resources: SageMakerResources) -> None:
    endpoint = resources.endpoint("e")
    assert endpoint is not None
    assert (endpoint.status, endpoint.endpoint_config) == ("InService", "c")
    assert endpoint.weights == resources.configured_weights("c") == {"v": 1.0}


def test_removing_tells_whether_there_was_something(resources: SageMakerResources) -> None:
    for remove, name in (
        (resources.remove_endpoint, "e"),
        (resources.remove_endpoint_config, "c"),
        (resources.remove_model, "m"),
    ):
        assert remove(name)
        assert not remove(name)
    assert not resources.model_exists("m")
    assert resources.endpoint("e") is None
    assert resources.configured_weights("c") is None
    assert resources.configured_weights("d") is not None


def test_endpoint_moves_to_another_configuration(aws: object) -> None:
    """Moto has no UpdateEndpoint."""
    client = clients.sagemaker()
    with Stubber(client) as stub:
        stub.add_response(
            "update_endpoint",
            {"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"},
            {"EndpointName": "e", "EndpointConfigName": "d"},
        )
        SageMakerControlPlane(client).update_endpoint("e", "d")
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, UnavailableError),
        ("InternalFailure", 500, UnavailableError),
        ("AccessDeniedException", 400, ContractViolationError),
    ],
)
def test_other_errors_are_classified(aws: object, code: str, status: int, kind: type[Exception]) -> None:
    client = clients.sagemaker()
    with Stubber(client) as stub:
        stub.add_client_error("describe_model", code, http_status_code=status)
        with pytest.raises(kind, match="describe model m"):
            SageMakerControlPlane(client).model_exists("m")


def test_lists_running_executions_only(aws: object) -> None:
    client = clients.stepfunctions()
    definition = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9000, "End": true}}}'
    machine = client.create_state_machine(name="train", definition=definition, roleArn=ROLE)[
        "stateMachineArn"
    ]
    arns = [client.start_execution(stateMachineArn=machine, name=name)["executionArn"] for name in "ab"]
    client.stop_execution(executionArn=arns[0])
    (running,) = StepFunctionsExecutions(client).running(machine)
    assert running.execution_arn == arns[1]
    started: Any = client.describe_execution(executionArn=arns[1])["startDate"]
    assert running.started_at == started
