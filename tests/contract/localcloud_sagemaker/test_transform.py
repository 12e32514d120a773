"""Transform jobs through a stock boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localcloud_sagemaker.api_requests import container, create_model, ended, unique
from tests.contract.localcloud_sagemaker.gateway import BUCKET, wait_until


def request_of(name: str, model: str, source: str, **options: Any) -> dict[str, Any]:
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{source}"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/transformed/{name}",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **options,
    }


def transform(sagemaker: Any, model: str, source: str, **options: Any) -> dict[str, Any]:
    name = unique("transform")
    sagemaker.create_transform_job(**request_of(name, model, source, **options))
    return ended(sagemaker, "transform", name)


def output(s3: Any, job: dict[str, Any], name: str) -> bytes:
    key = f"transformed/{job['TransformJobName']}/{name}.out"
    return bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def test_pipeline_transforms_every_object_under_its_own_key(sagemaker: Any, s3: Any) -> None:
    model = create_model(sagemaker, container(ADD="1"), container(ADD="10"))
    job = transform(sagemaker, model, "train", BatchStrategy="MultiRecord")
    assert job["TransformJobStatus"] == "Completed", job
    assert output(s3, job, "a.csv") == b"12.0\n13.0\n"
    assert output(s3, job, "more/b.csv") == b"14.0\n"


def test_single_record_sends_one_line_a_request(sagemaker: Any, s3: Any) -> None:
    model = create_model(sagemaker, container(NAME="x"))
    job = transform(
        sagemaker,
        model,
        "train/a.csv",
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/a.csv"}},
            "ContentType": "text/trace",
            "SplitType": "Line",
        },
    )
    assert output(s3, job, "a.csv") == b"1>x[text/csv]\n2>x[text/csv]\n"


def test_bad_record_fails_the_job_with_the_containers_message(sagemaker: Any, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="bad/1.csv", Body=b"1\n")
    s3.put_object(Bucket=BUCKET, Key="bad/2.csv", Body=b"one\n")
    job = transform(sagemaker, create_model(sagemaker, container()), "bad/")
    assert job["TransformJobStatus"] == "Failed"
    assert "bad/2.csv" in job["FailureReason"]
    assert "400" in job["FailureReason"]
    assert "bad record" in job["FailureReason"]
    assert output(s3, job, "1.csv") == b"1.0\n"


def test_container_that_cannot_load_fails_the_job(sagemaker: Any) -> None:
    job = transform(sagemaker, create_model(sagemaker, container(CRASH="1")), "train")
    assert "did not pass the ping health check" in job["FailureReason"]


def test_stopped_job_ends_in_the_middle_of_a_request(sagemaker: Any, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="slow/1.csv", Body=b"sleep 60")
    request = request_of(unique("transform"), create_model(sagemaker, container()), "slow/")
    sagemaker.create_transform_job(**request)
    name = request["TransformJobName"]
    wait_until(lambda: "TransformStartTime" in sagemaker.describe_transform_job(TransformJobName=name))
    sagemaker.stop_transform_job(TransformJobName=name)
    assert ended(sagemaker, "transform", name)["TransformJobStatus"] == "Stopped"


def test_missing_model_is_refused(sagemaker: Any) -> None:
    with pytest.raises(
        ClientError, match='Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/nope"'
    ):
        transform(sagemaker, "nope", "train")


def test_joined_output_is_refused_by_name(sagemaker: Any) -> None:
    model = create_model(sagemaker, container())
    with pytest.raises(ClientError, match="JoinSource"):
        transform(sagemaker, model, "train", DataProcessing={"JoinSource": "Input"})
