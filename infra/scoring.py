"""The scoring loop: each new object of telemetry becomes scores and anomalies within seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.ordered_subscription import OrderedSubscription
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import WorkQueue
from infra.permissions import (
    Permission,
    invoke_endpoints,
    list_keys,
    objects,
    permit,
    read_objects,
    read_plans,
    use_key,
    use_table,
    write_objects,
)
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from watchkeeper.core import layout
from watchkeeper.detectors.forest.surrogate import SURROGATE_NAME
from watchkeeper.spec import AnomalyWorkload

TIMEOUT_SECONDS = 120
MEMORY_MB = 1024
CONCURRENCY = 20
"""Batches at once, of different workloads: those of one workload follow each other."""


class ScoringStack(Stack):
    """New objects under `raw/`, queued for `score_telemetry`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workloads: Sequence[AnomalyWorkload],
        function_code: Path,
        bucket: s3.IBucket,
        series: dynamodb.ITable,
        anomalies: dynamodb.ITable,
        idempotency: dynamodb.ITable,
        data_key: kms.IKey,
        alert_bus: events.IEventBus,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        names = [spec.name for spec in workloads]
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS, ordered=True)
        self.telemetry = OrderedSubscription(
            self,
            "Telemetry",
            patterns={name: _new_telemetry(bucket, name) for name in names},
            work=self.work,
            purpose="New telemetry objects to score_telemetry",
        )
        self.score_telemetry = PythonFunction(
            self,
            "ScoreTelemetry",
            code=function_code,
            environment=ScoreTelemetryEnvironment(
                data_bucket=bucket.bucket_name,
                series_table=series.table_name,
                anomalies_table=anomalies.table_name,
                idempotency_table=idempotency.table_name,
                alert_bus=alert_bus.event_bus_name,
            ),
            purpose="Scores the telemetry of new objects and raises anomalies",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        raw = [f"{layout.raw_prefix(name)}*" for name in names]
        surrogates = [f"{layout.run_prefix(name, '*')}evaluation/{SURROGATE_NAME}" for name in names]
        permit(
            self.score_telemetry.role,
            read_objects(self, bucket, *raw, f"{layout.SCORES}/*", *surrogates),
            Permission(
                actions=["s3:GetObjectVersion"],
                resources=objects(self, bucket, *raw),
                reason="The delivery stream makes object keys at run time.",
            ),
            write_objects(self, bucket, f"{layout.SCORES}/*", f"{layout.QUARANTINE}/*"),
            list_keys(bucket),
            use_table(series, "BatchGetItem", "PutItem", "Query"),
            use_table(anomalies, "BatchWriteItem"),
            use_table(idempotency, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            use_key(data_key, "s3", "dynamodb"),
            invoke_endpoints(self, names),
            Permission(actions=["events:PutEvents"], resources=[alert_bus.event_bus_arn]),
            read_plans(self, names),
        )
        self.score_telemetry.consume(self.work, max_concurrency=CONCURRENCY, batch_size=1)

        CfnOutput(self, "ScoreTelemetryFunctionName", value=self.score_telemetry.function.function_name)
        CfnOutput(self, "ScoreQueueUrl", value=self.work.queue.queue_url)
        CfnOutput(self, "ScoreDeadLetterQueueUrl", value=self.work.dead_letters.queue_url)


def _new_telemetry(bucket: s3.IBucket, workload: str) -> events.EventPattern:
    return events.EventPattern(
        source=["aws.s3"],
        detail_type=["Object Created"],
        detail={
            "bucket": {"name": [bucket.bucket_name]},
            "object": {"key": [{"prefix": layout.raw_prefix(workload)}]},
        },
    )
