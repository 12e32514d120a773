"""Telemetry records: the one place where a line of input becomes numbers, or a reason why not.

Live telemetry is JSON lines, history is CSV or JSON lines; all of them end in `record_of`, so the rules
are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import MeasurePlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_microseconds, format_instant, parse_timestamp
from watchkeeper.telemetry.cells import is_empty, is_missing, parse_number, shown
from watchkeeper.telemetry.series import series_key

INGESTION_FIELDS = frozenset({"workload", "received_at"})
"""Fields that ingestion adds. They differ between two deliveries of a record, so they are not part of its
identity."""

MAX_CLOCK_LEAD_MICROSECONDS = 86_400_000_000
"""How far an event time may be ahead of `received_at`: one reading from the far future would close every
interval."""

RECORD_ID_LENGTH = 16

_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Record:
    """One reading of one device."""

    event_time: datetime
    """Aware, UTC."""
    dimensions: dict[str, str]
    measures: dict[str, float | None]
    """Value by measure name; None where the record does not have the measure."""
    record_id: str
    """16 hexadecimal characters, the same for every delivery of the record."""


def parse_record(line: str | bytes, plan: WorkloadPlan) -> Record:
    """Read one JSON object.

    Raises
    ------
    InvalidInputError
        With reason `not_json`, or one of those of `record_of`.
    """
    return record_of(parse_object(line), plan)


def parse_object(line: str | bytes) -> dict[str, Any]:
    """Read the fields of one JSON object, whatever they are.

    Raises
    ------
    InvalidInputError
        With reason `not_json`.
    """
    try:
        text = line.decode("utf-8-sig") if isinstance(line, bytes) else line.removeprefix("\ufeff")
        document = json.loads(text)
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"not a JSON object: byte 0x{line[error.start]:02x} is not UTF-8", reason="not_json"
        ) from error
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"not a JSON object: character {error.pos + 1}, {shown(error.doc[error.pos :])}, is out of place",
            reason="not_json",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            "not a JSON object: nested too deep, or a number of too many digits", reason="not_json"
        ) from error
    found = object_of(document)
    if isinstance(found, InvalidInputError):
        raise found
    return found


def object_of(document: object) -> dict[str, Any] | InvalidInputError:
    """Return the fields of a JSON value that is an object, or why another one is refused."""
    if isinstance(document, dict):
        return document
    kinds = {list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return InvalidInputError(
        f"expected a JSON object, got {kinds.get(type(document), 'a number')}", reason="not_json"
    )


def record_of(fields: Mapping[str, Any], plan: WorkloadPlan) -> Record:
    """Read a record's fields. Numbers may be written as text, as in CSV; empty text is a missing
    value, and so are the words of `cells.MISSING` for a number or a time.

    For a measure whose aggregate is `count`, the field only has to be there, and its value is 1.

    Raises
    ------
    InvalidInputError
        With reason `missing_timestamp`, `bad_timestamp`, `future_timestamp` (more than a day after
        `received_at`), `missing_dimension`, `bad_dimension`, `not_a_number`, `not_finite`,
        `out_of_range`, `missing_measures` (none of the plan's measures) or `missing_record_id`.
    """
    event_time = _event_time(fields, plan)
    dimensions = {name: _dimension(fields, name) for name in plan.dimensions}
    measures = {measure.name: _measure(fields, measure) for measure in plan.measures}
    if all(value is None for value in measures.values()):
        names = ", ".join(sorted({measure.field for measure in plan.measures}))
        raise InvalidInputError(f"none of the measures' fields is there: {names}", reason="missing_measures")
    for name in measures if dimensions else ():
        series_key(name, dimensions, plan)
    return Record(event_time, dimensions, measures, _record_id(fields, plan))


def by_series(records: Iterable[Record], plan: WorkloadPlan) -> dict[str, list[Record]]:
    """Group records by series; a record is in as many groups as it has measures."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        for name, value in record.measures.items():
            if value is not None:
                groups.setdefault(series_key(name, record.dimensions, plan), []).append(record)
    return groups


def _event_time(fields: Mapping[str, Any], plan: WorkloadPlan) -> datetime:
    value = fields.get(plan.timestamp.field)
    if is_missing(value):
        raise InvalidInputError(f"field {plan.timestamp.field!r} is missing", reason="missing_timestamp")
    event_time = parse_timestamp(value, plan.timestamp)
    received_at = fields.get("received_at")
    if not isinstance(received_at, int) or isinstance(received_at, bool):
        return event_time
    if event_time < EPOCH:
        raise InvalidInputError(
            f"event time {format_instant(event_time)} is before 1970, and the record has just arrived: "
            "is the device's clock wrong?",
            reason="bad_timestamp",
        )
    if epoch_microseconds(event_time) > received_at * 1000 + MAX_CLOCK_LEAD_MICROSECONDS:
        raise InvalidInputError(
            f"event time {format_instant(event_time)} is more than a day after its arrival: "
            "is the device's clock wrong?",
            reason="future_timestamp",
        )
    return event_time


def _dimension(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if is_empty(value):
        raise InvalidInputError(f"dimension {name!r} is missing", reason="missing_dimension")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | int):
        return str(value)
    raise InvalidInputError(
        f"dimension {name!r}: {shown(value)} is neither text nor a whole number", reason="bad_dimension"
    )


def _measure(fields: Mapping[str, Any], measure: MeasurePlan) -> float | None:
    value = fields.get(measure.field)
    if is_missing(value):
        return None
    return 1.0 if measure.aggregate == "count" else parse_number(value, f"measure {measure.field!r}")


def _record_id(fields: Mapping[str, Any], plan: WorkloadPlan) -> str:
    if plan.record_id_field is not None:
        value = fields.get(plan.record_id_field)
        if is_empty(value):
            raise InvalidInputError(
                f"record id field {plan.record_id_field!r} is missing", reason="missing_record_id"
            )
        return short_hash(json.dumps(_canonical(value), sort_keys=True), RECORD_ID_LENGTH)
    content = {
        name: _canonical(value)
        for name, value in fields.items()
        if name not in INGESTION_FIELDS and not is_empty(value)
    }
    return short_hash(json.dumps(content, sort_keys=True), RECORD_ID_LENGTH)


def _canonical(value: object) -> object:
    """Write a number the same whether it came as `7`, `7.0` or the text of a CSV cell."""
    if isinstance(value, str):
        text = value.strip()
        if not _JSON_NUMBER.fullmatch(text):
            return text
        value = json.loads(text)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
