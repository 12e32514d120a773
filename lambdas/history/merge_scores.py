"""The function that merges scores objects, every hour.

Permissions
-----------
- `s3:ListBucket` on the data bucket; `s3:GetObject` under `scores/`, `scores-by-hour/` and `scores-by-day/`;
  `s3:PutObject` under the last two, with the data key
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.history.effects import S3MergedObjects
from lambdas.history.merging import merge_all
from lambdas.runtime.typed_environment import TypedEnvironment

RESERVE_MILLISECONDS = 240_000
"""A day of a workload is begun only with so much time left."""


@dataclass(frozen=True, kw_only=True)
class MergeScoresEnvironment(TypedEnvironment):
    """Where the scores are."""

    service: ClassVar[str] = "merge_scores"
    data_bucket: str


logger = Logger(service=MergeScoresEnvironment.service)
tracer = Tracer(service=MergeScoresEnvironment.service)


@functools.cache
def objects() -> S3MergedObjects:
    """Return the bucket of this process."""
    return S3MergedObjects(clients.s3(), MergeScoresEnvironment.from_environ().data_bucket)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> None:
    """Merge what has come since the last run; the event is a schedule's and has the time of it."""
    now = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    report = merge_all(objects(), now, lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS)
    logger.info("merged", extra=asdict(report))
