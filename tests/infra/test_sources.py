"""Telemetry from where it is: what each source's function or stream may read, and when it is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.templates import Templates
from watchkeeper.core.layout import workload_stack

METRICS, ROWS, STREAM = map(workload_stack, ("host_metrics", "press_rows", "press_stream"))


def allowed(templates: Templates, stack: str, beginning: str) -> dict[str, str]:
    """What the roles with a logical id that begins so may do: resources and conditions by action."""
    found: dict[str, Any] = {}
    for each in templates.resources("AWS::IAM::Policy", stack=stack):
        if each.logical_id.startswith(beginning):
            for statement in each.properties["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    said = json.dumps([statement["Resource"], statement.get("Condition")])
                    found[action] = found.get(action, "") + said
    return found


@pytest.mark.parametrize(
    ("stack", "expression"),
    [(METRICS, "cron(0/5 * * * ? *)"), (ROWS, "cron(30 1/6 * * ? *)")],
    ids=["metrics", "rows"],
)
def test_a_source_is_asked_after_each_interval_in_order(
    templates: Templates, stack: str, expression: str
) -> None:
    [schedule] = [
        each
        for each in templates.resources("AWS::Scheduler::Schedule", stack=stack)
        if each.logical_id.startswith("Source")
    ]
    target = schedule.properties["Target"]
    assert schedule.properties["ScheduleExpression"] == expression
    assert schedule.properties["ScheduleExpressionTimezone"] == "UTC"
    assert json.loads(target["Input"])["time"] == "<aws.scheduler.scheduled-time>"
    assert "MessageGroupId" in target["SqsParameters"]
    assert "DeadLetterConfig" in target
    assert set(allowed(templates, stack, "SourceScheduled")) == {"sqs:SendMessage"}
    assert templates.resources("AWS::IoT::TopicRule", stack=stack) == []
    assert templates.resources("AWS::KinesisFirehose::DeliveryStream", stack=stack) == []


def test_metrics_are_read_and_telemetry_of_this_workload_is_written(templates: Templates) -> None:
    may = allowed(templates, METRICS, "SourceFetch")
    assert "cloudwatch:GetMetricData" in may
    assert "cloudwatch:ListMetrics" in may
    assert "raw/workload=host_metrics/*" in may["s3:PutObject"]
    assert '"s3:prefix": ["raw/workload=host_metrics/*"]' in may["s3:ListBucket"]
    assert not [action for action in may if action.startswith(("athena:", "glue:", "kinesis:"))]


def test_a_query_reads_its_tables_and_its_results(templates: Templates) -> None:
    may = allowed(templates, ROWS, "SourceFetch")
    assert "workgroup/telemetry" in may["athena:StartQueryExecution"]
    assert "table/plant/*" in may["glue:GetTable"]
    assert "plant-telemetry/presses/*" in may["s3:GetObject"]
    assert "queries/press_rows/*" in may["s3:PutObject"]
    assert "plant-telemetry" not in may["s3:PutObject"]
    assert '"s3:prefix": ["presses/*"]' in may["s3:ListBucket"]
    assert "arn:aws:kms:us-east-1:123456789012:key/0a1b" in may["kms:Decrypt"]


def test_a_data_stream_is_read_by_the_delivery_stream_of_the_workload(templates: Templates) -> None:
    [stream] = templates.resources("AWS::KinesisFirehose::DeliveryStream", stack=STREAM)
    assert stream.properties["DeliveryStreamType"] == "KinesisStreamAsSource"
    assert "DeliveryStreamEncryptionConfigurationInput" not in stream.properties
    source = stream.properties["KinesisStreamSourceConfiguration"]
    assert source["KinesisStreamARN"] == "arn:aws:kinesis:us-east-1:123456789012:stream/presses"
    destination = stream.properties["ExtendedS3DestinationConfiguration"]
    assert destination["BufferingHints"]["IntervalInSeconds"] == 30
    assert "DynamicPartitioningConfiguration" not in destination
    assert templates.resources("AWS::IoT::TopicRule", stack=STREAM) == []
    may = allowed(templates, STREAM, "Delivery")
    reading = {action for action in may if action.startswith("kinesis:")}
    assert reading == {
        "kinesis:DescribeStream",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    }
    assert all("stream/presses" in may[action] for action in reading)
    assert "kms:EncryptionContext:aws:kinesis:arn" in may["kms:Decrypt"]


@pytest.mark.parametrize("stack", [METRICS, ROWS], ids=["metrics", "rows"])
def test_what_cannot_be_fetched_has_an_alarm(templates: Templates, stack: str) -> None:
    alarms = [
        each
        for each in templates.resources("AWS::CloudWatch::Alarm", stack=stack)
        if each.logical_id.startswith("SourceMonitoring")
    ]
    assert len(alarms) == 2
