"""The function that fetches one workload's telemetry from a bucket in which each interval has a folder.

Permissions
-----------
- `s3:GetObject`, `s3:GetObjectVersion` below the folders' prefix in the source's bucket; `s3:ListBucket`
  there (without it an absent key answers 403); `kms:Decrypt` with the bucket's key, where it has its own
- `s3:GetObject`, `s3:PutObject` on `DATA_BUCKET/raw/workload=WORKLOAD/*`; `s3:PutObject` on
  `DATA_BUCKET/quarantine/WORKLOAD/*`; the data key
- `ssm:GetParameter` on `parameter/watchkeeper/WORKLOAD/plan`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import ClassVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.object_store import S3ObjectStore
from lambdas.adapters.plan_store import ParameterPlanStore
from lambdas.runtime.created_object import created_object
from lambdas.runtime.queue_handler import queue_handler
from lambdas.runtime.typed_environment import TypedEnvironment
from lambdas.sources.fetching import fetch
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.folders import FolderPath


@dataclass(frozen=True, kw_only=True)
class FetchTelemetryEnvironment(TypedEnvironment):
    """What `fetch_telemetry` is told when it is deployed."""

    service: ClassVar[str] = "fetch_telemetry"

    workload: str
    folders: str
    """Path of the folders, with its date parts."""
    data_bucket: str


logger = Logger(service=FetchTelemetryEnvironment.service)


@functools.cache
def plans() -> ParameterPlanStore:
    """Return the plans of this process."""
    return ParameterPlanStore(clients.ssm())


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Fetch the file that one message announces."""
    environment = FetchTelemetryEnvironment.from_environ()
    found = created_object(record.body)
    if found.created_at is None:
        raise InvalidInputError(f"the event of {found.key} has no time", reason="bad_event")
    if not FolderPath(environment.folders).holds(found.key):
        logger.info("not a file of an interval's folder", extra={"object": found.key})
        return
    plan = plans().plan_of(environment.workload)
    store = S3ObjectStore(clients.s3())
    fetched = fetch(found, found.created_at, plan, store, environment.data_bucket)
    log = logger.warning if fetched.refused else logger.info
    log("fetched", extra={"object": found.key, **asdict(fetched)})


handle = queue_handler(handle_message, FetchTelemetryEnvironment)
"""The entry point."""
