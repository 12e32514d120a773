"""Whether telemetry can come from where workloads name it: buckets, metrics, streams, queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import boto3
from botocore.exceptions import ClientError

from cli.preflight.finding import Finding, Level
from lambdas.sources.metrics import MetricList
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec
from watchkeeper.spec.feeds import AthenaQuery, CloudWatch, Folders, KinesisStream
from watchkeeper.spec.telemetry import Source

_NO_BUCKET = ("404", "NoSuchBucket")
"""HeadBucket answers without a body, so its error has the status as its code."""


def check_sources(session: boto3.Session, workloads: Sequence[WorkloadSpec]) -> Iterator[Finding]:
    """Look at each source: is it there, in the region, and ready for what reads it."""
    for workload in workloads:
        match workload:
            case AnomalyWorkload(source=Source(folders=Folders() as folders)):
                yield _bucket(session, workload.name, folders.bucket, announced=folders.offset is None)
            case AnomalyWorkload(source=Source(cloudwatch=CloudWatch() as metrics)):
                yield _metrics(session, workload, metrics)
            case AnomalyWorkload(source=Source(kinesis=KinesisStream() as stream)):
                yield _stream(session, workload.name, stream)
            case AnomalyWorkload(source=Source(athena=AthenaQuery() as query)):
                yield _workgroup(session, workload.name, query.workgroup)


def _found(figures: dict[str, str], words: str) -> Finding:
    return Finding("sources", Level.GREEN, words, figures=figures)


def _missing(figures: dict[str, str], words: str, remedy: str) -> Finding:
    return Finding("sources", Level.YELLOW, words, remedy, figures)


def _metrics(session: boto3.Session, workload: AnomalyWorkload, metrics: CloudWatch) -> Finding:
    feed, listing = metrics.feed(), MetricList(session.client("cloudwatch"))
    by = ", ".join(workload.dimensions) or "no dimension"
    total = 0
    for column in feed.metrics:
        search = feed.search(column, workload.dimensions)
        series = sum(1 for _ in listing.found_by(search, workload.dimensions))
        if not series:
            of = (
                f"{feed.namespace} {column.metric} by {by}"
                if column.metric
                else f"that {column.search} finds"
            )
            namespace = min(search.namespaces or [""])
            return _missing(
                {"workload": workload.name, "namespace": namespace, "metric": column.metric or column.search},
                f"{workload.name}: CloudWatch has had no metric {of} for two weeks",
                f"aws cloudwatch list-metrics{f' --namespace {namespace}' if namespace else ''}: the "
                "workload's dimensions must be those of the metrics, each of them",
            )
        total += series
    fields = ", ".join(column.field for column in feed.metrics)
    figures = {"workload": workload.name, "namespace": feed.namespace, "metric": fields}
    return _found(figures, f"{workload.name}: CloudWatch has {total:,} metrics for {fields} by {by}")


def _stream(session: boto3.Session, workload: str, stream: KinesisStream) -> Finding:
    figures = {"workload": workload, "stream": stream.stream}
    client = session.client("kinesis")
    try:
        found = client.describe_stream_summary(StreamARN=stream.stream)["StreamDescriptionSummary"]
    except client.exceptions.ResourceNotFoundException:
        return Finding(
            "sources",
            Level.RED,
            f"there is no stream {stream.stream}, from which {workload} has its telemetry: its delivery "
            "stream could not be made",
            f"aws kinesis create-stream --stream-name {stream.stream.rpartition('/')[2]} "
            "--stream-mode-details StreamMode=ON_DEMAND, or name another one in source.kinesis.stream",
            figures,
        )
    key = str(found.get("KeyId") or "")
    if found.get("EncryptionType") == "KMS" and not key.endswith("alias/aws/kinesis") and not stream.kms_key:
        return _missing(
            figures,
            f"the stream of {workload} is encrypted with the key {key}, which nothing lets its delivery "
            "stream use",
            "name the key's ARN in source.kinesis.kms_key",
        )
    return _found(figures, f"the stream of {workload} is {found['StreamStatus'].lower()}")


def _workgroup(session: boto3.Session, workload: str, name: str) -> Finding:
    figures = {"workload": workload, "workgroup": name}
    try:
        found = session.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidRequestException":
            raise
        return _missing(
            figures,
            f"there is no workgroup {name}, in which the query of {workload} would run",
            f"aws athena create-work-group --name {name}, or name another one in source.athena.workgroup",
        )
    configuration = found.get("Configuration", {})
    place = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    if place and configuration.get("EnforceWorkGroupConfiguration"):
        return _missing(
            figures,
            f"the workgroup {name} writes all results to {place}, where the function of {workload} may not "
            "read",
            "name a workgroup in source.athena.workgroup that does not override the place of results",
        )
    return _found(figures, f"the workgroup {name} takes the query of {workload}")


def _bucket(session: boto3.Session, workload: str, bucket: str, *, announced: bool) -> Finding:
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
    if announced and "EventBridgeConfiguration" not in notifications:
        return Finding(
            "sources",
            Level.YELLOW,
            f"the bucket {bucket} of {workload} sends no events to EventBridge: no file is fetched",
            f"aws s3api put-bucket-notification-configuration --bucket {bucket} --notification-configuration "
            "'{\"EventBridgeConfiguration\": {}}' (it replaces what the bucket has: name that, too), or list "
            "its folders after each interval: source.folders.offset",
            figures,
        )
    said = "announces its files" if announced else "is there: its folders are listed"
    return Finding("sources", Level.GREEN, f"the bucket {bucket} {said}", figures=figures)
