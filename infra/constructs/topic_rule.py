"""The IoT rule that takes a workload's telemetry."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.permissions import Permission, assumed_by, permit, write_encrypted_objects, write_objects
from watchkeeper.core import layout

SQL_VERSION = "2016-03-23"


def topic_rule_role(
    scope: Construct, construct_id: str, *, stream_arn: str, bucket: s3.IBucket, key: kms.IKey
) -> iam.Role:
    """Make the role by which rules write to a delivery stream, and keep what could not be delivered."""
    role = iam.Role(scope, construct_id, assumed_by=assumed_by(scope, "iot"))
    permit(
        role,
        Permission(actions=["firehose:PutRecord"], resources=[stream_arn]),
        write_objects(scope, bucket, f"{layout.IOT_ERRORS}/*"),
        write_encrypted_objects(key),
    )
    return role


class TopicRule(Construct):
    """An IoT rule that writes the workload's name into each message; what fails is kept in `raw-errors/`.

    It has a name of ours, because devices say it where they publish by Basic Ingest.

    Parameters
    ----------
    topic
        MQTT topic filter.
    select, where
        Columns and condition, in IoT SQL; without them, whatever comes.
    part
        Ends the rule's name, where a workload has several.
    role_arn
        Made by `topic_rule_role`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        topic: str,
        delivery_stream_name: str,
        bucket_name: str,
        role_arn: str,
        select: str = "*",
        where: str = "",
        part: str = "",
    ) -> None:
        super().__init__(scope, construct_id)
        condition = f" WHERE {where}" if where else ""
        added = f"'{workload}' AS workload, timestamp() AS received_at"
        iot.CfnTopicRule(
            self,
            "Rule",
            rule_name=layout.topic_rule_name(workload) + (f"_{part}" if part else ""),
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                description=f"Telemetry of {workload}",
                aws_iot_sql_version=SQL_VERSION,
                sql=f"SELECT {select}, {added} FROM '{topic}'{condition}",  # noqa: S608  IoT SQL
                actions=[
                    iot.CfnTopicRule.ActionProperty(
                        # The stream itself ends each record with a new line.
                        firehose=iot.CfnTopicRule.FirehoseActionProperty(
                            delivery_stream_name=delivery_stream_name, role_arn=role_arn
                        )
                    )
                ],
                error_action=iot.CfnTopicRule.ActionProperty(
                    s3=iot.CfnTopicRule.S3ActionProperty(
                        bucket_name=bucket_name,
                        key=f"{layout.IOT_ERRORS}/{workload}/${{newuuid()}}.json",
                        role_arn=role_arn,
                    )
                ),
            ),
        )
