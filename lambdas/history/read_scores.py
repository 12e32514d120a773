"""The function that reads scores back for the anomaly service, which asks it.

It has pyarrow, and the service's own function has not: that one starts sooner without.

Permissions
-----------
- `s3:ListBucket` on the data bucket; `s3:GetObject` under `scores/`, `scores-by-hour/` and `scores-by-day/`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from lambdas.history.effects import S3MergedObjects
from lambdas.history.reading import AT_ONCE, ReadableObjects, Wanted, read_columns, read_log, read_series
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
    """Answer as `answer_of`."""
    answer = answer_of(objects(), event)
    logger.info("read", extra={name: value for name, value in event.items() if isinstance(value, str)})
    return answer


def answer_of(objects: ReadableObjects, event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first `limit` score lines of a series from `since` until before `until`.

    `next` is the beginning of the first interval that had no place, or None. With `interval_seconds`, return
    `columns` of all of them: see `read_columns`. Without a series, return the `log` of the workload: its
    `intervals` and `events`.
    """
    wanted = Wanted(
        event["workload"], event.get("series"), parse_instant(event["since"]), parse_instant(event["until"])
    )
    if wanted.series is None:
        log = read_log(objects, wanted)
        return {
            "log": {
                "intervals": [one.to_dict() for one in log.intervals],
                "events": [one.to_dict() for one in log.events],
            }
        }
    if "interval_seconds" in event:
        length, goes_on = int(event["interval_seconds"]), bool(event["goes_on"])
        return {"columns": read_columns(objects, wanted, length, goes_on=goes_on)}
    lines = read_series(objects, wanted)
    limit = int(event["limit"])
    return {
        "scores": [line.to_dict() for line in lines[:limit]],
        "next": lines[limit].interval_start if len(lines) > limit else None,
    }
