"""Finding what is deployed, and removing what the workflow made."""

from __future__ import annotations

import json

import boto3
import pytest
from typer.testing import CliRunner

from cli.destroy import MadeByWorkflow
from cli.failures import StepFailedError
from cli.main import app
from cli.retained import retained_of
from cli.stacks import Deployment

ROLE = "arn:aws:iam::123456789012:role/r"
OURS = [{"Key": "watchkeeper:workload", "Value": "water_flow"}]


def deploy_stack(session: boto3.Session, name: str, outputs: dict[str, str]) -> None:
    template = {
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    session.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def test_outputs_are_found_by_stack_and_name(session: boto3.Session) -> None:
    deploy_stack(session, "WatchkeeperStorage", {"DataBucketName": "data-1"})

    assert Deployment(session).bucket == "data-1"


def test_a_stack_that_is_not_deployed_is_named_with_the_remedy(session: boto3.Session) -> None:
    with pytest.raises(StepFailedError, match=r"WatchkeeperStorage is not deployed .*watchkeeper deploy"):
        _ = Deployment(session).bucket


def test_an_output_that_is_absent_is_named(session: boto3.Session) -> None:
    deploy_stack(session, "Watchkeeper-water-flow", {})

    with pytest.raises(StepFailedError, match="Watchkeeper-water-flow has no output StateMachineArn"):
        Deployment(session).state_machine_arn("water_flow")


def test_removes_what_is_tagged_and_nothing_else(session: boto3.Session) -> None:
    client = session.client("sagemaker")
    container = {"Image": "1.dkr.ecr.us-east-1.amazonaws.com/i:1", "ModelDataUrl": "s3://b/m.tar.gz"}
    for name, tags in (("watchkeeper-a", OURS), ("watchkeeper-foreign", [])):
        client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container, Tags=tags)
    variant = {
        "VariantName": "v",
        "ModelName": "watchkeeper-a",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    client.create_endpoint_config(EndpointConfigName="watchkeeper-c", ProductionVariants=[variant], Tags=OURS)
    client.create_endpoint(EndpointName="watchkeeper-e", EndpointConfigName="watchkeeper-c", Tags=OURS)

    removed = list(MadeByWorkflow(client).remove())

    assert removed == [
        "endpoint watchkeeper-e",
        "endpoint configuration watchkeeper-c",
        "model watchkeeper-a",
    ]
    assert [model["ModelName"] for model in client.list_models()["Models"]] == ["watchkeeper-foreign"]


def test_removes_every_package_of_a_group(session: boto3.Session) -> None:
    client = session.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="watchkeeper-g")
    for _ in range(2):
        client.create_model_package(
            ModelPackageGroupName="watchkeeper-g",
            InferenceSpecification={
                "Containers": [{"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    asked: list[str] = []
    client.delete_model_package = lambda ModelPackageName: asked.append(ModelPackageName)  # type: ignore[method-assign]  # moto lacks it

    removed = list(MadeByWorkflow(client).remove_packages("watchkeeper-g"))

    assert len(asked) == len(removed) == 2
    assert all(name.startswith("model package watchkeeper-g/") for name in removed)


def test_stateful_resources_are_listed_and_deleted(session: boto3.Session) -> None:
    deploy_stack(session, "WatchkeeperStorage", {})
    deploy_stack(session, "Unrelated", {})
    retained = retained_of(session)
    bucket = retained.resources[0][1]
    session.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    session.client("s3").put_object(Bucket=bucket, Key="raw/x", Body=b"1")
    session.client("s3").delete_object(Bucket=bucket, Key="raw/x")

    assert retained.names() == [f"bucket {bucket}"]
    assert list(retained.delete(session)) == [f"bucket {bucket}"]
    assert list(retained.delete(session)) == []  # gone already


def test_data_needs_a_second_key(session: boto3.Session) -> None:
    result = CliRunner().invoke(app, ["destroy", "--delete-data"])

    assert result.exit_code == 2
    assert "confirm it with --yes" in result.output
