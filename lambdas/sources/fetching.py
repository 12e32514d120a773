"""One file of a source, as objects under `raw/`: lines that are records, and what is refused and why."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.runtime.created_object import CreatedObject
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.history import History, HistoryLine
from watchkeeper.telemetry.quarantine import quarantine_line
from watchkeeper.telemetry.records import Record

LINES_AN_OBJECT = 20_000
"""So many readings are scored well within the time that the scoring function has for an object."""
MAX_BYTES = 200_000_000
"""Of a file: it is held in memory as a whole."""


@dataclass(frozen=True)
class Fetched:
    """What became of a file."""

    lines: int
    refused: int
    objects: int


def fetch(
    found: CreatedObject, arrived_at: datetime, plan: WorkloadPlan, store: ObjectStore, bucket: str
) -> Fetched:
    """Write a file's records where they are scored, and keep what is refused.

    The same file gives the same objects: a second delivery of its event writes nothing new.

    Parameters
    ----------
    arrived_at
        Aware; when the file was written.
    bucket
        The data bucket.

    Raises
    ------
    UnavailableError
        If S3 does not answer: the message must come again.
    """
    place = f"s3://{found.bucket}/{found.key}"
    identity = f"{place}#{found.version}"
    refused: list[str] = []

    def refuse(line: int, error: InvalidInputError, text: str = "") -> None:
        refused.append(quarantine_line(place, line, error.reason, str(error), text, version=found.version))

    lines, objects, waiting = 0, 0, list[str]()
    prefix = layout.fetched_prefix(plan.workload, arrived_at, identity)

    def write() -> None:
        nonlocal objects
        store.write_once(ObjectUri(bucket, part_key(prefix, objects)), packed(waiting))
        objects += 1
        waiting.clear()

    try:
        for line in file_lines(found, plan, store):
            if isinstance(line.outcome, Record):
                waiting.append(raw_line(line.fields, plan, arrived_at))
                lines += 1
            else:
                refuse(line.number, line.outcome, line.text)
            if len(waiting) == LINES_AN_OBJECT:
                write()
    except InvalidInputError as error:
        refuse(0, error)
    if waiting:
        write()
    if refused:
        key = layout.quarantine_key(plan.workload, identity)
        store.write(ObjectUri(bucket, key), "".join(refused).encode())
    return Fetched(lines, len(refused), objects)


def raw_line(fields: Mapping[str, Any], plan: WorkloadPlan, arrived_at: datetime) -> str:
    """Return a record as a line of telemetry, with what ingestion adds."""
    added = {"workload": plan.workload, "received_at": int(arrived_at.timestamp() * 1000)}
    return json.dumps({**fields, **added}, default=str) + "\n"


def part_key(prefix: str, number: int) -> str:
    """Return the key of one of the objects that the lines of a source are in."""
    return f"{prefix}{number:04}.jsonl.gz"


def packed(lines: Iterable[str]) -> bytes:
    """Return lines as an object has them: the same lines are the same bytes."""
    return gzip.compress("".join(lines).encode(), compresslevel=6, mtime=0)


def file_lines(found: CreatedObject, plan: WorkloadPlan, store: ObjectStore) -> Iterator[HistoryLine]:
    """Give the lines of a file, each with its record or why it is refused.

    Raises
    ------
    InvalidInputError
        If the file as a whole cannot be read.
    UnavailableError
        If S3 does not answer.
    """
    place = f"s3://{found.bucket}/{found.key}"
    if found.n_bytes > MAX_BYTES:
        raise InvalidInputError(
            f"{place} has {found.n_bytes / 1e6:,.0f} MB, more than {MAX_BYTES / 1e6:,.0f}: write several "
            "files of an interval",
            reason="too_large",
        )
    body = store.read(ObjectUri(found.bucket, found.key), found.version_id)
    if body is None:
        raise InvalidInputError("the object was deleted before it was read", reason="object_missing")
    yield from History(io.BytesIO(body), plan, place)
