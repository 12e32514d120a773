"""Services that AWS has withdrawn or closed to new customers, and the check that no template uses one.

What needs such a service can be deployed by nobody who starts today, so synthesis fails when a template has a
resource of one. Each entry says since when and where AWS says so. Extend the list when AWS announces another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)


@dataclass(frozen=True)
class WithdrawnService:
    """One service and the CloudFormation types that belong to it."""

    name: str
    types: tuple[str, ...]
    """Beginnings of CloudFormation resource types."""
    closed: str
    """Since when a new customer cannot use it: ISO 8601, a day, a month or a year."""
    source: str
    instead: str


_DOCS = "https://docs.aws.amazon.com"
_MAINTENANCE = f"{_DOCS}/general/latest/gr/maintenance_services.html"
_SUNSET = f"{_DOCS}/general/latest/gr/sunset_services.html"
_SHUTDOWN = f"{_DOCS}/general/latest/gr/full_shutdown_services.html"

WITHDRAWN: tuple[WithdrawnService, ...] = (
    WithdrawnService(
        "Lookout for Metrics",
        ("AWS::LookoutMetrics::",),
        "2024-10-10",
        "https://aws.amazon.com/blogs/machine-learning/transitioning-off-amazon-lookout-for-metrics/",
        "the training workflow and score_telemetry of this project",
    ),
    WithdrawnService(
        "Lookout for Equipment",
        ("AWS::LookoutEquipment::",),
        "2024-10-17",
        f"{_DOCS}/lookout-for-equipment/latest/ug/doc-history.html",
        "the training workflow and score_telemetry of this project",
    ),
    WithdrawnService(
        "Lookout for Vision",
        ("AWS::LookoutVision::",),
        "2024-10-10",
        f"{_DOCS}/lookout-for-vision/latest/developer-guide/what-is.html",
        "a model of your own on a SageMaker endpoint",
    ),
    WithdrawnService(
        "Fraud Detector",
        ("AWS::FraudDetector::",),
        "2025-11-07",
        f"{_DOCS}/frauddetector/latest/api/API_ExternalModelSummary.html",
        "a model of your own on a SageMaker endpoint",
    ),
    WithdrawnService(
        "Forecast",
        ("AWS::Forecast::",),
        "2024-07-29",
        f"{_DOCS}/forecast/latest/dg/API_CreateMonitor.html",
        "a model of your own on a SageMaker endpoint",
    ),
    WithdrawnService(
        "SageMaker Model Monitor and Clarify",
        (
            "AWS::SageMaker::MonitoringSchedule",
            "AWS::SageMaker::DataQualityJobDefinition",
            "AWS::SageMaker::ModelQualityJobDefinition",
            "AWS::SageMaker::ModelBiasJobDefinition",
            "AWS::SageMaker::ModelExplainabilityJobDefinition",
        ),
        "2026-07",
        f"{_DOCS}/sagemaker/latest/dg/model-monitor-availability-change.html",
        "a processing job of your own over the endpoint's captured data",
    ),
    WithdrawnService(
        "IoT Events",
        ("AWS::IoTEvents::",),
        "2025-05-20",
        f"{_DOCS}/iotevents/latest/developerguide/doc-history.html",
        "an IoT rule and a Lambda function",
    ),
    WithdrawnService(
        "IoT Analytics",
        ("AWS::IoTAnalytics::",),
        "2024-07-25",
        f"{_DOCS}/iotanalytics/latest/userguide/welcome.html",
        "an IoT rule, Firehose and S3",
    ),
    WithdrawnService(
        "Kinesis Data Analytics for SQL",
        # Managed Service for Apache Flink keeps the newer AWS::KinesisAnalyticsV2 types.
        ("AWS::KinesisAnalytics::",),
        "2025-10-15",
        f"{_DOCS}/kinesisanalytics/latest/dev/API_Reference.html",
        "Managed Service for Apache Flink",
    ),
    WithdrawnService(
        "Cloud9",
        ("AWS::Cloud9::",),
        "2024-07-25",
        f"{_DOCS}/cloud9/latest/user-guide/welcome.html",
        "an editor on your own machine",
    ),
    WithdrawnService(
        "IoT Device Defender Detect",
        # Audit stays: AWS::IoT::ScheduledAudit, AccountAuditConfiguration, MitigationAction
        ("AWS::IoT::SecurityProfile", "AWS::IoT::CustomMetric", "AWS::IoT::Dimension"),
        "2026-08-31",
        _MAINTENANCE,
        "a workload over the devices' own metrics",
    ),
    WithdrawnService(
        "DevOps Guru", ("AWS::DevOpsGuru::",), "2026-10-29", _MAINTENANCE, "a workload over the metrics"
    ),
    WithdrawnService(
        "Timestream for LiveAnalytics",
        # Timestream for InfluxDB stays: AWS::Timestream::InfluxDBInstance, InfluxDBCluster
        ("AWS::Timestream::Database", "AWS::Timestream::Table", "AWS::Timestream::ScheduledQuery"),
        "2025-06-20",
        _MAINTENANCE,
        "objects in S3, which Athena queries",
    ),
    WithdrawnService(
        "SageMaker Ground Truth and Augmented AI",
        tuple(
            f"AWS::SageMaker::{kind}" for kind in ("Workteam", "Workforce", "HumanTaskUi", "FlowDefinition")
        ),
        "2026",
        _MAINTENANCE,
        "labels as a file",
    ),
    *(
        WithdrawnService(name, types, closed, source, instead)
        for name, types, closed, source, instead in (
            ("IoT FleetWise", ("AWS::IoTFleetWise::",), "2026", _MAINTENANCE, "an IoT rule"),
            ("IoT Things Graph", ("AWS::IoTThingsGraph::",), "2022-11-09", _SHUTDOWN, "Step Functions"),
            ("IoT Fleet Hub", ("AWS::IoTFleetHub::",), "2025-10-18", _SHUTDOWN, "a dashboard"),
            ("IoT Greengrass V1", ("AWS::Greengrass::",), "2026-10-01", _SUNSET, "Greengrass V2"),
            ("App Runner", ("AWS::AppRunner::",), "2026-04-30", _MAINTENANCE, "Lambda or ECS"),
            ("App Mesh", ("AWS::AppMesh::",), "2026-09-30", _SUNSET, "ECS Service Connect"),
            ("Proton", ("AWS::Proton::",), "2026-10-07", _SUNSET, "CDK"),
            ("Kendra", ("AWS::Kendra::",), "2026", _MAINTENANCE, "OpenSearch"),
            ("Pinpoint", ("AWS::Pinpoint",), "2026-10-30", _SUNSET, "SNS"),
            ("S3 Object Lambda", ("AWS::S3ObjectLambda::",), "2025-11-07", _MAINTENANCE, "a function"),
            ("Evidently", ("AWS::Evidently::",), "2025-10-17", _SHUTDOWN, "AppConfig"),
            ("QLDB", ("AWS::QLDB::",), "2025-07-31", _SHUTDOWN, "DynamoDB"),
            ("CodeStar", ("AWS::CodeStar::",), "2024-07-25", _SHUTDOWN, "CodeConnections"),
            ("CodeGuru Reviewer", ("AWS::CodeGuruReviewer::",), "2025-10-07", _MAINTENANCE, "a linter"),
            ("FinSpace", ("AWS::FinSpace::",), "2026-10-07", _SUNSET, "objects in S3"),
            ("Inspector Classic", ("AWS::Inspector::",), "2026-05-20", _SUNSET, "Inspector (InspectorV2)"),
            ("MediaStore", ("AWS::MediaStore::",), "2025-11-13", _SUNSET, "S3"),
            ("SimSpace Weaver", ("AWS::SimSpaceWeaver::",), "2026-05-20", _SUNSET, "EC2"),
            ("WAF Classic", ("AWS::WAF::", "AWS::WAFRegional::"), "2025-09-30", _SUNSET, "AWS::WAFv2"),
            (
                "EC2 launch configurations",
                ("AWS::AutoScaling::LaunchConfiguration",),
                "2024-10-01",
                _MAINTENANCE,
                "a launch template",
            ),
        )
    ),
)

_GLUE_RAY = WithdrawnService("Glue for Ray", ("glueray",), "2026-04-30", _MAINTENANCE, "Glue for Spark")


def withdrawn_resources(template: Mapping[str, Any]) -> Iterator[tuple[str, WithdrawnService]]:
    """Yield the logical id of each resource of a withdrawn service, with the service."""
    for logical_id, resource in template.get("Resources", {}).items():
        for service in WITHDRAWN:
            if resource["Type"].startswith(service.types):
                yield logical_id, service
        command = resource.get("Properties", {}).get("Command", {})
        if resource["Type"] == "AWS::Glue::Job" and command.get("Name") in _GLUE_RAY.types:
            yield logical_id, _GLUE_RAY


@jsii.implements(IPolicyValidationPlugin)
class WithdrawnServicesCheck:
    """A validation of the whole application: register it by `Validations.of(app).add_plugins(…)`."""

    @property
    def name(self) -> str:
        """Name of the check in CDK's report."""
        return "Watchkeeper-WithdrawnServices"

    @property
    def version(self) -> str | None:
        """No version of its own."""
        return None

    @property
    def rule_ids(self) -> list[str] | None:
        """One rule a service."""
        return [_rule(service) for service in (*WITHDRAWN, _GLUE_RAY)]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Read every synthesized template."""
        violations = list(_violations(context.template_paths))
        return PolicyValidationPluginReport(success=not violations, violations=violations)


def _violations(template_paths: Sequence[str]) -> Iterator[PolicyViolation]:
    for path in template_paths:
        for logical_id, service in withdrawn_resources(json.loads(Path(path).read_text())):
            yield PolicyViolation(
                rule_name=_rule(service),
                description=f"{service.name} is closed to newcomers since {service.closed}: {service.source}",
                fix=f"Use {service.instead}.",
                severity="error",
                violating_resources=[
                    PolicyViolatingResource(
                        resource_logical_id=logical_id, template_path=path, locations=["Type"]
                    )
                ],
            )


def _rule(service: WithdrawnService) -> str:
    return service.name.replace(" ", "")
