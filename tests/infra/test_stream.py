"""The scoring loop of a workload in Spark: its job, its queue, what keeps it running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks

from infra.constructs.spark_stream import SparkStream, StreamPlaces, depth_of
from pipeline.packaging import SPARK_PACKAGE, SPARK_SCRIPT
from watchkeeper.core import layout
from watchkeeper.spec.scale import SparkScale

WORKLOAD = "grid_load"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The stream's resources by logical id; synthesis fails on what cdk-nag finds."""
    folder = tmp_path_factory.mktemp("stream")
    wheel = folder / f"{SPARK_PACKAGE}-1-py3-none-any.whl"
    wheel.touch()
    app = cdk.App(outdir=str(folder / "cdk.out"))
    stack = cdk.Stack(app, "Stream", env=cdk.Environment(account="123456789012", region="eu-west-1"))
    SparkStream(
        stack,
        "Stream",
        workload=WORKLOAD,
        scale=SparkScale(engine="spark", series=1_000_000, workers=4),
        wheel=wheel,
        script=SPARK_SCRIPT,
        places=StreamPlaces(
            bucket=s3.Bucket.from_bucket_name(stack, "Data", "data"),
            key=kms.Key(stack, "Key", enable_key_rotation=True),
            pages=s3.Bucket.from_bucket_name(stack, "Pages", "pages"),
            series_table="series",
            anomalies_table="anomalies",
            alert_bus="alerts",
            undelivered_arn="arn:aws:sqs:eu-west-1:123456789012:undelivered",
        ),
        topic=sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:eu-west-1:123456789012:topic"),
    )
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    template = Path(app.synth().directory) / "Stream.template.json"
    found: dict[str, dict[str, Any]] = json.loads(template.read_text())["Resources"]
    return found


def of_type(resources: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == kind]


def test_job_streams_in_spark_with_its_code_as_a_wheel(resources: dict[str, dict[str, Any]]) -> None:
    (job,) = of_type(resources, "AWS::Glue::Job")
    assert job["Command"]["Name"] == "gluestreaming"
    assert (job["GlueVersion"], job["WorkerType"], job["NumberOfWorkers"]) == ("5.1", "G.1X", 4)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert "Timeout" not in job  # Glue restarts it in the maintenance window
    arguments = job["DefaultArguments"]
    assert arguments["--additional-python-modules"].endswith(f"/{SPARK_PACKAGE}-1-py3-none-any.whl")
    assert arguments["--depth"] == "11"
    assert job["SecurityConfiguration"] == layout.stream_job_name(WORKLOAD)


def test_telemetry_goes_to_a_queue_of_the_jobs_own(resources: dict[str, dict[str, Any]]) -> None:
    (rule,) = of_type(resources, "AWS::Events::Rule")
    (target,) = rule["Targets"]
    assert resources[target["Arn"]["Fn::GetAtt"][0]]["Type"] == "AWS::SQS::Queue"
    assert "SqsParameters" not in target
    (name,) = [name for name, each in resources.items() if each["Type"] == "AWS::Events::Rule"]
    policies = of_type(resources, "AWS::SQS::QueuePolicy")
    assert any(name in json.dumps(policy) for policy in policies)


def test_job_is_started_again_whenever_it_has_ended(resources: dict[str, dict[str, Any]]) -> None:
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule")
    target = schedule["Target"]
    assert "aws-sdk:glue:startJobRun" in json.dumps(target["Arn"])
    assert json.loads(target["Input"]) == {"JobName": layout.stream_job_name(WORKLOAD)}
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0}


def test_role_names_what_it_uses(resources: dict[str, dict[str, Any]]) -> None:
    statements = [
        statement
        for policy in of_type(resources, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert not [each for each in statements if "*" in json.dumps(each["Action"])]
    unnamed = {json.dumps(each["Action"]) for each in statements if each["Resource"] == "*"}
    assert unnamed == {'"cloudwatch:PutMetricData"'}


def test_what_waits_too_long_or_fails_is_told(resources: dict[str, dict[str, Any]]) -> None:
    told = json.dumps(of_type(resources, "AWS::CloudWatch::Alarm"))
    assert "ApproximateAgeOfOldestMessage" in told
    assert "ApproximateNumberOfMessagesVisible" in told


def test_keys_are_as_deep_as_shelves_are_many() -> None:
    assert [depth_of(count) for count in (1, 768, 769, 100_000, 1_000_000)] == [0, 0, 1, 8, 11]
