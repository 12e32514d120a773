"""An object of telemetry: the event that announces it, its lines, and what was refused of it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.decoding import GZIP_MAGIC
from watchkeeper.telemetry.quarantine import quarantine_line
from watchkeeper.telemetry.records import Record, parse_record


@dataclass(frozen=True)
class TelemetryObject:
    """An object under `raw/`, at one version of its content."""

    bucket: str
    key: str
    version: str
    """Version id, or the entity tag where the bucket is not versioned."""
    version_id: str | None = None

    @property
    def workload(self) -> str:
        """The workload in its key."""
        return layout.workload_of_raw_key(self.key)

    @property
    def object_id(self) -> str:
        """Identifies the content: the same for every announcement of it."""
        return f"{self.key}#{self.version}"


@dataclass(frozen=True)
class AcceptedLine:
    """A line that is a record."""

    number: int
    """From 1."""
    text: bytes
    record: Record


@dataclass(frozen=True)
class Refusal:
    """A line, or with number 0 the whole object, that is quarantined."""

    number: int
    reason: str
    message: str
    text: str = ""


@dataclass(frozen=True)
class ObjectLines:
    """All of an object's lines, sorted out."""

    accepted: tuple[AcceptedLine, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def received_at_milliseconds(self) -> int | None:
        """When ingestion got the last accepted line, where it says so."""
        if not self.accepted:
            return None
        received_at = json.loads(self.accepted[-1].text.decode("utf-8-sig")).get("received_at")
        return received_at if isinstance(received_at, int) else None


def announced_object(message: str) -> TelemetryObject:
    """Read EventBridge's `Object Created` event of S3. Unlike S3's own notifications it has the key as it is.

    Raises
    ------
    InvalidInputError
        If the message is not such an event, or the object is not under `raw/`.
    """
    try:
        detail = json.loads(message)["detail"]
        found = detail["object"]
        version_id = found.get("version-id") or None
        announced = TelemetryObject(
            bucket=detail["bucket"]["name"],
            key=found["key"],
            version=version_id or found["etag"],
            version_id=version_id,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not an 'Object Created' event of S3: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
    layout.workload_of_raw_key(announced.key)
    return announced


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
    accepted: list[AcceptedLine] = []
    refused: list[Refusal] = []
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            accepted.append(AcceptedLine(number, line, parse_record(line, plan)))
        except InvalidInputError as error:
            refused.append(Refusal(number, error.reason, str(error), _text(line)))
    return ObjectLines(tuple(accepted), tuple(refused))


def late_lines(lines: ObjectLines, late_record_ids: set[str]) -> list[Refusal]:
    """Return the refusals of accepted lines whose record came too late."""
    return [
        Refusal(line.number, "late", "its interval had closed before the object came", _text(line.text))
        for line in lines.accepted
        if line.record.record_id in late_record_ids
    ]


def quarantine_document(source: TelemetryObject, refusals: Iterable[Refusal]) -> bytes:
    """Write refusals as JSON lines, in the order of the source; the same refusals give the same bytes."""
    return "".join(
        quarantine_line(
            f"s3://{source.bucket}/{source.key}",
            refusal.number,
            refusal.reason,
            refusal.message,
            refusal.text,
            version=source.version,
        )
        for refusal in sorted(refusals, key=lambda refusal: refusal.number)
    ).encode()


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="backslashreplace")
