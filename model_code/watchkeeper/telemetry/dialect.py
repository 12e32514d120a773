"""Files of records before they mean anything: one dialect, read line by line or in chunks.

CSV, JSON lines, a JSON array of objects and Parquet are told apart by their content. What a line says
depends on the reader: `watchkeeper.telemetry.history` makes telemetry of it, `watchkeeper.regression` rows of
a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.telemetry.cells import cell_text, shown, with_decimal_point
from watchkeeper.telemetry.csv_rows import CsvRows, Names, line_of
from watchkeeper.telemetry.decoding import Kind, TextFile
from watchkeeper.telemetry.parquet import ParquetRows
from watchkeeper.telemetry.records import object_of, parse_object

DIALECT = Dialect()
"""Of a file of which nothing is known."""
CHUNK_ROWS = 20_000

Fields = dict[str, Any]
FieldsLine = tuple[int, str, "Fields | InvalidInputError"]
"""Line number (from 1; of Parquet the row), the line as it was written, and its fields or why not."""

_MAX_RECORD_CHARACTERS = 4_000_000


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a table, as they are written."""

    header: list[str]
    rows: list[list[str]]
    """Cells, numbers with a decimal point; of JSON and Parquet, their text, empty where there is no value."""
    before: int
    """Line before the first row."""
    unfiltered: list[list[str]]
    """The rows and the empty lines between them."""

    def line(self, row: int) -> int:
        """Return the line of a row of the chunk: the file's for messages; slow."""
        if len(self.unfiltered) == len(self.rows):
            return line_of(self.unfiltered, row, self.before)
        kept = [at for at, cells in enumerate(self.unfiltered) if len(cells) == len(self.header)]
        return line_of(self.unfiltered, kept[row], self.before)


class TableFile:
    """One file of records.

    Parameters
    ----------
    stream
        Its bytes, at their beginning.
    name
        What messages call it; its ending counts only where the content leaves open what it is.
    dialect
        What is known of a CSV file.
    headers
        The columns of a CSV file that may have no header line.
    kind
        What the file is, where that is known from elsewhere.

    Raises
    ------
    InvalidInputError
        If the file as a whole cannot be read, with reason `unreadable_file`, `corrupt_gzip`, `corrupt_zstd`,
        `not_utf8`, `empty_file`, `not_csv`, `duplicate_column`; while reading, `unclosed_quote`, `not_json`
        and those of the encoding too. What is wrong with one line is yielded in its place.
    """

    def __init__(
        self,
        stream: IO[bytes],
        name: str,
        dialect: Dialect = DIALECT,
        *,
        headers: Names | None = None,
        kind: Kind | None = None,
    ) -> None:
        self.name = name
        self.dialect = dialect
        self._stream = stream
        self._text = TextFile(stream, name, kind)
        self.kind = self._text.kind
        self._source: CsvRows | ParquetRows | None = None
        if self.kind == "csv":
            self._source = CsvRows(self._text, dialect, headers)
        elif self.kind == "parquet":
            self._source = ParquetRows(stream, name)

    @property
    def header(self) -> list[str] | None:
        """The names of the columns; None of JSON, whose records name their fields themselves."""
        return None if self._source is None else list(self._source.header)

    @property
    def n_rows(self) -> int | None:
        """How many rows a Parquet file says that it has; None of all else."""
        return self._source.n_rows if isinstance(self._source, ParquetRows) else None

    @property
    def delimiter(self) -> str:
        """Of CSV; a comma for all else."""
        return self._source.delimiter if isinstance(self._source, CsvRows) else ","

    @property
    def notes(self) -> list[str]:
        """What a user should know of the chunks that were read."""
        return self._source.notes if isinstance(self._source, CsvRows) else []

    def records(self) -> Iterator[FieldsLine]:
        """Yield the records one by one."""
        if isinstance(self._source, CsvRows):
            return self._csv_records(self._source)
        if self._source is not None:
            return self._source.records()
        return self._json_lines() if self.kind == "json_lines" else self._json_array()

    def text(self) -> Iterator[str]:
        """Yield the text of a CSV file below its header in parts, for a faster parser of rows."""
        if not isinstance(self._source, CsvRows):
            raise ContractViolationError(f"{self.name} is not CSV")
        return self._source.text()

    def batches(self, rows: int) -> Iterator[Any]:
        """Yield the rows of a Parquet file as record batches of Arrow, at most so many at a time."""
        if not isinstance(self._source, ParquetRows):
            raise ContractViolationError(f"{self.name} is not Parquet")
        return self._source.batches(rows)

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """Yield the rows, at most so many at a time.

        Raises
        ------
        InvalidInputError
            As the class, and for the first line that is refused: a chunk is read whole or not at all.
        """
        if isinstance(self._source, CsvRows):
            for before, block in self._source.blocks(rows):
                width = len(self._source.header)
                filled = [cells for cells in block if len(cells) == width]
                if self.dialect.decimal == ",":
                    filled = [list(map(with_decimal_point, cells)) for cells in filled]
                if filled:
                    yield Chunk(self._source.header, filled, before, block)
        elif self._source is not None:
            row = 0
            for block in self._source.blocks(rows):
                yield Chunk(self._source.header, block, row, block)
                row += len(block)
        else:
            yield from self._json_chunks(rows)

    def _csv_records(self, source: CsvRows) -> Iterator[FieldsLine]:
        names = [name or f"column_{number}" for number, name in enumerate(source.header, start=1)]
        comma = self.dialect.decimal == ","
        for row in source:
            if row.error is not None:
                yield row.line, row.text, row.error
            else:
                cells = map(with_decimal_point, row.cells) if comma else row.cells
                yield row.line, row.text, dict(zip(names, cells, strict=True))

    def _json_lines(self) -> Iterator[FieldsLine]:
        first = True
        for line in self._text:
            text = line.strip()
            if text == "{" and first:
                raise InvalidInputError(
                    f"{self.name}: one JSON document over several lines: write one object a line, or an "
                    "array of objects",
                    reason="not_json",
                )
            if text:
                first = False
                number = self._text.line_number
                try:
                    yield number, text, parse_object(text)
                except InvalidInputError as error:
                    yield number, text, error

    def _json_array(self) -> Iterator[FieldsLine]:
        decoder = json.JSONDecoder()
        parts = self._text.read_text()
        text, at, line = "", 0, self._text.line_number
        begun = ended = False
        for part in parts:
            text, at = text[at:] + part, 0
            while True:
                at, line = _passed(text, at, line)
                if at == len(text):
                    break
                if ended:
                    raise self._no_array(line, "text after the closing bracket")
                if not begun:
                    begun, at = True, at + 1
                    continue
                if text[at] == "]":
                    ended, at = True, at + 1
                    continue
                if text[at] == ",":
                    at += 1
                    continue
                try:
                    document, end = decoder.raw_decode(text, at)
                except RecursionError as error:
                    raise self._no_array(line, "nested too deep") from error
                except ValueError as error:
                    if len(text) - at > _MAX_RECORD_CHARACTERS:
                        raise self._no_array(line, "a record that does not end") from error
                    break
                written = text[at:end]
                yield line, written, object_of(document)
                line += written.count("\n")
                at = end
        if not ended:
            raise self._no_array(line, "the array is cut off, or is not JSON from here")

    def _no_array(self, line: int, what: str) -> InvalidInputError:
        return InvalidInputError(
            f"{self.name}, line {line}: not a JSON array of objects: {what}", reason="not_json"
        )

    def _json_chunks(self, rows: int) -> Iterator[Chunk]:
        """Lay records out as rows; their columns are the fields of the first chunk's records."""
        records = self.records()
        header: list[str] = []
        places: dict[str, int] = {}
        while taken := [(number, self._taken(number, fields)) for number, _, fields in islice(records, rows)]:
            if not places:
                header = list(dict.fromkeys(name for _, fields in taken for name in fields))
                places = {name: at for at, name in enumerate(header)}
            block = []
            for number, fields in taken:
                cells = [""] * len(header)
                for name, value in fields.items():
                    if name not in places:
                        raise InvalidInputError(
                            f"{self.name}, line {number}: field {shown(name)} is not in the first records: "
                            "write it, or null, in each",
                            reason="unknown_field",
                        )
                    cells[places[name]] = cell_text(value)
                block.append(cells)
            yield Chunk(header, block, taken[0][0] - 1, block)

    def _taken(self, number: int, fields: Fields | InvalidInputError) -> Fields:
        if isinstance(fields, InvalidInputError):
            raise InvalidInputError(f"{self.name}, line {number}: {fields}", reason=fields.reason)
        return fields


def read_fields(
    stream: IO[bytes],
    name: str,
    *,
    check_header: Callable[[list[str]], None],
    headers: Names | None = None,
    dialect: Dialect = DIALECT,
    kind: Kind | None = None,
) -> Iterator[FieldsLine]:
    """Read a file's records one by one; see `TableFile`.

    Parameters
    ----------
    check_header
        Raises `InvalidInputError` if the columns of a CSV or Parquet file are not enough.
    """
    table = TableFile(stream, name, dialect, headers=headers, kind=kind)
    if table.header is not None:
        check_header(table.header)
    return table.records()


def _passed(text: str, at: int, line: int) -> tuple[int, int]:
    """Pass over space; count its lines."""
    start = at
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at, line + text.count("\n", start, at)
