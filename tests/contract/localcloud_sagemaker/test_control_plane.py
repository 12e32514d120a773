"""The control plane: validation, duplicates, lists, tags, the model registry, and refusals by name."""

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.contract.localcloud_sagemaker.api_requests import (
    container,
    create_config,
    create_model,
    ended,
    training_request,
    unique,
    variant,
)
from tests.contract.localcloud_sagemaker.gateway import BUCKET, IMAGE, ROLE, Gateway

ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"


def error(raised: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"TrainingJobName": "not_a_name"},
            "1 validation error detected: Value 'not_a_name' at 'trainingJobName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"RoleArn": None},
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "1 validation error detected: Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to "
            "satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            {"AlgorithmSpecification": {"TrainingInputMode": "Disk", "TrainingImage": IMAGE}},
            "enum value set: [Pipe, File",
        ),
    ],
)
def test_invalid_request_is_refused_in_the_words_of_aws(
    gateway: Gateway, change: dict[str, Any], message: str
) -> None:
    client = boto3.client(
        "sagemaker",
        endpoint_url=gateway.settings.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    request = {**training_request("ok"), **change}
    with pytest.raises(ClientError) as raised:
        client.create_training_job(**{name: value for name, value in request.items() if value is not None})
    code, text = error(raised)
    assert code == "ValidationException"
    assert message in text


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        ("describe_training_job", {"TrainingJobName": "nope"}, "Requested resource not found."),
        (
            "describe_processing_job",
            {"ProcessingJobName": "nope"},
            "Could not find requested job with name: nope",
        ),
        (
            "describe_transform_job",
            {"TransformJobName": "nope"},
            "Could not find requested job with name: nope",
        ),
        ("describe_model", {"ModelName": "nope"}, f'Could not find model "{ACCOUNT}:model/nope".'),
        ("delete_model", {"ModelName": "nope"}, f'Could not find model "{ACCOUNT}:model/nope".'),
        (
            "describe_endpoint_config",
            {"EndpointConfigName": "nope"},
            f'Could not find endpoint configuration "{ACCOUNT}:endpoint-config/nope".',
        ),
        (
            "describe_endpoint",
            {"EndpointName": "nope"},
            f'Could not find endpoint "{ACCOUNT}:endpoint/nope".',
        ),
        (
            "describe_model_package_group",
            {"ModelPackageGroupName": "nope"},
            f"ModelPackageGroup {ACCOUNT}:model-package-group/nope does not exist.",
        ),
    ],
)
def test_missing_resource_is_refused_in_the_words_of_aws(
    sagemaker: Any, operation: str, request_: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError) as raised:
        getattr(sagemaker, operation)(**request_)
    assert error(raised) == ("ValidationException", message)


def test_second_model_and_configuration_of_a_name_are_refused(sagemaker: Any) -> None:
    model = create_model(sagemaker, container())
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer=container())
    config = create_config(sagemaker, variant(model))
    with pytest.raises(ClientError, match="Cannot create already existing endpoint configuration"):
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant(model)])
    with pytest.raises(ClientError, match="Could not find model"):
        create_config(sagemaker, variant("nope"))


def test_described_model_keeps_every_member_of_the_request(sagemaker: Any) -> None:
    containers = [container(A="1"), {**container(B="2"), "ContainerHostname": "second"}]
    name = create_model(sagemaker, *containers, EnableNetworkIsolation=True)
    model = sagemaker.describe_model(ModelName=name)
    assert model["Containers"] == containers
    assert model["EnableNetworkIsolation"] is True
    assert model["ExecutionRoleArn"] == ROLE
    assert model["ModelArn"] == f"{ACCOUNT}:model/{name}"


def test_lists_filter_sort_and_page(sagemaker: Any) -> None:
    word = unique("listed")
    names = [f"{word}-{letter}" for letter in "bac"]
    for name in names:
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container())
        time.sleep(0.01)
    pages = list(
        sagemaker.get_paginator("list_models").paginate(
            NameContains=word.upper(), SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
        )
    )
    assert [[item["ModelName"] for item in page["Models"]] for page in pages] == [
        [f"{word}-a", f"{word}-b"],
        [f"{word}-c"],
    ]
    newest = sagemaker.list_models(NameContains=word)["Models"]
    assert [item["ModelName"] for item in newest] == names[::-1]
    first = sagemaker.describe_model(ModelName=names[0])["CreationTime"]
    later = sagemaker.list_models(NameContains=word, CreationTimeAfter=first)["Models"]
    assert {item["ModelName"] for item in later} == set(names[1:])


def test_jobs_are_listed_by_status(sagemaker: Any) -> None:
    name = unique("listed-job")
    sagemaker.create_training_job(**training_request(name, fail="x"))
    ended(sagemaker, "training", name)
    listed = sagemaker.list_training_jobs(NameContains=name, StatusEquals="Failed")["TrainingJobSummaries"]
    assert [item["TrainingJobName"] for item in listed] == [name]
    assert listed[0]["TrainingJobStatus"] == "Failed"
    assert not sagemaker.list_training_jobs(NameContains=name, StatusEquals="Completed")[
        "TrainingJobSummaries"
    ]


def test_tags_are_added_listed_and_deleted(sagemaker: Any) -> None:
    name = unique("tagged")
    arn = sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container(), Tags=[{"Key": "a", "Value": "1"}]
    )["ModelArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "a", "Value": "2"},
        {"Key": "b", "Value": "3"},
    ]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "3"}]


def test_model_packages_are_versions_of_a_group(sagemaker: Any) -> None:
    group = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=[{"Key": "k", "Value": "v"}])
    metrics = {
        "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/m.json"}}
    }
    request = {
        "ModelPackageGroupName": group,
        "ModelMetrics": metrics,
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        "CustomerMetadataProperties": {"run": "1", "old": "x"},
    }
    first = sagemaker.create_model_package(**request)["ModelPackageArn"]
    second = sagemaker.create_model_package(**request)["ModelPackageArn"]
    assert (first, second) == (f"{ACCOUNT}:model-package/{group}/1", f"{ACCOUNT}:model-package/{group}/2")
    sagemaker.update_model_package(
        ModelPackageArn=first,
        ModelApprovalStatus="Rejected",
        CustomerMetadataProperties={"run": "2"},
        CustomerMetadataPropertiesToRemove=["old"],
    )
    package = sagemaker.describe_model_package(ModelPackageName=first)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert package["ModelMetrics"] == metrics
    assert package["CustomerMetadataProperties"] == {"run": "2"}
    assert package["ModelPackageStatus"] == "Completed"
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [item["ModelPackageArn"] for item in approved["ModelPackageSummaryList"]] == [second]
    with pytest.raises(ClientError, match="still contains Model Packages"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=second)
    third = sagemaker.create_model_package(**request)["ModelPackageArn"]
    assert third.endswith(f"{group}/3")
    for arn in (first, third):
        sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda client: client.list_hyper_parameter_tuning_jobs(), "ListHyperParameterTuningJobs"),
        (lambda client: client.list_auto_ml_jobs(), "ListAutoMLJobs"),
        (
            lambda client: client.create_endpoint_config(
                EndpointConfigName="asynchronous",
                ProductionVariants=[variant("any")],
                AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://bucket/out"}},
            ),
            "asynchronous inference",
        ),
        (
            lambda client: client.create_training_job(
                **{
                    **training_request("two"),
                    "ResourceConfig": {
                        "InstanceCount": 2,
                        "InstanceType": "ml.m5.large",
                        "VolumeSizeInGB": 1,
                    },
                }
            ),
            "2 instances",
        ),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(sagemaker: Any, call: Any, named: str) -> None:
    with pytest.raises(ClientError, match=named) as raised:
        call(sagemaker)
    assert error(raised)[0] == "UnsupportedOperation"
