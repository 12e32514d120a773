"""Endpoints and their invocation through a stock boto3."""

import base64
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localcloud_sagemaker.api_requests import (
    container,
    create_config,
    create_endpoint,
    create_model,
    settled,
    unique,
    variant,
)
from tests.contract.localcloud_sagemaker.gateway import BUCKET, Gateway, wait_until


@pytest.fixture(scope="module")
def pipeline(sagemaker: Any) -> str:
    """An endpoint of two containers with data capture."""
    model = create_model(sagemaker, container(ADD="1", NAME="a"), container(ADD="10", NAME="b"))
    config = create_config(
        sagemaker,
        variant(model),
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/captures",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    return create_endpoint(sagemaker, config)


def test_answer_of_one_container_is_the_request_of_the_next(runtime: Any, pipeline: str) -> None:
    answer = runtime.invoke_endpoint(EndpointName=pipeline, ContentType="text/csv", Body=b"1\n2")
    assert answer["Body"].read() == b"12.0\n13.0"
    assert answer["ContentType"] == "text/csv"
    assert answer["InvokedProductionVariant"] == "v1"


def test_only_the_last_container_sees_the_callers_accept(runtime: Any, pipeline: str) -> None:
    answer = runtime.invoke_endpoint(
        EndpointName=pipeline, ContentType="text/trace", Accept="application/json", Body=b"0"
    )
    assert answer["Body"].read() == b"0>a[*/*]>b[application/json]"


def test_error_of_a_container_is_a_model_error(runtime: Any, pipeline: str) -> None:
    with pytest.raises(runtime.exceptions.ModelError) as raised:
        runtime.invoke_endpoint(EndpointName=pipeline, ContentType="text/csv", Body=b"one")
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 400
    assert response["OriginalMessage"].startswith("bad record")
    assert response["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{pipeline}")
    assert "from container-1 with message" in response["Error"]["Message"]


def test_unknown_endpoint_and_variant_are_validation_errors(runtime: Any, pipeline: str) -> None:
    with pytest.raises(
        runtime.exceptions.ValidationError, match="Endpoint nope of account 123456789012 not found"
    ):
        runtime.invoke_endpoint(EndpointName="nope", Body=b"1")
    with pytest.raises(runtime.exceptions.ValidationError, match="Variant nope"):
        runtime.invoke_endpoint(EndpointName=pipeline, TargetVariant="nope", Body=b"1")


def test_body_over_the_limit_is_a_validation_error(runtime: Any, pipeline: str) -> None:
    with pytest.raises(runtime.exceptions.ValidationError, match="6291456"):
        runtime.invoke_endpoint(EndpointName=pipeline, ContentType="text/csv", Body=b"1" * 6_291_457)


def test_sampled_requests_are_captured_as_json_lines(runtime: Any, s3: Any, pipeline: str) -> None:
    runtime.invoke_endpoint(EndpointName=pipeline, ContentType="text/csv", Body=b"41", InferenceId="id-41")

    def captured() -> Any:
        now = datetime.now(timezone.utc)
        for hour in (now, now - timedelta(hours=1)):
            prefix = f"captures/{pipeline}/v1/{hour:%Y/%m/%d/%H}/"
            for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", []):
                assert item["Key"].endswith(".jsonl")
                body = s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
                for line in body.splitlines():
                    record = json.loads(line)
                    if record["eventMetadata"].get("inferenceId") == "id-41":
                        return record
        return None

    record = wait_until(captured)
    assert record["eventVersion"] == "0"
    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": "41",
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "text/csv",
            "mode": "OUTPUT",
            "data": "52.0",
            "encoding": "CSV",
        },
    }


def test_content_type_without_a_header_rule_is_captured_in_base64(
    runtime: Any, s3: Any, pipeline: str
) -> None:
    runtime.invoke_endpoint(
        EndpointName=pipeline, ContentType="text/trace", Body=b"0", InferenceId="id-trace"
    )

    def captured() -> Any:
        for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captures/{pipeline}/").get("Contents", []):
            for line in s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().splitlines():
                record = json.loads(line)
                if record["eventMetadata"].get("inferenceId") == "id-trace":
                    return record["captureData"]["endpointInput"]
        return None

    assert wait_until(captured) == {
        "observedContentType": "text/trace",
        "mode": "INPUT",
        "data": base64.b64encode(b"0").decode(),
        "encoding": "BASE64",
    }


def test_invocations_and_their_errors_are_counted_in_cloudwatch(
    gateway: Gateway, runtime: Any, sagemaker: Any
) -> None:
    endpoint = create_endpoint(
        sagemaker, create_config(sagemaker, variant(create_model(sagemaker, container())))
    )
    for body in (b"1", b"2"):
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    with pytest.raises(runtime.exceptions.ModelError):
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"one")

    def total(metric: str) -> float:
        now = datetime.now(timezone.utc)
        points = gateway.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "v1"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    wait_until(lambda: total("Invocations") == 3)
    assert total("Invocation4XXErrors") == 1
    assert total("Invocation5XXErrors") == 0
    assert total("ModelLatency") > 100  # microseconds of three requests


def test_weights_share_the_traffic_and_a_target_variant_overrides_them(sagemaker: Any, runtime: Any) -> None:
    first, second = (create_model(sagemaker, container(ADD=add)) for add in ("1", "2"))
    config = create_config(
        sagemaker,
        variant(first, "first", InitialVariantWeight=0.0),
        variant(second, "second", InitialVariantWeight=1.0),
    )
    endpoint = create_endpoint(sagemaker, config)

    def invoke(**options: str) -> tuple[bytes, str]:
        answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"0", **options)
        return answer["Body"].read(), answer["InvokedProductionVariant"]

    assert {invoke() for _ in range(20)} == {(b"2.0", "second")}
    assert invoke(TargetVariant="first") == (b"1.0", "first")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[
            {"VariantName": "first", "DesiredWeight": 1.0},
            {"VariantName": "second", "DesiredWeight": 0.0},
        ],
    )
    assert {invoke() for _ in range(20)} == {(b"1.0", "first")}
    weights = {
        item["VariantName"]: item["CurrentWeight"]
        for item in settled(sagemaker, endpoint)["ProductionVariants"]
    }
    assert weights == {"first": 1.0, "second": 0.0}


def test_model_archive_code_and_environment_reach_the_container(sagemaker: Any, runtime: Any) -> None:
    model = create_model(
        sagemaker,
        container(SAGEMAKER_SUBMIT_DIRECTORY=f"s3://{BUCKET}/sourcedir.tar.gz", SAGEMAKER_PROGRAM="own.py"),
        EnableNetworkIsolation=True,
    )
    endpoint = create_endpoint(sagemaker, create_config(sagemaker, variant(model)))
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="x/y", Body=b"files")
    assert answer["ContentType"] == "application/json"
    files = json.load(answer["Body"])
    assert {"model/weights.txt", "model/code/inference.py", "model/code/own.py"} <= set(files)
    environment = json.load(
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="x/y", Body=b"environment")["Body"]
    )
    assert environment["SAGEMAKER_SUBMIT_DIRECTORY"].endswith("/model/code")
    assert environment["SAGEMAKER_PROGRAM"] == "own.py"
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "AWS_ENDPOINT_URL" not in environment


def test_serverless_variant_is_described_and_served(sagemaker: Any, runtime: Any) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    config = create_config(
        sagemaker,
        {
            "VariantName": "v1",
            "ModelName": create_model(sagemaker, container()),
            "ServerlessConfig": serverless,
        },
    )
    endpoint = create_endpoint(sagemaker, config)
    described = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
    assert described["CurrentServerlessConfig"] == serverless
    assert (
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"4")["Body"].read()
        == b"4.0"
    )


def test_unhealthy_container_fails_the_endpoint_with_its_name(
    gateway: Gateway, sagemaker: Any, runtime: Any
) -> None:
    name = unique("endpoint")
    model = create_model(sagemaker, container(CRASH="1"))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=create_config(sagemaker, variant(model)))
    endpoint = settled(sagemaker, name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert endpoint["FailureReason"].startswith(
        "The primary container for production variant v1 did not pass the ping health check."
    )
    with pytest.raises(runtime.exceptions.ValidationError):
        runtime.invoke_endpoint(EndpointName=name, Body=b"1")
    sagemaker.delete_endpoint(EndpointName=name)


def test_container_that_ends_by_itself_is_started_again(
    gateway: Gateway, sagemaker: Any, runtime: Any
) -> None:
    model = create_model(sagemaker, container(ADD="3"))
    endpoint = create_endpoint(sagemaker, create_config(sagemaker, variant(model)))
    for process in processes_of(gateway, endpoint):
        process.kill()

    def answered() -> bool:
        try:
            answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"0")
        except runtime.exceptions.ModelError:
            return False
        return bool(answer["Body"].read() == b"3.0")

    wait_until(answered)


def test_deleted_endpoint_leaves_no_process_and_no_answer(
    gateway: Gateway, sagemaker: Any, runtime: Any
) -> None:
    endpoint = create_endpoint(
        sagemaker, create_config(sagemaker, variant(create_model(sagemaker, container())))
    )
    assert processes_of(gateway, endpoint)
    sagemaker.delete_endpoint(EndpointName=endpoint)
    wait_until(lambda: not processes_of(gateway, endpoint))
    with pytest.raises(ClientError, match="not found"):
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"1")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName=endpoint)


def processes_of(gateway: Gateway, endpoint: str) -> list[Any]:
    return [process for process in gateway.processes() if f"/endpoint/{endpoint}-" in process.info["cwd"]]
