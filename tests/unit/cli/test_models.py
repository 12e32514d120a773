"""The registry on the command line: what the service trained, and which of it may serve."""

from __future__ import annotations

import json
import re

import boto3
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.models import service_models
from watchkeeper.service.job_names import PACKAGE_GROUP
from watchkeeper.service.request_item import item_key

WIDE = {"COLUMNS": "160"}


@pytest.fixture
def registry(session: boto3.Session) -> boto3.Session:
    """Two models of the service; the second one was trained with labels."""
    client = session.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName=PACKAGE_GROUP)
    for request, algorithm in (("r-1", "HBOS"), ("r-2", "DBSCAN")):
        client.create_model_package(
            ModelPackageGroupName=PACKAGE_GROUP,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties={"tenant": "acme", "request": request, "algorithm": algorithm},
        )
    template = {
        "Resources": {
            "Requests": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": "requests",
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "AttributeDefinitions": [
                        {"AttributeName": "pk", "AttributeType": "S"},
                        {"AttributeName": "sk", "AttributeType": "S"},
                    ],
                    "BillingMode": "PAY_PER_REQUEST",
                },
            }
        },
        "Outputs": {"RequestsTableName": {"Value": {"Ref": "Requests"}}},
    }
    session.client("cloudformation").create_stack(
        StackName="WatchkeeperStorage", TemplateBody=json.dumps(template)
    )
    key = {name: {"S": value} for name, value in item_key("acme", "r-2").items()}
    session.client("dynamodb").put_item(
        TableName="requests", Item={**key, "metrics": {"S": json.dumps({"held_out": {"f1": 0.875}})}}
    )
    return session


@pytest.mark.usefixtures("registry")
def test_models_are_listed_with_their_quality_and_whether_they_may_serve() -> None:
    shown = CliRunner().invoke(app, ["models"], env=WIDE)

    assert shown.exit_code == 0
    rows = {line.split()[1]: line for line in shown.stdout.splitlines() if "acme" in line}
    assert re.search(r"pending +│ HBOS +│ +│ acme", rows["1"])
    assert re.search(r"pending +│ DBSCAN +│ 0.875 +│ acme", rows["2"])


def test_an_approved_model_may_serve(registry: boto3.Session) -> None:
    done = CliRunner().invoke(app, ["approve", "2"], env=WIDE)

    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            "✓ version 2, DBSCAN of acme, may serve",
            "in a workload: detector: {algorithm: registered, version: 2}",
        ],
    )
    assert {model.version: model.approval for model in service_models(registry)} == {
        1: "pending",
        2: "approved",
    }


@pytest.mark.usefixtures("registry")
def test_a_version_that_is_not_there_is_wrong_input() -> None:
    refused = CliRunner().invoke(app, ["approve", "3"], env=WIDE)

    assert refused.exit_code == 2
    assert "version 3: the anomaly service has no such model" in refused.stderr


@pytest.mark.usefixtures("session")
def test_without_the_stacks_the_remedy_is_told() -> None:
    refused = CliRunner().invoke(app, ["models"], env=WIDE)

    assert refused.exit_code == 1
    assert "run `watchkeeper deploy`" in refused.stderr
