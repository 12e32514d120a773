"""The function that reads scores back for the anomaly service, which asks it.

It has pyarrow, and the service's own function has not: that one starts sooner without.

Permissions
-----------
- `s3:ListBucket` on the data bucket; `s3:GetObject` under `scores/`, `scores-by-hour/` and `scores-by-day/`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from lambdas.history.effects import S3MergedObjects
from lambdas.history.reading import AT_ONCE, Wanted, read_columns, read_series
from lambdas.runtime.typed_environment import TypedEnvironment
from watchkeeper.core.timestamps import parse_instant


@dataclass(frozen=True, kw_only=True)
class ReadScoresEnvironment(TypedEnvironment):
    """Where the scores are."""

    service: ClassVar[str] = "read_scores"
    data_bucket: str


logger = Logger(service=ReadScoresEnvironment.service)
tracer = Tracer(service=ReadScoresEnvironment.service)


@functools.cache
def objects() -> S3MergedObjects:
    """Return the bucket of this process."""
    client = boto3.client("s3", config=Config(max_pool_connections=AT_ONCE))
    return S3MergedObjects(client, ReadScoresEnvironment.from_environ().data_bucket)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the first `limit` score lines of a series from `since` until before `until`.

    `next` is the beginning of the first interval that had no place, or None. With `interval_seconds`, return
    `columns` of all of them: see `read_columns`.
    """
    wanted = Wanted(
        event["workload"], event["series"], parse_instant(event["since"]), parse_instant(event["until"])
    )
    if "interval_seconds" in event:
        columns = read_columns(
            objects(), wanted, int(event["interval_seconds"]), goes_on=bool(event["goes_on"])
        )
        logger.info("read", extra={**asdict(wanted), "points": len(columns["start"])})
        return {"columns": columns}
    lines = read_series(objects(), wanted)
    limit = int(event["limit"])
    logger.info("read", extra={**asdict(wanted), "lines": len(lines)})
    return {
        "scores": [line.to_dict() for line in lines[:limit]],
        "next": lines[limit].interval_start if len(lines) > limit else None,
    }
