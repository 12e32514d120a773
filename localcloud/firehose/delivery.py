"""Turns one segment into S3 objects: one a partition, and one for the records that failed."""

import base64
import gzip
import json
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass

from localcloud.firehose.configuration import Destination, RecordError
from localcloud.firehose.journal import Segment

_PROCESSING_FAILED = "processing-failed"
_GZIP_LEVEL = 1  # as fast as it goes; the size on a laptop's disk does not matter


@dataclass(frozen=True, slots=True)
class S3Object:
    """What is to be written, and how many records it holds."""

    key: str
    body: bytes
    records: int


def build_objects(stream: str, version: int, destination: Destination, segment: Segment) -> list[S3Object]:
    """Group a segment's records by partition and build an object for each group.

    The same segment gives the same keys whenever it is built.
    """
    arrived_at = segment.arrived_at
    groups: dict[tuple[tuple[str, str], ...], list[bytes]] = defaultdict(list)
    failed: list[tuple[bytes, str]] = []
    for record in segment.records():
        partition, problem = _partition(destination, record)
        if problem is None:
            groups[partition].append(record)
        else:
            failed.append((record, problem))
    moment = time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime(arrived_at))
    objects = []
    for partition, records in groups.items():
        prefix = destination.key_prefix(partition, arrived_at)
        suffix = uuid.uuid5(segment.identity, prefix)
        body = b"".join(part for record in records for part in (record, destination.delimiter))
        if destination.gzip:
            body = gzip.compress(body, compresslevel=_GZIP_LEVEL, mtime=0)
        key = f"{prefix}{stream}-{version}-{moment}-{suffix}{destination.extension}"
        objects.append(S3Object(key, body, len(records)))
    if failed:
        prefix = destination.error_key_prefix(_PROCESSING_FAILED, arrived_at)
        suffix = uuid.uuid5(segment.identity, prefix)
        lines = b"".join(_error_line(record, message, arrived_at) for record, message in failed)
        objects.append(S3Object(f"{prefix}{stream}-{version}-{moment}-{suffix}", lines, len(failed)))
    return objects


def _partition(destination: Destination, record: bytes) -> tuple[tuple[tuple[str, str], ...], str | None]:
    try:
        return destination.partition(record), None
    except RecordError as error:
        return (), str(error)


def _error_line(record: bytes, message: str, arrived_at: float) -> bytes:
    now = int(time.time() * 1000)
    document = {
        "attemptsMade": 1,
        "arrivalTimestamp": int(arrived_at * 1000),
        "errorCode": "DynamicPartitioning.MetadataExtractionFailed",
        "errorMessage": message,
        "attemptEndingTimestamp": now,
        "rawData": base64.b64encode(record).decode(),
    }
    return json.dumps(document).encode() + b"\n"
