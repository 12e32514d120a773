"""Finding what is deployed, and removing what the workflow made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.destroy import MadeByWorkflow
from cli.failures import StepFailedError
from cli.main import app
from cli.removal import BusyError, Patience, Removal
from cli.retained import adoptable, retained_of
from cli.stack_removal import Stacks
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
        Removal("endpoint watchkeeper-e"),
        Removal("endpoint configuration watchkeeper-c"),
        Removal("model watchkeeper-a"),
    ]
    assert [model["ModelName"] for model in client.list_models()["Models"]] == ["watchkeeper-foreign"]


def test_one_workload_is_ended_and_the_others_stay(session: boto3.Session) -> None:
    client = session.client("sagemaker")
    container = {"Image": "1.dkr.ecr.us-east-1.amazonaws.com/i:1", "ModelDataUrl": "s3://b/m.tar.gz"}
    for name, workload in (("watchkeeper-water-flow", "water_flow"), ("watchkeeper-water-flow-2", "other")):
        tags = [{"Key": "watchkeeper:workload", "Value": workload}]
        client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container, Tags=tags)
        session.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
    for stack in ("WatchkeeperStorage", "Watchkeeper-water-flow", "Watchkeeper-other"):
        deploy_stack(session, stack, {})

    done = CliRunner().invoke(app, ["destroy", "--workload", "water_flow", "--yes"])

    assert done.exit_code == 0, done.output
    assert {each["ModelName"] for each in client.list_models()["Models"]} == {"watchkeeper-water-flow-2"}
    assert set(Stacks(session).names()) == {"WatchkeeperStorage", "Watchkeeper-other"}
    [group] = session.client("logs").describe_log_groups()["logGroups"]
    assert group["logGroupName"].endswith("water-flow-2")
    assert "kept: what water_flow has measured" in " ".join(done.output.split())


def test_a_workload_that_is_not_deployed_is_named_beside_those_that_are(session: boto3.Session) -> None:
    deploy_stack(session, "Watchkeeper-other", {})

    done = CliRunner().invoke(app, ["destroy", "--workload", "water_flow", "--yes"])

    assert done.exit_code == 2
    assert "deployed are: other" in " ".join(done.output.split())


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
    assert all(each.what.startswith("model package watchkeeper-g/") for each in removed)


def test_stateful_resources_are_listed_and_deleted(session: boto3.Session) -> None:
    deploy_stack(session, "WatchkeeperStorage", {})
    deploy_stack(session, "Unrelated", {})
    retained = retained_of(session)
    bucket = retained.resources[0][1]
    session.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    session.client("s3").put_object(Bucket=bucket, Key="raw/x", Body=b"1")
    session.client("s3").delete_object(Bucket=bucket, Key="raw/x")

    assert retained.names() == [f"bucket {bucket}"]
    assert list(retained.delete(session)) == [Removal(f"bucket {bucket}")]
    assert list(retained.delete(session)) == []  # gone already


def test_kept_resources_that_are_still_there_may_be_adopted(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.client("s3").create_bucket(Bucket="data-1")
    client = session.client("cloudformation")

    def resource(logical_id: str, kind: str, name: str, status: str = "DELETE_SKIPPED") -> dict[str, str]:
        return {
            "LogicalResourceId": logical_id,
            "ResourceType": kind,
            "PhysicalResourceId": name,
            "ResourceStatus": status,
        }

    listed = {
        "list_stacks": [
            {"StackName": "WatchkeeperStorage", "StackId": "older", "DeletionTime": 1, "CreationTime": 0},
            {"StackName": "WatchkeeperStorage", "StackId": "last", "DeletionTime": 2, "CreationTime": 0},
            {"StackName": "WatchkeeperScoring", "StackId": "other", "DeletionTime": 3, "CreationTime": 0},
        ],
        "last": [
            resource("Data", "AWS::S3::Bucket", "data-1"),
            resource("Log", "AWS::S3::Bucket", "gone"),
            resource("Series", "AWS::DynamoDB::Table", "gone"),
            resource("Topic", "AWS::SNS::Topic", "t", "DELETE_COMPLETE"),
        ],
    }

    class Pages:
        def __init__(self, operation: str) -> None:
            self.operation = operation

        def paginate(self, StackName: str = "", **_: Any) -> list[dict[str, Any]]:
            if self.operation == "list_stacks":
                return [{"StackSummaries": listed["list_stacks"]}]
            return [{"StackResourceSummaries": listed[StackName]}]

    client.get_paginator = Pages  # type: ignore[method-assign,assignment]
    others = session.client
    monkeypatch.setattr(session, "client", lambda name: client if name == "cloudformation" else others(name))

    assert adoptable(session, "WatchkeeperStorage") == {"Data": {"BucketName": "data-1"}}


def test_data_needs_a_second_key(session: boto3.Session) -> None:
    result = CliRunner().invoke(app, ["destroy", "--delete-data"])

    assert result.exit_code == 2
    assert "confirm it with --yes" in result.output


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not now"}}, "Delete")


def after(*errors: Exception) -> Callable[[], None]:
    """Return an action that fails so, call by call, and then no more."""
    coming = list(errors)

    def act() -> None:
        if coming:
            raise coming.pop(0)

    return act


def test_what_is_busy_is_waited_for() -> None:
    naps: list[float] = []
    patience = Patience(seconds=60, poll_seconds=5, sleep=naps.append)

    busy = after(BusyError("it is Updating"), refusal("BucketNotEmpty"), refusal("ResourceInUse"))

    assert patience.remove("endpoint e", busy) == Removal("endpoint e")
    assert naps == [5, 5, 5]


def test_what_stays_busy_or_is_refused_is_left_with_the_reason() -> None:
    patience = Patience(seconds=10, poll_seconds=5, sleep=lambda _: None)

    assert patience.remove("endpoint e", after(*[BusyError("it is Creating")] * 9)) == Removal(
        "endpoint e", "it is Creating"
    )
    (refused,) = [patience.remove("model m", after(refusal("AccessDeniedException")))]
    assert refused is not None
    assert "AccessDeniedException" in (refused.reason or "")


def test_what_is_not_there_is_not_told() -> None:
    assert Patience(sleep=lambda _: None).remove("bucket b", after(refusal("NoSuchBucket"))) is None


def test_an_endpoint_at_work_is_deleted_when_it_has_settled(session: boto3.Session) -> None:
    client = session.client("sagemaker")
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="watchkeeper-e", EndpointConfigName="c", Tags=OURS)
    states = iter(["Updating", "RollingBack", "InService"])
    client.describe_endpoint = lambda EndpointName: {"EndpointStatus": next(states)}  # type: ignore[method-assign,return-value,assignment]
    naps: list[float] = []

    removed = list(MadeByWorkflow(client, Patience(60, 5, naps.append)).remove())

    assert Removal("endpoint watchkeeper-e") in removed
    assert len(naps) == 2
    assert client.list_endpoints()["Endpoints"] == []


class KnownImports(Stacks):
    """The stacks of moto, which does not list imports."""

    def importers_of(self, export: str) -> set[str]:
        assert export == "of-storage"
        return {"WatchkeeperScoring"} & self.names().keys()


def test_stacks_go_after_those_that_import_their_outputs(session: boto3.Session) -> None:
    client = session.client("cloudformation")

    def create(name: str, resource: dict[str, Any], outputs: dict[str, Any]) -> None:
        body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", **resource}}, "Outputs": outputs}
        client.create_stack(StackName=name, TemplateBody=json.dumps(body))

    told = {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}, "Export": {"Name": "of-storage"}}}
    create("WatchkeeperStorage", {}, told)
    create("WatchkeeperScoring", {"Properties": {"DisplayName": {"Fn::ImportValue": "of-storage"}}}, {})
    create("Watchkeeper-water-flow", {}, {})
    create("Unrelated", {}, {})

    removed = [each.what for each in KnownImports(session, Patience(sleep=lambda _: None)).remove()]

    assert removed == ["stack Watchkeeper-water-flow", "stack WatchkeeperScoring", "stack WatchkeeperStorage"]
    assert [stack["StackName"] for stack in client.describe_stacks()["Stacks"]] == ["Unrelated"]
