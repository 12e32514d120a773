"""Telemetry of one workload from a bucket in which other programs write a folder for each interval."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.loop_monitoring import LoopMonitoring
from infra.constructs.python_function import PythonFunction
from infra.constructs.telemetry_rule import TelemetryRule
from infra.constructs.work_queue import WorkQueue
from infra.permissions import (
    Permission,
    list_keys,
    permit,
    read_objects,
    write_encrypted_objects,
    write_objects,
)
from lambdas.sources.fetch_telemetry import FetchTelemetryEnvironment
from watchkeeper.core import layout
from watchkeeper.spec.telemetry import Folders

TIMEOUT_SECONDS = 120
MEMORY_MB = 1769
"""A whole processor; a file of 200 MB and what is made of it are held at once."""
CONCURRENCY = 2
"""The least; files follow each other, since all are of one message group."""


class FolderSource(Construct):
    """Rule, queue, function and alarms.

    The bucket is the user's: it must send its events to EventBridge, which is a setting of the bucket, and
    lie in the region of the deployment.

    Parameters
    ----------
    code
        Bundle of the functions that need pyarrow.
    bucket, key
        The data bucket, and what protects it.
    undelivered_arn
        The queue that keeps the events which could not be delivered.
    topic
        Where alarms go.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        workload: str,
        folders: Folders,
        bucket: s3.IBucket,
        key: kms.IKey,
        undelivered_arn: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        prefix = folders.folder_path.prefix
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS, ordered=True)
        files = TelemetryRule(
            self,
            "Files",
            workload=workload,
            bucket_name=folders.bucket,
            prefix=prefix,
            queue_arn=self.work.queue.queue_arn,
            undelivered_arn=undelivered_arn,
            message_group=workload,
        )
        self.work.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.work.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": files.rule.attr_arn}},
            )
        )
        fetch = PythonFunction(
            self,
            "Fetch",
            code=code,
            environment=FetchTelemetryEnvironment(
                workload=workload, folders=folders.path, data_bucket=bucket.bucket_name
            ),
            purpose=f"Fetches the files of {workload} from the bucket in which they are written",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        permit(
            fetch.role,
            *self._reading(folders, prefix),
            *self._writing(workload, bucket),
            write_encrypted_objects(key),
            Permission(
                actions=["ssm:GetParameter"],
                resources=[
                    Stack.of(self).format_arn(
                        service="ssm",
                        resource="parameter",
                        resource_name=layout.plan_parameter(workload).lstrip("/"),
                    )
                ],
            ),
        )
        fetch.consume(self.work, max_concurrency=CONCURRENCY, batch_size=1)
        LoopMonitoring(self, "Monitoring", prefix=f"Folders-{workload}", topic=topic).watch_queue(
            f"{workload}-folders", self.work
        )

    def _reading(self, folders: Folders, prefix: str) -> list[Permission]:
        source = s3.Bucket.from_bucket_name(self, "Source", folders.bucket)
        permissions = [
            read_objects(self, source, f"{prefix}*", versions=True),
            list_keys(source, prefix),
        ]
        if folders.kms_key is not None:
            stack = Stack.of(self)
            through = {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}}
            permissions.append(
                Permission(actions=["kms:Decrypt"], resources=[folders.kms_key], conditions=through)
            )
        return permissions

    def _writing(self, workload: str, bucket: s3.IBucket) -> list[Permission]:
        raw = f"{layout.raw_prefix(workload)}*"
        return [
            write_objects(self, bucket, raw, f"{layout.QUARANTINE}/{workload}/*"),
            read_objects(self, bucket, raw),
        ]
