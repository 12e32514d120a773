"""Processing jobs through a stock boto3."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localcloud_sagemaker.api_requests import ended, processing_request, unique
from tests.contract.localcloud_sagemaker.gateway import BUCKET


def test_processes_inputs_and_uploads_outputs_at_the_end(sagemaker: Any, s3: Any) -> None:
    name = unique("process")
    sagemaker.create_processing_job(**processing_request(name, OWN="/opt/ml/processing/in"))
    job = ended(sagemaker, "processing", name)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["ProcessingEndTime"] >= job["ProcessingStartTime"]
    report = json.load(s3.get_object(Bucket=BUCKET, Key=f"processed/{name}/sub/report.json")["Body"])
    assert report["names"] == ["a.csv", "b.csv"]
    assert report["config"] is True
    assert report["own"].endswith("/processing/in")
    assert not report["own"].startswith("/opt/ml")


def test_message_of_a_failed_program_is_the_exit_message(sagemaker: Any, s3: Any) -> None:
    name = unique("process")
    sagemaker.create_processing_job(**processing_request(name, "--fail", "no usable rows"))
    job = ended(sagemaker, "processing", name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == "no usable rows"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information, exit code: 5"
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"processed/{name}/")


def test_stopped_job_uploads_nothing(sagemaker: Any, s3: Any) -> None:
    name = unique("process")
    sagemaker.create_processing_job(**processing_request(name, "--sleep", "60"))
    sagemaker.stop_processing_job(ProcessingJobName=name)
    assert ended(sagemaker, "processing", name)["ProcessingJobStatus"] == "Stopped"
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"processed/{name}/")


def test_exceeded_runtime_stops_the_job(sagemaker: Any) -> None:
    name = unique("process")
    request = processing_request(name, "--sleep", "60")
    sagemaker.create_processing_job(**request, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = ended(sagemaker, "processing", name)
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds" in job["FailureReason"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda request: request["ProcessingResources"]["ClusterConfig"].update(InstanceCount=2),
            "2 instances",
        ),
        (
            lambda request: request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"].update(
                S3UploadMode="Continuous"
            ),
            "Continuous",
        ),
        (lambda request: request["AppSpecification"].pop("ContainerEntrypoint"), "ContainerEntrypoint"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(sagemaker: Any, change: Any, named: str) -> None:
    request = processing_request(unique("process"))
    change(request)
    with pytest.raises(ClientError, match=named) as raised:
        sagemaker.create_processing_job(**request)
    assert raised.value.response["Error"]["Code"] == "UnsupportedOperation"
