"""History files: CSV with a header or JSON lines, plain or gzipped, read line by line."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

from watchkeeper.errors import InvalidInputError
from watchkeeper.plan import WorkloadPlan
from watchkeeper.records import Record, parse_record, record_of

CSV_SUFFIXES = (".csv",)
JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")

ReadLine = tuple[int, str, "Record | InvalidInputError"]
"""Line number (from 1), the line as it was written, and what it says or why it is refused."""


def read_history(stream: IO[bytes], plan: WorkloadPlan, name: str) -> Iterator[ReadLine]:
    """Read a history file; its name tells its format.

    `.csv` with a header, or `.jsonl`, `.ndjson`, `.json` with one JSON object a line; each with or
    without `.gz`.

    Raises
    ------
    InvalidInputError
        If the file as a whole cannot be read: unknown kind (reason `unknown_format`), damaged gzip
        (`corrupt_gzip`), a CSV header without the plan's columns (`missing_column`). What is wrong with
        one line is yielded in its place, not raised.
    """
    plain = name.removesuffix(".gz").lower()
    if not plain.endswith(CSV_SUFFIXES + JSON_SUFFIXES):
        raise InvalidInputError(
            f"{name}: its name does not tell its format; "
            f"use one of {', '.join(CSV_SUFFIXES + JSON_SUFFIXES)}, each with or without .gz",
            reason="unknown_format",
        )
    lines = _lines(stream, name)
    return _read_csv(lines, plan, name) if plain.endswith(CSV_SUFFIXES) else read_json_lines(lines, plan)


def read_json_lines(lines: Iterable[bytes], plan: WorkloadPlan) -> Iterator[ReadLine]:
    """Read one JSON object a line; empty lines are skipped."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            raw = line.decode("utf-8-sig", errors="replace").rstrip("\r\n")
            try:
                yield number, raw, parse_record(line, plan)
            except InvalidInputError as error:
                yield number, raw, error


def _lines(stream: IO[bytes], name: str) -> Iterator[bytes]:
    if not name.endswith(".gz"):
        yield from stream
        return
    try:
        with gzip.open(stream, "rb") as unpacked:
            yield from unpacked
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidInputError(f"{name}: damaged gzip: {error}", reason="corrupt_gzip") from error


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


def _read_csv(lines: Iterator[bytes], plan: WorkloadPlan, name: str) -> Iterator[ReadLine]:
    tape = _Tape(lines)
    rows = csv.reader(tape, skipinitialspace=True, strict=True)
    try:
        header = [column.strip() for column in next(rows, [])]
    except csv.Error as error:
        raise InvalidInputError(f"{name}:1: not CSV: {error}", reason="not_csv") from error
    _check_header(header, plan, name)
    while True:
        tape.row, first = [], tape.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield first, _raw(tape), InvalidInputError(f"not CSV: {error}", reason="not_csv")
            continue
        if not cells:
            continue
        yield first, _raw(tape), _csv_record(header, cells, plan)


def _csv_record(header: list[str], cells: list[str], plan: WorkloadPlan) -> Record | InvalidInputError:
    if len(cells) != len(header):
        return InvalidInputError(
            f"{len(cells)} cells, the header has {len(header)} columns", reason="wrong_width"
        )
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return InvalidInputError("not valid UTF-8", reason="not_utf8")
    try:
        return record_of(dict(zip(header, cells, strict=True)), plan)
    except InvalidInputError as error:
        return error


def _check_header(header: list[str], plan: WorkloadPlan, name: str) -> None:
    needed = [plan.timestamp.field, *plan.dimensions]
    if plan.record_id_field is not None:
        needed.append(plan.record_id_field)
    missing = [column for column in needed if column not in header]
    measures = sorted({measure.field for measure in plan.measures})
    if not missing and not any(column in header for column in measures):
        missing = measures
    if missing:
        raise InvalidInputError(
            f"{name}:1: the header has no column {missing[0]!r}; "
            f"its columns are {', '.join(map(repr, header)) or 'none'}",
            reason="missing_column",
        )


def _raw(tape: _Tape) -> str:
    text = "".join(tape.row).rstrip("\r\n")
    return text.encode(errors="surrogateescape").decode(errors="replace")
