"""Whether telemetry can come from the buckets that workloads name as their source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import boto3
from botocore.exceptions import ClientError

from cli.preflight.finding import Finding, Level
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec

_NO_BUCKET = ("404", "NoSuchBucket")
"""HeadBucket answers without a body, so its error has the status as its code."""


def check_sources(session: boto3.Session, workloads: Sequence[WorkloadSpec]) -> Iterator[Finding]:
    """Look at each bucket of folders: is it there, in the region, and sends its events to EventBridge."""
    for workload in workloads:
        if isinstance(workload, AnomalyWorkload) and workload.source.folders is not None:
            yield _bucket(session, workload.name, workload.source.folders.bucket)


def _bucket(session: boto3.Session, workload: str, bucket: str) -> Finding:
    s3, figures = session.client("s3"), {"workload": workload, "bucket": bucket}
    try:
        region = s3.head_bucket(Bucket=bucket).get("BucketRegion")
        notifications = s3.get_bucket_notification_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_BUCKET:
            raise
        return Finding(
            "sources",
            Level.YELLOW,
            f"there is no bucket {bucket}, from which {workload} has its telemetry",
            f"aws s3api create-bucket --bucket {bucket}, or name another one in source.folders",
            figures,
        )
    if region not in (None, session.region_name):
        return Finding(
            "sources",
            Level.YELLOW,
            f"the bucket {bucket} of {workload} lies in {region}: its events do not come to "
            f"{session.region_name}",
            f"deploy to {region}, or replicate the bucket",
            figures,
        )
    if "EventBridgeConfiguration" not in notifications:
        return Finding(
            "sources",
            Level.YELLOW,
            f"the bucket {bucket} of {workload} sends no events to EventBridge: no file is fetched",
            f"aws s3api put-bucket-notification-configuration --bucket {bucket} --notification-configuration "
            "'{\"EventBridgeConfiguration\": {}}' (it replaces what the bucket has: name that, too)",
            figures,
        )
    return Finding("sources", Level.GREEN, f"the bucket {bucket} announces its files", figures=figures)
