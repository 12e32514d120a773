"""What makes synthesis fail."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from infra.application import add_checks
from infra.withdrawn_services import WITHDRAWN, withdrawn_resources


@pytest.fixture
def app(tmp_path: Path, cdk_context: dict[str, Any]) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path), context=cdk_context, builtin_cloud_formation_validation=False)
    add_checks(app)
    return app


def report(tmp_path: Path) -> str:
    return (tmp_path / "validation-report.json").read_text()


def test_synthesis_fails_on_a_queue_without_dead_letters(app: cdk.App, tmp_path: Path) -> None:
    sqs.Queue(cdk.Stack(app, "Careless"), "Queue", enforce_ssl=True)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-SQS3" in report(tmp_path)


def test_synthesis_fails_on_a_withdrawn_service(app: cdk.App, tmp_path: Path) -> None:
    cdk.CfnResource(cdk.Stack(app, "Late"), "Detector", type="AWS::LookoutMetrics::AnomalyDetector")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "Lookout for Metrics is closed to newcomers since 2024-10-10" in report(tmp_path)


def test_synthesis_passes_without_findings(app: cdk.App) -> None:
    cdk.CfnResource(cdk.Stack(app, "Plain"), "Parameter", type="AWS::SSM::Parameter")
    app.synth()


def test_finds_each_withdrawn_type_and_no_other() -> None:
    template = {
        "Resources": {
            "Monitor": {"Type": "AWS::SageMaker::MonitoringSchedule"},
            "Endpoint": {"Type": "AWS::SageMaker::Endpoint"},
            "Sql": {"Type": "AWS::KinesisAnalytics::Application"},
            "Flink": {"Type": "AWS::KinesisAnalyticsV2::Application"},
            "Rule": {"Type": "AWS::IoT::TopicRule"},
            "Model": {"Type": "AWS::IoTEvents::DetectorModel"},
            "Ray": {"Type": "AWS::Glue::Job", "Properties": {"Command": {"Name": "glueray"}}},
            "Spark": {"Type": "AWS::Glue::Job", "Properties": {"Command": {"Name": "glueetl"}}},
            "Influx": {"Type": "AWS::Timestream::InfluxDBInstance"},
        }
    }
    withdrawn = [logical_id for logical_id, _ in withdrawn_resources(template)]
    assert withdrawn == ["Monitor", "Sql", "Model", "Ray"]


def test_every_type_is_withdrawn_that_cfn_lint_knows_to_be() -> None:
    types = PROVIDER_SCHEMA_MANAGER.get_resource_types("us-east-1")
    known = [
        kind
        for kind in types
        if PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema.get("lifecycle")
    ]
    assert len(known) > 90
    template = {"Resources": {kind: {"Type": kind} for kind in known}}
    found = {kind for kind, _ in withdrawn_resources(template)}
    assert sorted(set(known) - found) == []


def test_no_training_uses_the_withdrawn_debugger_or_profiler() -> None:
    definitions = list((Path(__file__).parents[1] / "contract" / "pipeline" / "golden").rglob("*.json"))
    assert len(definitions) > 5
    for definition in definitions:
        text = definition.read_text()
        assert "DebugHookConfig" not in text
        assert "ProfilerConfig" not in text


def test_every_withdrawal_is_dated_and_has_a_source() -> None:
    for service in WITHDRAWN:
        day = service.closed + "-01-01"[len(service.closed) - 4 :]
        assert date(2020, 1, 1) < date.fromisoformat(day), service.name
        assert service.source.startswith("https://"), service.name
        assert all(kind.startswith("AWS::") for kind in service.types)
