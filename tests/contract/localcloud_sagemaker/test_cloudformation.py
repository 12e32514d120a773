"""SageMaker's CloudFormation types: made, changed and deleted by a stack."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localcloud_sagemaker.api_requests import container, unique, wait_until
from tests.contract.localcloud_sagemaker.gateway import ROLE, Gateway


def template(add: str = "1", **resources: Any) -> dict[str, Any]:
    return {
        "Resources": {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {"ExecutionRoleArn": ROLE, "PrimaryContainer": container(ADD=add)},
            },
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {
                    "ProductionVariants": [
                        {
                            "VariantName": "v1",
                            "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                            "InstanceType": "ml.m5.large",
                            "InitialInstanceCount": "1",
                            "InitialVariantWeight": 1,
                        }
                    ]
                },
            },
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {
                    "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                    "Tags": [{"Key": "k", "Value": "v"}],
                },
            },
            "Group": {
                "Type": "AWS::SageMaker::ModelPackageGroup",
                "Properties": {"ModelPackageGroupName": "of-the-stack"},
            },
            **resources,
        },
        "Outputs": {
            "Endpoint": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
            "EndpointArn": {"Value": {"Ref": "Endpoint"}},
            "Model": {"Value": {"Fn::GetAtt": ["Model", "ModelName"]}},
            "Group": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}},
        },
    }


@pytest.fixture(scope="module")
def formation(gateway: Gateway) -> Any:
    return gateway.client("cloudformation")


@pytest.fixture
def stack(formation: Any) -> Iterator[str]:
    name = unique("stack")
    yield name
    formation.delete_stack(StackName=name)


def settled(formation: Any, name: str) -> dict[str, Any]:
    def described() -> Any:
        found = formation.describe_stacks(StackName=name)["Stacks"][0]
        return found if not found["StackStatus"].endswith("_IN_PROGRESS") else None

    return dict(wait_until(described, 30))


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def answer(runtime: Any, endpoint: str) -> bytes:
    body = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"0")["Body"].read()
    return bytes(body)


def test_stack_makes_updates_and_deletes_an_endpoint(
    formation: Any, sagemaker: Any, runtime: Any, stack: str
) -> None:
    formation.create_stack(StackName=stack, TemplateBody=json.dumps(template()))
    created = settled(formation, stack)
    assert created["StackStatus"] == "CREATE_COMPLETE", formation.describe_stack_events(StackName=stack)
    first = outputs(created)
    assert first["EndpointArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{first['Endpoint']}"
    assert first["Group"].endswith(":model-package-group/of-the-stack")
    assert sagemaker.list_tags(ResourceArn=first["EndpointArn"])["Tags"][0] == {"Key": "k", "Value": "v"}
    assert answer(runtime, first["Endpoint"]) == b"1.0"

    formation.update_stack(StackName=stack, TemplateBody=json.dumps(template("2")))
    updated = settled(formation, stack)
    assert updated["StackStatus"] == "UPDATE_COMPLETE", formation.describe_stack_events(StackName=stack)
    second = outputs(updated)
    assert second["Endpoint"] == first["Endpoint"]
    assert second["Model"] != first["Model"]
    assert answer(runtime, second["Endpoint"]) == b"2.0"
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName=first["Model"])

    formation.delete_stack(StackName=stack)
    wait_until(lambda: not sagemaker.list_endpoints(NameContains=first["Endpoint"])["Endpoints"])
    wait_until(
        lambda: (
            not sagemaker.list_model_package_groups(NameContains="of-the-stack")[
                "ModelPackageGroupSummaryList"
            ]
        )
    )


def test_endpoint_that_fails_rolls_the_stack_back_with_its_reason(
    formation: Any, sagemaker: Any, stack: str
) -> None:
    broken = template()
    broken["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"] = {"CRASH": "1"}
    broken["Resources"]["Group"]["Properties"]["ModelPackageGroupName"] = "of-the-broken-stack"
    formation.create_stack(StackName=stack, TemplateBody=json.dumps(broken))
    assert settled(formation, stack)["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in formation.describe_stack_events(StackName=stack)["StackEvents"]
    ]
    assert any("did not pass the ping health check" in reason for reason in reasons)
    assert not sagemaker.list_endpoints(NameContains=stack)["Endpoints"]
    assert not sagemaker.list_models(NameContains=stack)["Models"]
