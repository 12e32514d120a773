"""The lines of an object of telemetry: records, and what is refused and why."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.telemetry.decoding import GZIP_MAGIC
from watchkeeper.telemetry.quarantine import quarantine_line
from watchkeeper.telemetry.records import Record, reader_of


class AcceptedLine(NamedTuple):
    """A line that is a record."""

    number: int
    """From 1."""
    text: bytes
    record: Record


@dataclass(frozen=True)
class Refusal:
    """A line of telemetry, or a row of a model, that is quarantined."""

    number: int
    """Of the line, from 1; 0 for what is no line of the object."""
    reason: str
    message: str
    text: str = ""
    source: str | None = None
    """Where it is not of the object itself: of a row, its series and interval."""


@dataclass(frozen=True)
class ObjectLines:
    """All of an object's lines, sorted out."""

    accepted: tuple[AcceptedLine, ...] = ()
    refused: tuple[Refusal, ...] = ()

    def readings(self, plan: WorkloadPlan) -> Readings:
        """Return what the records say, as columns."""
        lines = ((line.number, line.text, line.record) for line in self.accepted)
        refused = Counter(one.reason for one in self.refused)
        return Readings.of(lines, plan, sorted(refused.items()))

    @property
    def received_at_milliseconds(self) -> int | None:
        """When ingestion got the last accepted line, where it says so."""
        return self.accepted[-1].record.received_at if self.accepted else None


def sort_lines(body: bytes | None, plan: WorkloadPlan) -> ObjectLines:
    """Parse an object: JSON lines, gzipped or not. What cannot be read is refused, and nothing is dropped."""
    if body is None:
        return ObjectLines(
            refused=(Refusal(0, "object_missing", "the object was deleted before it was read"),)
        )
    if body.startswith(GZIP_MAGIC):
        try:
            body = gzip.decompress(body)
        except (EOFError, OSError, zlib.error) as error:
            return ObjectLines(refused=(Refusal(0, "bad_gzip", f"the object cannot be unpacked: {error}"),))
    reader = reader_of(plan)
    accepted: list[AcceptedLine] = []
    refused: list[Refusal] = []
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            accepted.append(AcceptedLine(number, line, reader.parse(line)))
        except InvalidInputError as error:
            refused.append(Refusal(number, error.reason, str(error), _text(line)))
    return ObjectLines(tuple(accepted), tuple(refused))


def quarantine_document(source: Source, refusals: Iterable[Refusal]) -> bytes:
    """Write refusals as JSON lines, in the order of the source; the same refusals give the same bytes."""
    return "".join(
        quarantine_line(source.place, one.number, one.reason, one.message, one.text, version=source.version)
        if one.source is None
        else quarantine_line(one.source, one.number, one.reason, one.message, one.text)
        for one in sorted(refusals, key=lambda refusal: refusal.number)
    ).encode()


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="backslashreplace")
