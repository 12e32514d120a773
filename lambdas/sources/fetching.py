"""One file of a source, as objects under `raw/`: lines that are records, and what is refused and why."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

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
    added = {"workload": plan.workload, "received_at": int(arrived_at.timestamp() * 1000)}

    def write() -> None:
        nonlocal objects
        body = gzip.compress("".join(waiting).encode(), compresslevel=6, mtime=0)
        store.write_once(ObjectUri(bucket, f"{prefix}{objects:04}.jsonl.gz"), body)
        objects += 1
        waiting.clear()

    try:
        for line in _lines(found, plan, store, place):
            if isinstance(line.outcome, Record):
                waiting.append(json.dumps({**line.fields, **added}, default=str) + "\n")
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


def _lines(found: CreatedObject, plan: WorkloadPlan, store: ObjectStore, place: str) -> Iterator[HistoryLine]:
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
