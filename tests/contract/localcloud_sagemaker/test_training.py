"""Training jobs through a stock boto3."""

import io
import json
import tarfile
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.contract.localcloud_sagemaker.api_requests import ended, training_request, unique
from tests.contract.localcloud_sagemaker.gateway import BUCKET, Gateway, wait_until


def start(sagemaker: Any, **options: Any) -> str:
    name = unique("train")
    sagemaker.create_training_job(**training_request(name, **options))
    return name


def model_of(s3: Any, job: dict[str, Any]) -> dict[str, Any]:
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())) as tar:
        member = tar.extractfile("model.json")
        assert member is not None
        return dict(json.load(member))


def test_trains_and_uploads_model_output_and_logs(gateway: Gateway, sagemaker: Any, s3: Any) -> None:
    request = training_request(unique("train"), alpha="0.5", path='"/opt/ml/input/data/train"')
    request["Environment"] = {"OWN": "yes"}
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, "training", request["TrainingJobName"])
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    statuses = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert (
        job["ModelArtifacts"]["S3ModelArtifacts"]
        == f"s3://{BUCKET}/out/{job['TrainingJobName']}/output/model.tar.gz"
    )
    assert [(item["MetricName"], item["Value"]) for item in job["FinalMetricDataList"]] == [("mean", 2.5)]
    model = model_of(s3, job)
    assert model["rows"] == 3
    assert model["parameters"]["alpha"] == "0.5"
    assert "/opt/ml" not in model["parameters"]["path"]
    assert model["hosts"] == ["localhost"]
    assert model["channels"]["train"]["ContentType"] == "text/csv"
    assert model["environment"] == {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_ENDPOINT_URL": gateway.settings.endpoint_url,
        "OWN": "yes",
    }
    s3.head_object(Bucket=BUCKET, Key=f"out/{job['TrainingJobName']}/output/output.tar.gz")

    def logged() -> bool:
        logs = gateway.client("logs")
        streams = logs.describe_log_streams(
            logGroupName="/aws/sagemaker/TrainingJobs",
            logStreamNamePrefix=f"{job['TrainingJobName']}/algo-1-",
        )["logStreams"]
        events = logs.get_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=streams[0]["logStreamName"]
        )["events"]
        return [event["message"] for event in events] == ["rows=3; mean: 1.5;", "mean: 2.5;"]

    wait_until(logged)


def test_isolated_job_has_no_credentials_and_no_endpoint(sagemaker: Any, s3: Any) -> None:
    request = {**training_request(unique("train")), "EnableNetworkIsolation": True}
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, "training", request["TrainingJobName"])
    assert job["EnableNetworkIsolation"] is True
    assert model_of(s3, job)["environment"] == {
        "AWS_ACCESS_KEY_ID": None,
        "AWS_ENDPOINT_URL": None,
        "OWN": None,
    }


def test_failure_file_becomes_the_failure_reason(sagemaker: Any) -> None:
    job = ended(sagemaker, "training", start(sagemaker, fail="the data has no rows"))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: the data has no rows, exit code: 3"


def test_unknown_image_fails_the_job_by_name(sagemaker: Any) -> None:
    request = training_request(unique("train"))
    request["AlgorithmSpecification"]["TrainingImage"] = (
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/other:1"
    )
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, "training", request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Failed"
    assert "other:1" in job["FailureReason"]


def test_channel_without_objects_fails_the_job(sagemaker: Any) -> None:
    request = training_request(unique("train"))
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/nothing"
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, "training", request["TrainingJobName"])
    assert job["FailureReason"].startswith("ClientError: Data download failed")


def test_exceeded_runtime_stops_the_job_and_keeps_the_model_so_far(sagemaker: Any, s3: Any) -> None:
    job = ended(sagemaker, "training", start(sagemaker, max_runtime=1, sleep="60"))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    s3.head_object(Bucket=BUCKET, Key=f"out/{job['TrainingJobName']}/output/model.tar.gz")


def test_stopped_job_leaves_no_process_not_even_a_detached_one(gateway: Gateway, sagemaker: Any) -> None:
    name = start(sagemaker, sleep="60", grandchild_seconds="60")
    wait_until(lambda: len(processes_of(gateway, name)) >= 3)  # guard, program and its own child
    running = processes_of(gateway, name)
    sagemaker.stop_training_job(TrainingJobName=name)
    assert ended(sagemaker, "training", name)["TrainingJobStatus"] == "Stopped"
    _, alive = psutil.wait_procs(running, timeout=10)
    assert alive == []


def test_ended_job_cannot_be_stopped(sagemaker: Any) -> None:
    name = start(sagemaker)
    ended(sagemaker, "training", name)
    with pytest.raises(ClientError) as raised:
        sagemaker.stop_training_job(TrainingJobName=name)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_second_job_of_a_name_is_resource_in_use(sagemaker: Any) -> None:
    name = start(sagemaker)
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_training_job(**training_request(name))


def processes_of(gateway: Gateway, name: str) -> list[psutil.Process]:
    return [process for process in gateway.processes() if process.info["cwd"].endswith(f"/{name}")]
