"""Puts the console's site into its bucket when CloudFormation deploys it, and takes it out at the end.

The files are part of the function. Those with a hash in their name never change, so browsers keep them for
ever; of a deployment before they stay for a week, for pages that are open. Everything else is asked for anew
each time, and written last: a page never names a file that is not there yet.

Permissions
-----------
- `s3:PutObject`, `s3:DeleteObject` on the site's objects, `s3:ListBucket` on its bucket
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import urllib3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.runtime.typed_environment import TypedEnvironment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SITE = Path(__file__).resolve().parents[2] / "site"
"""In the function's bundle: what the build of `web/` made."""
PREFIX = "console/"
HASHED = "assets/"
CONFIGURATION = "config.json"
KEPT_FOR = timedelta(days=7)
IMMUTABLE = "public, max-age=31536000, immutable"
ALWAYS_ASKED = "no-cache"
ANSWERED_WITHIN_SECONDS = 20.0

_TEXT = ("application/json", "image/svg+xml", "application/manifest+json")


@dataclass(frozen=True, kw_only=True)
class DeploySiteEnvironment(TypedEnvironment):
    """What `deploy_site` is told when it is deployed."""

    service: ClassVar[str] = "deploy_site"

    site_bucket: str


logger = Logger(service=DeploySiteEnvironment.service)
tracer = Tracer(service=DeploySiteEnvironment.service)


@dataclass(frozen=True)
class SiteObject:
    """One object of the site."""

    key: str
    content: bytes
    content_type: str
    cache_control: str


def objects_of(folder: Path, configuration: Mapping[str, Any]) -> Iterator[SiteObject]:
    """Yield the objects of a site, those first that others name.

    Parameters
    ----------
    configuration
        What is in `config.json`.
    """
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    for name in sorted(names, key=lambda name: (not name.startswith(HASHED), name == "index.html", name)):
        if name == "index.html":  # the page asks for it first
            yield _object(CONFIGURATION, json.dumps(configuration, indent=1).encode())
        yield _object(name, (folder / name).read_bytes())


def put_site(
    client: S3Client, bucket: str, folder: Path, configuration: Mapping[str, Any], now: datetime
) -> tuple[int, int]:
    """Put a site and remove what is no more of it; return how many objects that were."""
    kept = set()
    for each in objects_of(folder, configuration):
        client.put_object(
            Bucket=bucket,
            Key=each.key,
            Body=each.content,
            ContentType=each.content_type,
            CacheControl=each.cache_control,
        )
        kept.add(each.key)
    old = [
        key
        for key, changed in _keys(client, bucket)
        if key not in kept and not (key.startswith(PREFIX + HASHED) and changed > now - KEPT_FOR)
    ]
    _remove(client, bucket, old)
    return len(kept), len(old)


def remove_site(client: S3Client, bucket: str) -> int:
    """Remove every object of the site, so that its bucket can go; return how many there were."""
    keys = [key for key, _ in _keys(client, bucket)]
    _remove(client, bucket, keys)
    return len(keys)


def carry_out(event: Mapping[str, Any], client: S3Client, bucket: str, now: datetime) -> dict[str, int]:
    """Do what CloudFormation asks, and return what was done."""
    if event["RequestType"] == "Delete":
        return {"removed": remove_site(client, bucket)}
    configuration = json.loads(event["ResourceProperties"]["Configuration"])
    put, removed = put_site(client, bucket, SITE, configuration, now)
    return {"put": put, "removed": removed}


def _object(name: str, content: bytes) -> SiteObject:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind in _TEXT:
        kind = f"{kind}; charset=utf-8"
    cache = IMMUTABLE if name.startswith(HASHED) else ALWAYS_ASKED
    return SiteObject(PREFIX + name, content, kind, cache)


def _keys(client: S3Client, bucket: str) -> Iterator[tuple[str, datetime]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        for each in page.get("Contents", []):
            yield each["Key"], each["LastModified"]


def _remove(client: S3Client, bucket: str, keys: list[str]) -> None:
    for key in keys:
        client.delete_object(Bucket=bucket, Key=key)


def _answer(event: Mapping[str, Any], status: str, reason: str, log_stream: str) -> None:
    document = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId") or f"{PREFIX}{event['LogicalResourceId']}",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    logger.info("answered", extra={"status": status, "reason": reason, "log_stream": log_stream})
    urllib3.PoolManager(
        timeout=ANSWERED_WITHIN_SECONDS, retries=urllib3.Retry(4, backoff_factor=0.5)
    ).request("PUT", event["ResponseURL"], body=json.dumps(document).encode(), headers={"content-type": ""})


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> None:
    """The entry point: CloudFormation waits for an answer, whatever happens."""
    bucket = DeploySiteEnvironment.from_environ().site_bucket
    try:
        done = carry_out(event, clients.s3(), bucket, datetime.now(timezone.utc))
    except Exception as error:
        logger.exception("the site is not deployed")
        _answer(event, "FAILED", f"{type(error).__name__}: {error}"[:1000], context.log_stream_name)
    else:
        _answer(event, "SUCCESS", json.dumps(done), context.log_stream_name)
