"""The scoring loop: each new object of telemetry becomes scores and anomalies within seconds."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.bundles import Bundles
from infra.constructs.event_subscription import KeptEvents
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import DeadLetterQueue, WorkQueue, let_rules_of_workloads_send
from infra.permissions import (
    Permission,
    assumed_by,
    list_keys,
    objects,
    of_workloads,
    permit,
    read_objects,
    read_plans,
    use_key,
    use_table,
    write_encrypted_objects,
    write_objects,
)
from infra.storage import StorageStack
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from lambdas.watching.watch_telemetry import WatchTelemetryEnvironment
from watchkeeper.core import layout
from watchkeeper.detectors.forest.surrogate import SURROGATE_NAME

TIMEOUT_SECONDS = 120
MEMORY_MB = 1024
WATCHED_EVERY_MINUTES = 30
CONCURRENCY = 20
"""Batches at once, of different workloads: those of one workload follow each other."""


class ScoringStack(Stack):
    """The queue of new objects under `raw/`, to which each workload's rule sends, and `score_telemetry`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bundles: Bundles,
        storage: StorageStack,
        alert_bus: events.IEventBus,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        bucket, pages = storage.bucket, storage.pages
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS, ordered=True)
        # EventBridge takes no FIFO queue for what it could not deliver.
        self.undelivered = DeadLetterQueue(self, "UndeliveredTelemetry").queue
        for queue in (self.work.queue, self.undelivered):
            let_rules_of_workloads_send(queue)
        self.refused = KeptEvents(
            self,
            "RefusedTelemetry",
            pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": f"{layout.RAW_ERRORS}/"}]},
                },
            ),
            undelivered=self.undelivered,
            purpose="Telemetry that IoT rules or the delivery stream refused, kept for whoever looks into it",
        ).queue
        self.score_telemetry = PythonFunction(
            self,
            "ScoreTelemetry",
            code=bundles.scoring,
            environment=ScoreTelemetryEnvironment(
                data_bucket=bucket.bucket_name,
                page_bucket=pages.bucket_name,
                series_table=storage.series.table_name,
                anomalies_table=storage.anomalies.table_name,
                idempotency_table=storage.idempotency.table_name,
                alert_bus=alert_bus.event_bus_name,
            ),
            purpose="Scores the telemetry of new objects and raises anomalies",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
            # one object a minute: X-Ray would sample each, for as much as all pages cost to write
            traced=False,
        )
        raw = f"{layout.RAW}/*"
        warm_pages = f"{layout.RUNS}/*/*/pages/*"
        surrogates = f"{layout.run_prefix('*', '*')}evaluation/{SURROGATE_NAME}"
        permit(
            self.score_telemetry.role,
            read_objects(self, bucket, raw, f"{layout.SCORES}/*", surrogates, warm_pages),
            Permission(
                actions=["s3:GetObjectVersion"],
                resources=objects(self, bucket, raw),
                reason="The delivery stream makes object keys at run time.",
            ),
            write_objects(self, bucket, f"{layout.SCORES}/*", f"{layout.QUARANTINE}/*"),
            list_keys(bucket),
            read_objects(self, pages, f"{layout.PAGES}/*"),
            write_objects(self, pages, f"{layout.PAGES}/*"),
            list_keys(pages),
            use_table(storage.series, "BatchGetItem", "Query"),
            use_table(storage.anomalies, "BatchWriteItem"),
            use_table(storage.idempotency, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            write_encrypted_objects(storage.key),
            use_key(storage.key, "dynamodb"),
            *of_workloads(self, "endpoint", "InvokeEndpoint"),
            Permission(actions=["events:PutEvents"], resources=[alert_bus.event_bus_arn]),
            read_plans(self),
        )
        self.score_telemetry.consume(self.work, max_concurrency=CONCURRENCY, batch_size=1)

        self.watch_telemetry = PythonFunction(
            self,
            "WatchTelemetry",
            code=bundles.functions,
            environment=WatchTelemetryEnvironment(),
            purpose="Counts the workloads whose telemetry has stopped",
        )
        permit(
            self.watch_telemetry.role,
            Permission(
                actions=["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"],
                resources=["*"],
                reason="CloudWatch has no resource to name where metrics are read.",
            ),
            read_plans(self),
        )
        events.Rule(
            self,
            "LookForSilence",
            description="Looks for workloads whose telemetry has stopped",
            schedule=events.Schedule.rate(Duration.minutes(WATCHED_EVERY_MINUTES)),
            targets=[
                targets.LambdaFunction(self.watch_telemetry.function, dead_letter_queue=self.undelivered)
            ],
        )

        ticks = iam.Role(self, "Ticks", assumed_by=assumed_by(self, "scheduler"))
        permit(
            ticks,
            Permission(
                actions=["sqs:SendMessage"], resources=[self.work.queue.queue_arn, self.undelivered.queue_arn]
            ),
        )

        CfnOutput(self, "ScoreTelemetryFunctionName", value=self.score_telemetry.function.function_name)
        CfnOutput(self, "ScoreQueueUrl", value=self.work.queue.queue_url)
        CfnOutput(self, "ScoreDeadLetterQueueUrl", value=self.work.dead_letters.queue_url)
        CfnOutput(self, "ScoreQueueArn", value=self.work.queue.queue_arn)
        CfnOutput(self, "TickRoleArn", value=ticks.role_arn)
        CfnOutput(self, "UndeliveredTelemetryArn", value=self.undelivered.queue_arn)
