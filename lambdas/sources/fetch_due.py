"""The function that asks one workload's source for the intervals that have ended.

Permissions
-----------
- `s3:GetObject`, `s3:PutObject` on `DATA_BUCKET/raw/workload=WORKLOAD/*`; `s3:ListBucket` there;
  `s3:PutObject` on `DATA_BUCKET/quarantine/WORKLOAD/*`; the data key
- `ssm:GetParameter` on `parameter/watchkeeper/WORKLOAD/plan`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
- of CloudWatch: `cloudwatch:ListMetrics`, `cloudwatch:GetMetricData`, which have no resource
- of folders: `s3:GetObject` below their prefix in the source's bucket, `s3:ListBucket` there; `kms:Decrypt`
  with the bucket's key, where it has its own
- of Athena: `athena:StartQueryExecution`, `athena:GetQueryExecution` on the workgroup; `glue:GetDatabase`,
  `glue:GetTable`, `glue:GetTables`, `glue:GetPartition`, `glue:GetPartitions` on the catalog, the database
  and its tables; `s3:GetBucketLocation`, `s3:ListBucket`, `s3:GetObject` where the tables' files are, and
  `kms:Decrypt` with their key; `s3:GetObject`, `s3:PutObject`, `s3:AbortMultipartUpload`,
  `s3:ListMultipartUploadParts` on `DATA_BUCKET/queries/WORKLOAD/*`, `s3:GetBucketLocation`, `s3:ListBucket`
  there
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import ClassVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.object_store import S3ObjectStore
from lambdas.adapters.plan_store import ParameterPlanStore
from lambdas.runtime.queue_handler import queue_handler
from lambdas.runtime.typed_environment import TypedEnvironment
from lambdas.sources.asking import Asker
from lambdas.sources.delivering import deliver
from lambdas.sources.due import due_of
from lambdas.sources.fetching import Fetched, fetch
from lambdas.sources.listing import FolderListing
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.telemetry.feeds import Feed, Window, feed_from_json, feed_name, window_due


@dataclass(frozen=True, kw_only=True)
class FetchDueEnvironment(TypedEnvironment):
    """What `fetch_due` is told when it is deployed."""

    service: ClassVar[str] = "fetch_due"

    workload: str
    feed: str
    """What is asked: `watchkeeper.telemetry.feeds.feed_to_json`."""
    offset_seconds: str
    """How long after an interval's end it is asked for."""
    data_bucket: str


logger = Logger(service=FetchDueEnvironment.service)


@functools.cache
def plans() -> ParameterPlanStore:
    """Return the plans of this process."""
    return ParameterPlanStore(clients.ssm())


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Fetch what is due at the time that one message says."""
    environment = FetchDueEnvironment.from_environ()
    due = due_of(record.body)
    plan, feed = plans().plan_of(environment.workload), feed_from_json(environment.feed)
    window = window_due(epoch_seconds(due.at), plan, int(environment.offset_seconds))
    asker = Asker(clients, S3ObjectStore(clients.s3()), environment.data_bucket, due.at)
    for fetched in _fetched(asker, feed, plan, window):
        log = logger.warning if fetched.refused else logger.info
        times = {"from": format_instant(window.begin), "to": format_instant(window.end)}
        log("fetched", extra={**times, **asdict(fetched)})


def _fetched(asker: Asker, feed: Feed, plan: WorkloadPlan, window: Window) -> Iterator[Fetched]:
    source, store, bucket = asker.source_of(feed, plan), asker.store, asker.bucket
    if isinstance(source, FolderListing):
        for found in source.files(window):  # a file is one delivery, however often it is listed
            yield fetch(found, found.created_at or asker.now, plan, store, bucket)
    else:
        yield deliver(source.lines(window), feed_name(feed), asker.now, plan, store, bucket)


handle = queue_handler(handle_message, FetchDueEnvironment)
"""The entry point."""
