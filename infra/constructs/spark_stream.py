"""The scoring loop of one workload in Spark: a streaming job of AWS Glue, fed by a queue of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.glue_job import GLUE_VERSION, CodeAsset, job_encryption, write_job_logs
from infra.constructs.loop_monitoring import LoopMonitoring
from infra.constructs.telemetry_rule import TelemetryRule
from infra.constructs.work_queue import WorkQueue
from infra.permissions import (
    Permission,
    assumed_by,
    list_keys,
    objects,
    permit,
    policy_of,
    use_key,
    write_encrypted_objects,
)
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from watchkeeper.core import layout
from watchkeeper.spec.scale import SparkScale
from watchkeeper.stream.placement import SHELF_SERIES

FULL = 0.75
"""Of a shelf, at the number of series that the spec says: most shelves never split then."""
PARTITIONS_A_WORKER = 8
RETRIES = 3
MAINTENANCE = "Sun:04"
"""UTC. Glue restarts a streaming job every week; what it had not finished it makes again."""
RECEIVED_WITHIN_SECONDS = 100
"""From the first message of a manifest to its deletion."""
START_EVERY_MINUTES = 5


@dataclass(frozen=True, kw_only=True)
class StreamPlaces:
    """What the job reads and writes, by its names."""

    bucket: s3.IBucket
    key: kms.IKey
    pages: s3.IBucket
    series_table: str
    anomalies_table: str
    alert_bus: str
    undelivered_arn: str


class SparkStream(Construct):
    """Queue, job, role, the schedule that keeps the job running, and alarms.

    Parameters
    ----------
    wheel, script
        What the job installs and runs.
    topic
        Where alarms go.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        scale: SparkScale,
        wheel: Path,
        script: Path,
        places: StreamPlaces,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.work = WorkQueue(self, "Work", handled_within_seconds=RECEIVED_WITHIN_SECONDS)
        self._announce(workload, places)
        code, program = CodeAsset(self, "Code", file=wheel), CodeAsset(self, "Script", file=script)
        # AWS does not document that Glue says for whom it assumes a role: a condition might refuse it.
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        permit(self.role, *self._permissions(workload, places, code, program))
        self.job = self._job(workload, scale, places, code, program)
        self._keep_running(workload)
        monitoring = LoopMonitoring(self, "Monitoring", prefix=f"Stream-{workload}", topic=topic)
        monitoring.watch_queue(f"{workload}-stream", self.work)

    def _announce(self, workload: str, places: StreamPlaces) -> None:
        telemetry = TelemetryRule(
            self,
            "Telemetry",
            workload=workload,
            bucket_name=places.bucket.bucket_name,
            queue_arn=self.work.queue.queue_arn,
            undelivered_arn=places.undelivered_arn,
        )
        self.work.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.work.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": telemetry.rule.attr_arn}},
            )
        )

    def _job(
        self, workload: str, scale: SparkScale, places: StreamPlaces, code: CodeAsset, program: CodeAsset
    ) -> glue.CfnJob:
        named = {
            "workload": workload,
            "data-bucket": places.bucket.bucket_name,
            "page-bucket": places.pages.bucket_name,
            "series-table": places.series_table,
            "anomalies-table": places.anomalies_table,
            "alert-bus": places.alert_bus,
            "queue-url": self.work.queue.queue_url,
            "depth": str(depth_of(scale.series)),
            "partitions": str(PARTITIONS_A_WORKER * scale.workers),
        }
        encryption = job_encryption(self, name=layout.stream_job_name(workload), key=places.key)
        job = glue.CfnJob(
            self,
            "Job",
            name=layout.stream_job_name(workload),
            description=f"Scores the telemetry of {workload} in Spark",
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="gluestreaming", python_version="3", script_location=program.uri
            ),
            glue_version=GLUE_VERSION,
            worker_type=scale.worker_type,
            number_of_workers=scale.workers,
            max_retries=RETRIES,
            security_configuration=layout.stream_job_name(workload),
            maintenance_window=MAINTENANCE,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
            default_arguments={
                "--additional-python-modules": code.uri,
                "--python-modules-installer-option": "--no-index --no-deps",
                "--enable-continuous-cloudwatch-log": "true",
                **{f"--{name}": value for name, value in named.items()},
            },
        )
        job.node.add_dependency(policy_of(self.role), encryption)
        return job

    def _permissions(
        self, workload: str, places: StreamPlaces, code: CodeAsset, program: CodeAsset
    ) -> list[Permission]:
        stack = Stack.of(self)

        def arn(service: str, kind: str, name: str) -> str:
            return stack.format_arn(service=service, resource=kind, resource_name=name)

        own = f"{layout.streams_prefix(workload)}*"
        raw = f"{layout.raw_prefix(workload)}*"
        written = (f"{layout.scores_prefix(workload)}*", f"{layout.QUARANTINE}/{workload}/*")
        pages = f"{layout.pages_prefix(workload)}*"
        stream = Permission(
            actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            resources=objects(self, places.bucket, own),
            reason="Manifests and the checkpoint: Spark names its files itself.",
        )
        telemetry = Permission(
            actions=["s3:GetObject", "s3:GetObjectVersion"],
            resources=objects(self, places.bucket, raw),
            reason="The delivery stream makes object keys at run time.",
        )
        results = Permission(
            actions=["s3:PutObject"],
            resources=objects(self, places.bucket, *written),
            reason="Objects of scores are named by the telemetry.",
        )
        of_pages = Permission(
            actions=["s3:GetObject", "s3:PutObject"],
            resources=objects(self, places.pages, pages),
            reason="Shelves split at run time.",
        )
        return [
            Permission(actions=["s3:GetObject"], resources=[code.object_arn, program.object_arn]),
            stream,
            telemetry,
            results,
            of_pages,
            list_keys(places.bucket),
            list_keys(places.pages),
            write_encrypted_objects(places.key),
            use_key(places.key, "dynamodb"),
            Permission(
                actions=["dynamodb:GetItem"], resources=[arn("dynamodb", "table", places.series_table)]
            ),
            Permission(
                actions=["dynamodb:BatchWriteItem"],
                resources=[arn("dynamodb", "table", places.anomalies_table)],
            ),
            Permission(
                actions=["events:PutEvents"], resources=[arn("events", "event-bus", places.alert_bus)]
            ),
            Permission(
                actions=["ssm:GetParameter"],
                resources=[arn("ssm", "parameter", layout.plan_parameter(workload).lstrip("/"))],
            ),
            Permission(
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage"], resources=[self.work.queue.queue_arn]
            ),
            write_job_logs(self),
            Permission(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": METRICS_NAMESPACE}},
                reason="CloudWatch has no resource to name here; the condition names the namespace.",
            ),
        ]

    def _keep_running(self, workload: str) -> None:
        """Start the job again and again: a start while it runs is refused, for only one run may be."""
        stack = Stack.of(self)
        job_arn = stack.format_arn(
            service="glue", resource="job", resource_name=layout.stream_job_name(workload)
        )
        role = iam.Role(self, "Starter", assumed_by=assumed_by(self, "scheduler"))
        permit(role, Permission(actions=["glue:StartJobRun"], resources=[job_arn]))
        schedule = scheduler.CfnSchedule(
            self,
            "Start",
            description=f"Keeps the stream of {workload} running",
            schedule_expression=f"rate({START_EVERY_MINUTES} minutes)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{stack.partition}:scheduler:::aws-sdk:glue:startJobRun",
                role_arn=role.role_arn,
                input=f'{{"JobName":"{layout.stream_job_name(workload)}"}}',
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
        schedule.node.add_dependency(self.job, policy_of(role))


def depth_of(series: int) -> int:
    """Return how many bits Spark's keys have, for so many series."""
    return max(0, math.ceil(math.log2(series / (SHELF_SERIES * FULL))))
