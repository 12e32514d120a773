"""Folders of a bucket as a source: what its function may read and write, and nothing of a topic."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.templates import Templates

STACK = "Watchkeeper-gas-folders"


def statements(templates: Templates) -> dict[str, str]:
    found: dict[str, Any] = {}
    for each in templates.resources("AWS::IAM::Policy", stack=STACK):
        if each.logical_id.startswith("FoldersFetch"):
            for statement in each.properties["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    found[action] = found.get(action, "") + json.dumps(
                        [statement["Resource"], statement.get("Condition")]
                    )
    return found


def test_it_has_no_rule_of_iot_and_no_delivery_stream(templates: Templates) -> None:
    assert templates.resources("AWS::IoT::TopicRule", stack=STACK) == []
    assert templates.resources("AWS::KinesisFirehose::DeliveryStream", stack=STACK) == []


def test_new_files_below_the_folders_prefix_come_to_its_queue_in_order(templates: Templates) -> None:
    [rule] = [
        each
        for each in templates.resources("AWS::Events::Rule", stack=STACK)
        if each.logical_id.startswith("Folders")
    ]
    assert rule.properties["EventPattern"]["detail"] == {
        "bucket": {"name": ["plant-telemetry"]},
        "object": {"key": [{"prefix": "gases/"}]},
    }
    [target] = rule.properties["Targets"]
    assert target["SqsParameters"] == {"MessageGroupId": "gas_folders"}
    assert "DeadLetterConfig" in target


def test_the_function_reads_the_folders_and_writes_its_workloads_telemetry_alone(
    templates: Templates,
) -> None:
    allowed = statements(templates)
    assert "plant-telemetry/gases/*" in allowed["s3:GetObject"]
    assert "plant-telemetry/gases/*" in allowed["s3:GetObjectVersion"]
    assert '"s3:prefix": ["gases/*"]' in allowed["s3:ListBucket"]
    assert "raw/workload=gas_folders/*" in allowed["s3:PutObject"]
    assert "quarantine/gas_folders/*" in allowed["s3:PutObject"]
    assert "plant-telemetry" not in allowed["s3:PutObject"]
    assert "arn:aws:kms:us-east-1:123456789012:key/0a1b" in allowed["kms:Decrypt"]
    assert "parameter/watchkeeper/gas_folders/plan" in allowed["ssm:GetParameter"]


def test_a_file_that_cannot_be_fetched_has_an_alarm(templates: Templates) -> None:
    alarms = [
        each
        for each in templates.resources("AWS::CloudWatch::Alarm", stack=STACK)
        if each.logical_id.startswith("FoldersMonitoring")
    ]
    assert len(alarms) == 2
