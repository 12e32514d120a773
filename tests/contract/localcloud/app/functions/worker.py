"""Records what it was given; fails on demand."""

import json
import os
from typing import Any

import boto3


class WorkError(Exception):
    """Asked for by the event."""


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write SQS bodies and bus events to the table; report asked-for failures of single messages."""
    if "Records" in event:
        return {"batchItemFailures": [{"itemIdentifier": failed} for failed in _records(event["Records"])]}
    if "detail-type" in event:
        _put(event["id"], json.dumps(event))
        return {}
    if event.get("fail"):
        raise WorkError("asked to fail")
    return {"answer": 2 * event.get("value", 0)}


def _records(records: list[dict[str, Any]]) -> list[str]:
    failed = []
    for record in records:
        if "poison" in record["body"]:
            failed.append(record["messageId"])
        else:
            _put(record["messageId"], record["body"])
    return failed


def _put(key: str, body: str) -> None:
    boto3.client("dynamodb").put_item(
        TableName=os.environ["TABLE"], Item={"pk": {"S": "seen"}, "sk": {"S": key}, "body": {"S": body}}
    )
