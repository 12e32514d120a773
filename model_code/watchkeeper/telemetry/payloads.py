"""The payload of a request to an endpoint, as records: what serving reads, and what data capture kept of it.

A record is a line of `text/csv`, an instance of `application/json` (`{"instances": [...]}`), or a line of
`application/jsonlines`. An instance is an object whose fields the model names; or one with `features`, the
list of a CSV line's cells.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from watchkeeper.core.errors import InvalidInputError

CSV = "text/csv"
JSON = "application/json"
JSONLINES = "application/jsonlines"

Instance = Sequence[Any] | Mapping[str, Any]
"""A record of a request: the cells of a line, or an object."""
Record = TypeVar("Record")


def read_payload(payload: bytes, content_type: str) -> list[Instance]:
    """Return the records of a payload.

    Raises
    ------
    InvalidInputError
        Naming the record, from 1: with reason `unsupported_content_type`, `not_utf8`, `not_json`, `not_csv`,
        `bad_record` or `empty_row`.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in _READERS:
        raise InvalidInputError(
            f"content type {content_type!r} is not supported; use {', '.join(_READERS)}",
            reason="unsupported_content_type",
        )
    try:
        return _READERS[kind](_text(payload).rstrip("\r\n"))
    except RecursionError as error:
        raise InvalidInputError("the payload cannot be read: nested too deeply", reason="not_json") from error


def csv_records(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the cells of each record of a request, or of a file without a header: CSV with commas.

    Raises
    ------
    InvalidInputError
        Naming the record, from 1, with reason `empty_row` or `not_csv`.
    """
    number = 0
    try:
        for number, cells in enumerate(csv.reader(lines, skipinitialspace=True, strict=True), start=1):
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                raise InvalidInputError(f"record {number}: empty line", reason="empty_row")
            yield cells
    except csv.Error as error:
        raise InvalidInputError(
            f"record {number + 1}: not CSV: a quote is opened and not closed before a comma or the end of "
            f"the line, or a cell has more than {csv.field_size_limit()} characters",
            reason="not_csv",
        ) from error


def read_each(records: Iterable[Any], read: Callable[[Any], Record]) -> list[Record]:
    """Read records; an error names its record, counting from 1."""
    found = []
    for number, record in enumerate(records, start=1):
        with naming_record(number):
            found.append(read(record))
    return found


@contextmanager
def naming_record(number: int) -> Iterator[None]:
    """Let an error begin with `record N: `, by which a caller knows which of its records is refused."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError(f"record {number}: {error}", reason=error.reason) from error


def _text(payload: bytes) -> str:
    try:
        text = payload.decode("utf-8-sig")
        at = text.find("\0")
    except UnicodeDecodeError as error:
        at = error.start
    if at >= 0:
        raise InvalidInputError(
            f"the payload cannot be read: byte {at} is not text in UTF-8; send plain text, neither packed "
            "nor in another encoding",
            reason="not_utf8",
        )
    return text


def _csv(text: str) -> list[Instance]:
    return list(csv_records(io.StringIO(text, newline="")))


def _json(text: str) -> list[Instance]:
    document = _parse(text)
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        raise InvalidInputError('the payload must be an object {"instances": [...]}', reason="bad_record")
    return read_each(instances, _instance_of)


def _jsonlines(text: str) -> list[Instance]:
    return read_each(text.split("\n") if text else [], lambda line: _instance_of(_parse(line)))


def _instance_of(document: object) -> Instance:
    if not isinstance(document, dict):
        raise InvalidInputError(f"{str(document)[:60]} is not an object", reason="bad_record")
    if set(document) != {"features"}:
        return document
    if not isinstance(document["features"], list):
        raise InvalidInputError("'features' is not a list", reason="bad_record")
    cells: list[Any] = document["features"]
    return cells


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"not JSON (line {error.lineno}, column {error.colno})", reason="not_json"
        ) from error


_READERS: dict[str, Callable[[str], list[Instance]]] = {CSV: _csv, JSON: _json, JSONLINES: _jsonlines}
