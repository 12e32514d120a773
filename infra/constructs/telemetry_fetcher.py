"""What fetches one workload's telemetry from where it is: queue, function and alarms."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.loop_monitoring import LoopMonitoring
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import WorkQueue
from infra.permissions import (
    Permission,
    list_keys,
    permit,
    read_objects,
    write_encrypted_objects,
    write_objects,
)
from lambdas.runtime.typed_environment import TypedEnvironment
from watchkeeper.core import layout
from watchkeeper.spec.feeds import Folders

TIMEOUT_SECONDS = 120
MEMORY_MB = 1769
"""A whole processor; a file of 200 MB and what is made of it are held at once."""
CONCURRENCY = 2
"""The least; messages follow each other, since all are of one message group."""


class TelemetryFetcher(Construct):
    """A FIFO queue, the function that reads it, and alarms on what cannot be fetched.

    Parameters
    ----------
    code
        Bundle of the functions that need pyarrow.
    environment
        Of the function.
    bucket, key
        The data bucket, and what protects it.
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
        environment: TypedEnvironment,
        purpose: str,
        bucket: s3.IBucket,
        key: kms.IKey,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS, ordered=True)
        self.fetch = PythonFunction(
            self,
            "Fetch",
            code=code,
            environment=environment,
            purpose=purpose,
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        raw = f"{layout.raw_prefix(workload)}*"
        permit(
            self.fetch.role,
            write_objects(self, bucket, raw, f"{layout.QUARANTINE}/{workload}/*"),
            read_objects(self, bucket, raw),
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
        self.fetch.consume(self.work, max_concurrency=CONCURRENCY, batch_size=1)
        LoopMonitoring(self, "Monitoring", prefix=f"{construct_id}-{workload}", topic=topic).watch_queue(
            f"{workload}-{construct_id.lower()}", self.work
        )


def read_folders(fetcher: TelemetryFetcher, folders: Folders, *, versions: bool) -> list[Permission]:
    """Read the files of folders.

    Parameters
    ----------
    versions
        Whether the very version is read that an event announces.
    """
    source, prefix = s3.Bucket.from_bucket_name(fetcher, "Source", folders.bucket), folders.folder_path.prefix
    return [
        read_objects(fetcher, source, f"{prefix}*", versions=versions),
        list_keys(source, prefix),
        *decrypt_of(fetcher, "s3", folders.kms_key),
    ]


def decrypt_of(scope: Construct, service: str, key: str | None) -> list[Permission]:
    """Decrypt what a service has encrypted with a key of the user's, where there is one."""
    if key is None:
        return []
    stack = Stack.of(scope)
    through = {"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.{stack.url_suffix}"}}
    return [Permission(actions=["kms:Decrypt"], resources=[key], conditions=through)]
