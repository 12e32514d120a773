"""From a device's message to an object under `raw/`."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.telemetry_stream import TelemetryStream
from infra.permissions import Permission, assumed_by, permit, write_encrypted_objects, write_objects
from infra.sharing import output
from watchkeeper.core import layout


class IngestionStack(Stack):
    """One delivery stream for all workloads, and the role by which their IoT rules write to it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        data_key: kms.IKey,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self.telemetry = TelemetryStream(self, "Telemetry", bucket=bucket, key=data_key)
        role = iam.Role(self, "TopicRules", assumed_by=assumed_by(self, "iot"))
        permit(
            role,
            Permission(actions=["firehose:PutRecord"], resources=[self.telemetry.stream.attr_arn]),
            write_objects(self, bucket, f"{layout.IOT_ERRORS}/*"),
            write_encrypted_objects(data_key),
        )
        self.stream_name = output(self, "DeliveryStreamName", self.telemetry.stream.ref)
        self.topic_rule_role_arn = output(self, "TopicRuleRoleArn", role.role_arn)
