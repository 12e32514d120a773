"""From a device's message to an object under `raw/`."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.constructs.telemetry_stream import TelemetryStream
from infra.constructs.topic_rule import topic_rule_role
from infra.storage import StorageStack
from watchkeeper.spec.delivery import PARTITIONED_SECONDS


class IngestionStack(Stack):
    """The delivery stream that workloads share, and the role by which their IoT rules write to it.

    A workload that cannot wait for it has a stream and a role in its own stack.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, storage: StorageStack, **stack_options: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self.telemetry = TelemetryStream(
            self, "Telemetry", bucket=storage.bucket, key=storage.key, buffer_seconds=PARTITIONED_SECONDS
        )
        role = topic_rule_role(
            self,
            "TopicRules",
            stream_arn=self.telemetry.stream.attr_arn,
            bucket=storage.bucket,
            key=storage.key,
        )
        CfnOutput(self, "DeliveryStreamName", value=self.telemetry.stream.ref)
        CfnOutput(self, "TopicRuleRoleArn", value=role.role_arn)
