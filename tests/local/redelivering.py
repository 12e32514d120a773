"""Giving the scoring function its events again, and everything that it may have changed by that."""

import json
from typing import Any
from uuid import uuid4

from tests.local.laptop import Laptop
from watchkeeper.core import layout
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes, to_bytes


def announcements(laptop: Laptop, workload: str) -> list[dict[str, Any]]:
    """Return a queue's message for every object of a workload's telemetry, as EventBridge sends it."""
    pages = laptop.client("s3").get_paginator("list_object_versions")
    found = pages.paginate(Bucket=laptop.bucket, Prefix=layout.raw_prefix(workload))
    return [_message(laptop, workload, version) for page in found for version in page["Versions"]]


def redeliver(laptop: Laptop, messages: list[dict[str, Any]]) -> None:
    """Give messages to the scoring function, which must fail none of them."""
    answer = laptop.client("lambda").invoke(
        FunctionName=laptop.outputs["ScoreTelemetryFunctionName"], Payload=json.dumps({"Records": messages})
    )
    assert "FunctionError" not in answer
    assert json.load(answer["Payload"]) == {"batchItemFailures": []}


def forget_what_was_done(laptop: Laptop) -> None:
    """Delete every idempotency record, as their expiry does; who was told of what stays."""
    client, table = laptop.client("dynamodb"), laptop.outputs["IdempotencyTableName"]
    for page in client.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            if not item["id"]["S"].startswith(("throttle#", "told#")):
                client.delete_item(TableName=table, Key={"id": item["id"]})


def written(laptop: Laptop, workload: str) -> dict[str, Any]:
    """Return everything that scoring has written of a workload, as it is stored."""
    prefixes = (layout.scores_prefix(workload), f"{layout.QUARANTINE}/{workload}/")
    return {
        "objects": {key: laptop.read(key) for prefix in prefixes for key in laptop.keys(prefix)},
        "anomalies": [item["document"] for item in laptop.items("Anomalies", workload)],
        "pages": [to_bytes(page) for page in pages_of(laptop, workload)],
    }


def pages_of(laptop: Laptop, workload: str) -> list[Page]:
    """Return the pages of a workload's shelves, whatever still waits to be known as written."""
    client, bucket = laptop.client("s3"), laptop.outputs["PageBucketName"]
    found = client.list_objects_v2(Bucket=bucket, Prefix=layout.pages_prefix(workload)).get("Contents", [])
    bodies = [client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found]
    return [from_bytes(body) for body in bodies]


def _message(laptop: Laptop, workload: str, version: dict[str, Any]) -> dict[str, Any]:
    queue = laptop.outputs["ScoreQueueUrl"].rpartition("/")[2]
    found = {
        "key": version["Key"],
        "version-id": version["VersionId"],
        "etag": version["ETag"].strip('"'),
    }
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": laptop.bucket}, "object": found},
    }
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "again",
        "body": json.dumps(event),
        "attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": workload},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
        "awsRegion": "us-east-1",
    }
