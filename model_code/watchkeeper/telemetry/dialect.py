"""Files of records before they mean anything: CSV or JSON lines, plain or gzipped, read line by line.

What a line says depends on the workload: `watchkeeper.telemetry.history` makes telemetry of it,
`watchkeeper.regression` rows of a table.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.records import parse_object

CSV_SUFFIXES = (".csv",)
JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")

Fields = dict[str, Any]
FieldsLine = tuple[int, str, "Fields | InvalidInputError"]
"""Line number (from 1), the line as it was written, and its fields or why it is refused."""


def read_fields(
    stream: IO[bytes],
    name: str,
    *,
    check_header: Callable[[list[str]], None],
    headers: Sequence[str] | None = None,
) -> Iterator[FieldsLine]:
    """Read a file; its name tells its format.

    `.csv`, or `.jsonl`, `.ndjson`, `.json` with one JSON object a line; each with or without `.gz`. A
    byte-order mark is allowed, empty lines are skipped.

    Parameters
    ----------
    check_header
        Raises `InvalidInputError` if a CSV file's columns are not enough.
    headers
        The columns of CSV files that have no header line; None: the first line is the header. A first line
        that repeats the headers is a header all the same.

    Raises
    ------
    InvalidInputError
        If the file as a whole cannot be read: unknown kind (reason `unknown_format`), damaged gzip
        (`corrupt_gzip`), not CSV (`not_csv`), or what `check_header` says. What is wrong with one line is
        yielded in its place, not raised.
    """
    plain = name.removesuffix(".gz").lower()
    if not plain.endswith(CSV_SUFFIXES + JSON_SUFFIXES):
        raise InvalidInputError(
            f"{name}: its name does not tell its format; "
            f"use one of {', '.join(CSV_SUFFIXES + JSON_SUFFIXES)}, each with or without .gz",
            reason="unknown_format",
        )
    lines = _lines(stream, name)
    if plain.endswith(CSV_SUFFIXES):
        return _read_csv(lines, name, check_header, headers)
    return _read_json_lines(lines)


def _lines(stream: IO[bytes], name: str) -> Iterator[bytes]:
    if not name.endswith(".gz"):
        yield from stream
        return
    try:
        with gzip.open(stream, "rb") as unpacked:
            yield from unpacked
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidInputError(f"{name}: damaged gzip: {error}", reason="corrupt_gzip") from error


def _read_json_lines(lines: Iterable[bytes]) -> Iterator[FieldsLine]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            raw = line.decode("utf-8-sig", errors="replace").rstrip("\r\n")
            try:
                yield number, raw, parse_object(line)
            except InvalidInputError as error:
                yield number, raw, error


class _Tape:
    """Decode lines for `csv.reader`, and remember those of the current row, which may span several."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.number = 0
        self.row: list[str] = []

    def __iter__(self) -> _Tape:
        return self

    def __next__(self) -> str:
        line = next(self._lines).decode(
            "utf-8-sig" if self.number == 0 else "utf-8", errors="surrogateescape"
        )
        self.number += 1
        self.row.append(line)
        return line


def _read_csv(
    lines: Iterator[bytes],
    name: str,
    check_header: Callable[[list[str]], None],
    headers: Sequence[str] | None,
) -> Iterator[FieldsLine]:
    tape = _Tape(lines)
    rows = csv.reader(tape, skipinitialspace=True, strict=True)
    columns = list(headers) if headers is not None else None
    if columns is None:
        try:
            columns = [column.strip() for column in next(rows, [])]
        except csv.Error as error:
            raise InvalidInputError(f"{name}:1: not CSV: {error}", reason="not_csv") from error
    check_header(columns)
    while True:
        tape.row, first = [], tape.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield first, _raw(tape), InvalidInputError(f"not CSV: {error}", reason="not_csv")
            continue
        if not cells or (first == 1 and [cell.strip() for cell in cells] == columns):
            continue
        yield first, _raw(tape), _csv_fields(columns, cells)


def _csv_fields(columns: list[str], cells: list[str]) -> Fields | InvalidInputError:
    if len(cells) != len(columns):
        return InvalidInputError(
            f"{len(cells)} cells, the header has {len(columns)} columns", reason="wrong_width"
        )
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return InvalidInputError("not valid UTF-8", reason="not_utf8")
    return dict(zip(columns, cells, strict=True))


def _raw(tape: _Tape) -> str:
    text = "".join(tape.row).rstrip("\r\n")
    return text.encode(errors="surrogateescape").decode(errors="replace")
