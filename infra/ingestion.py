"""From a device's message to an object under `raw/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.telemetry_stream import TelemetryStream
from infra.constructs.topic_rule import TopicRule
from infra.naming import WORKLOAD_TAG, pascal_name
from watchkeeper.spec import AnomalyWorkload


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
