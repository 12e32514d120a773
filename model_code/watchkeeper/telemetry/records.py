"""Telemetry records: the one place where a line of input becomes numbers, or a reason why not.

Live telemetry is JSON lines, history is CSV or JSON lines; all of them end in `record_of`, so the rules
are the same.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard, TypeVar

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import epoch_microseconds, format_instant, parse_timestamp
from watchkeeper.telemetry.cells import MAX_MAGNITUDE, is_empty, is_missing, parse_number, shown
from watchkeeper.telemetry.series import key_of, series_key

Key = TypeVar("Key")
Value = TypeVar("Value")

INGESTION_FIELDS = frozenset({"workload", "received_at"})
"""Fields that ingestion adds. They differ between two deliveries of a record, so they are not part of its
identity."""

MAX_CLOCK_LEAD_MICROSECONDS = 86_400_000_000
"""How far an event time may be ahead of `received_at`: one reading from the far future would close every
interval."""

RECORD_ID_LENGTH = 16

REMEMBERED = 16_384
"""Times, places, shapes and texts that a reader remembers, of each so many."""
LONGEST_REMEMBERED = 256
"""Characters of a text, or of a shape's names."""

_TEXT = {str}
_FROM_JSON = json.JSONDecoder().decode
_AS_JSON = json.JSONEncoder(sort_keys=True).encode
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
    received_at: int | None = dataclasses.field(default=None, compare=False)
    """When ingestion got it, in milliseconds since 1970, where that is said."""
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Of measures that count different values: what identifies the record's one, written as `record_id`."""

    def identity_of(self, measure: str) -> int:
        """Return what a reading of a measure counts once by, in 64 bits: its record, or its value."""
        return int(self.values.get(measure, self.record_id), 16)


def parse_record(line: str | bytes, plan: WorkloadPlan) -> Record:
    """Read one JSON object.

    Raises
    ------
    InvalidInputError
        With reason `not_json`, or one of those of `record_of`.
    """
    return reader_of(plan).parse(line)


def parse_object(line: str | bytes) -> dict[str, Any]:
    """Read the fields of one JSON object, whatever they are.

    Raises
    ------
    InvalidInputError
        With reason `not_json`.
    """
    try:
        text = line.decode() if isinstance(line, bytes) else line
        document = _FROM_JSON(text.removeprefix("\ufeff"))
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
    """Read a record's fields; see `RecordReader.record_of`."""
    return reader_of(plan).record_of(fields)


def reader_of(plan: WorkloadPlan) -> RecordReader:
    """Return what reads a plan's records; who reads many of them asks once."""
    return _reader(plan.timestamp, plan.dimensions, plan.measures, plan.record_id_field)


class RecordReader:
    """Reads the records of one plan, and remembers what records have in common: times, dimensions,
    names of fields.

    What it says of a record does not depend on the records before it. Threads may share it.

    Parameters
    ----------
    timestamp, dimensions, measures, record_id_field
        Of the plan.
    """

    def __init__(
        self,
        timestamp: TimestampPlan,
        dimensions: tuple[str, ...],
        measures: tuple[MeasurePlan, ...],
        record_id_field: str | None,
    ) -> None:
        self._timestamp = timestamp
        self._dimensions = dimensions
        self._measures = tuple((measure.name, measure.field, measure.counts) for measure in measures)
        self._distinct = tuple(
            (measure.name, measure.field) for measure in measures if measure.aggregate == "distinct"
        )
        self._record_id_field = record_id_field
        self._times: dict[Any, tuple[datetime, int]] = {}
        """By what is written: text or an integer."""
        self._places: dict[tuple[str, ...], dict[str, str]] = {}
        self._shapes: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        """By the names of a record's fields: those that are part of its identity, in order, as JSON."""
        self._texts: dict[str, str] = {}
        """What a field's text is in JSON; empty where it is no value."""

    def parse(self, line: str | bytes) -> Record:
        """Read one JSON object.

        Raises
        ------
        InvalidInputError
            With reason `not_json`, or one of those of `record_of`.
        """
        return self.record_of(parse_object(line))

    def record_of(self, fields: Mapping[str, Any]) -> Record:
        """Read a record's fields. Numbers may be written as text, as in CSV; empty text is a missing
        value, and so are the words of `cells.MISSING` for a number or a time.

        For a measure whose aggregate is `count` or `distinct`, the field only has to be there, and its value
        is 1.

        Raises
        ------
        InvalidInputError
            With reason `missing_timestamp`, `bad_timestamp`, `future_timestamp` (more than a day after
            `received_at`), `missing_dimension`, `bad_dimension`, `not_a_number`, `not_finite`,
            `out_of_range`, `missing_measures` (none of the plan's measures) or `missing_record_id`.
        """
        event_time, received_at = self._event_time(fields)
        written = tuple([fields.get(name) for name in self._dimensions])
        known = self._places.get(written) if _are_texts(written) else None
        dimensions = self._dimensions_of(fields) if known is None else dict(known)
        measures: dict[str, float | None] = {}
        nothing = True
        for name, field, counts in self._measures:
            value = fields.get(field)
            if type(value) is not float or not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
                measures[name] = value = _measure(value, field, counts=counts)
            else:
                measures[name] = 1.0 if counts else value
            nothing = nothing and value is None
        if nothing:
            names = ", ".join(sorted({field for _, field, _ in self._measures}))
            raise InvalidInputError(
                f"none of the measures' fields is there: {names}", reason="missing_measures"
            )
        if known is None and dimensions:
            for name in measures:
                key_of(name, self._dimensions, tuple(dimensions.values()))
            if _are_texts(written):
                _remember(self._places, written, dict(dimensions))
        values = {
            name: _identity(fields[field]) for name, field in self._distinct if measures[name] is not None
        }
        return Record(event_time, dimensions, measures, self._record_id(fields), received_at, values)

    def _event_time(self, fields: Mapping[str, Any]) -> tuple[datetime, int | None]:
        value = fields.get(self._timestamp.field)
        # only types of which equal values are the same: 1 and 1.0 are equal, and True is, too
        keeps = type(value) is str or type(value) is int
        found = self._times.get(value) if keeps else None
        if found is None:
            if is_missing(value):
                raise InvalidInputError(
                    f"field {self._timestamp.field!r} is missing", reason="missing_timestamp"
                )
            event_time = parse_timestamp(value, self._timestamp)
            found = event_time, epoch_microseconds(event_time)
            if keeps:
                _remember(self._times, value, found)
        event_time, microseconds = found
        received_at = fields.get("received_at")
        if not isinstance(received_at, int) or isinstance(received_at, bool):
            return event_time, None
        _check_arrival(event_time, microseconds, received_at)
        return event_time, received_at

    def _dimensions_of(self, fields: Mapping[str, Any]) -> dict[str, str]:
        return {name: _dimension(fields, name) for name in self._dimensions}

    def _record_id(self, fields: Mapping[str, Any]) -> str:
        if self._record_id_field is not None:
            value = fields.get(self._record_id_field)
            if is_empty(value):
                raise InvalidInputError(
                    f"record id field {self._record_id_field!r} is missing", reason="missing_record_id"
                )
            return _identity(value)
        return short_hash(self._content(fields), RECORD_ID_LENGTH)

    def _content(self, fields: Mapping[str, Any]) -> str:
        """Return what the fields say, as `json.dumps(…, sort_keys=True)` writes it."""
        names = tuple(fields)
        shape = self._shapes.get(names)
        if shape is None:
            said = sorted(set(names) - INGESTION_FIELDS)
            shape = [(name, f"{_AS_JSON(name)}: ") for name in said]
            if sum(map(len, names)) <= LONGEST_REMEMBERED:
                _remember(self._shapes, names, shape)
        parts = []
        for name, begin in shape:
            value = fields[name]
            if type(value) is float and value - value == 0:  # finite
                parts.append(begin + (repr(int(value)) if value.is_integer() else repr(value)))
            elif type(value) is str:
                text = self._texts.get(value)
                if text is None:
                    text = "" if is_empty(value) else _AS_JSON(_canonical(value))
                    if len(value) <= LONGEST_REMEMBERED:
                        _remember(self._texts, value, text)
                if text:
                    parts.append(begin + text)
            elif value is not None:
                parts.append(begin + _AS_JSON(_canonical(value)))
        return f"{{{', '.join(parts)}}}"


@functools.lru_cache(maxsize=64)
def _reader(
    timestamp: TimestampPlan,
    dimensions: tuple[str, ...],
    measures: tuple[MeasurePlan, ...],
    record_id_field: str | None,
) -> RecordReader:
    return RecordReader(timestamp, dimensions, measures, record_id_field)


def by_series(records: Iterable[Record], plan: WorkloadPlan) -> dict[str, list[Record]]:
    """Group records by series; a record is in as many groups as it has measures."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        for name, value in record.measures.items():
            if value is not None:
                groups.setdefault(series_key(name, record.dimensions, plan), []).append(record)
    return groups


def _check_arrival(event_time: datetime, microseconds: int, received_at_milliseconds: int) -> None:
    if microseconds < 0:
        raise InvalidInputError(
            f"event time {format_instant(event_time)} is before 1970, and the record has just arrived: "
            "is the device's clock wrong?",
            reason="bad_timestamp",
        )
    if microseconds > received_at_milliseconds * 1000 + MAX_CLOCK_LEAD_MICROSECONDS:
        raise InvalidInputError(
            f"event time {format_instant(event_time)} is more than a day after its arrival: "
            "is the device's clock wrong?",
            reason="future_timestamp",
        )


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


def _measure(value: object, field: str, *, counts: bool) -> float | None:
    if is_missing(value):
        return None
    return 1.0 if counts else parse_number(value, f"measure {field!r}")


def _identity(value: object) -> str:
    return short_hash(_AS_JSON(_canonical(value)), RECORD_ID_LENGTH)


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


def _are_texts(values: tuple[object, ...]) -> TypeGuard[tuple[str, ...]]:
    return bool(values) and {*map(type, values)} == _TEXT


def _remember(known: dict[Key, Value], key: Key, value: Value) -> None:
    if len(known) >= REMEMBERED:
        known.clear()
    known[key] = value
