"""The IoT rule that takes a workload's telemetry."""

from __future__ import annotations

from aws_cdk import aws_iot as iot
from constructs import Construct

from watchkeeper.core import layout

SQL_VERSION = "2016-03-23"


class TopicRule(Construct):
    """An IoT rule that writes the workload's name into each message; what fails is kept in `raw-errors/`.

    Parameters
    ----------
    topic
        MQTT topic filter.
    role_arn
        Role of all workloads' rules.
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
    ) -> None:
        super().__init__(scope, construct_id)
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
