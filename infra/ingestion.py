"""From a device's message to an object under `raw/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.telemetry_stream import TelemetryStream
from infra.naming import WORKLOAD_TAG, pascal_name
from infra.permissions import Permission, assumed_by, permit, use_key, write_objects
from watchkeeper.core import layout
from watchkeeper.spec import AnomalyWorkload

SQL_VERSION = "2016-03-23"


class TopicRule(Construct):
    """An IoT rule that writes the workload's name into each message; what fails is kept in `raw-errors/`.

    Parameters
    ----------
    topic
        MQTT topic filter.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        topic: str,
        stream: firehose.CfnDeliveryStream,
        bucket: s3.IBucket,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(self, "Role", assumed_by=assumed_by(self, "iot"))
        failures = f"{layout.RAW_ERRORS}/iot/{workload}/"
        permit(
            role,
            Permission(actions=["firehose:PutRecord"], resources=[stream.attr_arn]),
            write_objects(self, bucket, f"{failures}*"),
            use_key(key, "s3"),
        )
        iot.CfnTopicRule(
            self,
            "Rule",
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                description=f"Telemetry of {workload}",
                aws_iot_sql_version=SQL_VERSION,
                sql=f"SELECT *, '{workload}' AS workload, timestamp() AS received_at FROM '{topic}'",  # noqa: S608  IoT SQL
                actions=[
                    iot.CfnTopicRule.ActionProperty(
                        # The stream itself ends each record with a new line.
                        firehose=iot.CfnTopicRule.FirehoseActionProperty(
                            delivery_stream_name=stream.ref, role_arn=role.role_arn
                        )
                    )
                ],
                error_action=iot.CfnTopicRule.ActionProperty(
                    s3=iot.CfnTopicRule.S3ActionProperty(
                        bucket_name=bucket.bucket_name,
                        key=f"{failures}${{newuuid()}}.json",
                        role_arn=role.role_arn,
                    )
                ),
            ),
        )


class IngestionStack(Stack):
    """One delivery stream for all workloads, and an IoT rule for each workload's topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workloads: Sequence[AnomalyWorkload],
        bucket: s3.IBucket,
        data_key: kms.IKey,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self.telemetry = TelemetryStream(self, "Telemetry", bucket=bucket, key=data_key)
        for spec in workloads:
            rule = TopicRule(
                self,
                f"Topic{pascal_name(spec.name)}",
                workload=spec.name,
                topic=spec.source.topic,
                stream=self.telemetry.stream,
                bucket=bucket,
                key=data_key,
            )
            Tags.of(rule).add(WORKLOAD_TAG, spec.name)

        CfnOutput(self, "DeliveryStreamName", value=self.telemetry.stream.ref)
