"""CSV as people write it: which delimiter, where the header is, and rows that may span lines.

The delimiter is the one that the header has most of outside of quotes, and that the next rows agree with; a
line `sep=;` before the header says it. A quote that is never closed would swallow the rest of the file into
one cell, so it ends the reading with the line that opened it.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.telemetry.cells import names_shown, shown
from watchkeeper.telemetry.decoding import TextFile

DELIMITERS = ("\t", ";", "|", ",")
"""The first wins where header and rows leave it open: a comma is in texts more often than the others."""

_HEAD_LINES = 12
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(.|\\t)"?\s*', re.IGNORECASE)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_NAMES_OF_DELIMITERS = {"\t": "tab", "tab": "\t", "\\t": "\t"}

Names = Sequence[str] | Callable[[list[str]], Sequence[str] | None]
"""The columns of a file that may have no header line: they, or what tells them by the cells of the first
line, and None where that is a header. Without any, rows have any width."""


@dataclass
class CsvRow:
    """One row; where it is not one, `error` says why."""

    line: int
    """On which it begins, from 1."""
    text: str
    """As it is written, without the last line break."""
    cells: list[str] = field(default_factory=list)
    error: InvalidInputError | None = None


class CsvRows:
    """The header and the rows of a CSV file.

    Parameters
    ----------
    file
        Its text.
    dialect
        What is known of it.
    headers
        The columns of a file that may have no header line. A first line that names most of them is a header
        all the same, in whatever order.

    Raises
    ------
    InvalidInputError
        If the header is not there (reason `empty_file`), is not CSV (`not_csv`) or has a name twice
        (`duplicate_column`).
    """

    def __init__(self, file: TextFile, dialect: Dialect, headers: Names | None = None) -> None:
        self.notes: list[str] = []
        """What a user should know of blocks that were read."""
        self.name = file.name
        lines = iter(file)
        head = list(islice(lines, 1))
        self._number = file.line_number - 1
        head += islice(lines, _HEAD_LINES)
        self._taken: list[str] = []
        separator = _SEPARATOR_LINE.fullmatch(head[0]) if head else None
        if separator is not None:
            self._number += 1
            head = head[1:]
        said = separator and _NAMES_OF_DELIMITERS.get(separator[1], separator[1])
        self.delimiter: str = dialect.delimiter or said or found_delimiter(head)
        self._ahead = iter(head)
        self._lines = chain(self._ahead, lines)
        self._file = file
        self._reader = csv.reader(self._tape(), delimiter=self.delimiter, skipinitialspace=True, strict=True)
        self._first: CsvRow | None = None
        self.header: list[str] = []
        self.header = self._header(headers)
        """The names of the columns; a column without a name has the empty text."""

    def __iter__(self) -> Iterator[CsvRow]:
        """Yield the rows; empty lines are skipped.

        Raises
        ------
        InvalidInputError
            If a quote is not closed (reason `unclosed_quote`), or as `TextFile`.
        """
        if self._first is not None:
            yield self._first
        while (row := self._next()) is not None:
            if row.error is None and self.header and len(row.cells) != len(self.header):
                row.error = self._wrong_width(row.cells)
            yield row

    def blocks(self, rows: int) -> Iterator[tuple[int, list[list[str]]]]:
        """Yield at most so many rows at a time, with the line before the first; empty rows are left in.

        Raises
        ------
        InvalidInputError
            As when iterating, and for the first row that is not CSV or has another number of cells; a last
            line that is cut off is left out and noted.
        """
        width = len(self.header)
        if self._first is not None:
            if self._first.error is not None:
                raise InvalidInputError(
                    f"{self.name}, line {self._first.line}: {self._first.error}", reason="wrong_width"
                )
            yield self._first.line - 1, [self._first.cells]
        while True:
            self._taken.clear()
            before = self._number
            try:
                block = list(islice(self._reader, rows))
            except csv.Error as error:
                raise self._error_in(before) from error
            if not block:
                return
            if self._number - before != len(block):
                self._check_spans(block, before)
            for at, cells in enumerate(block):
                if len(cells) == width or self._is_blank(cells):
                    continue
                if at == len(block) - 1 and len(cells) < width and not self._taken[-1].endswith(("\n", "\r")):
                    self.notes.append(f"line {self._number} is cut off, as of a file that is being written")
                    del block[at]
                    break
                raise InvalidInputError(
                    f"{self.name}, line {line_of(block, at, before)}: {self._wrong_width(cells)}",
                    reason="wrong_width",
                )
            yield before, block

    def text(self) -> Iterator[str]:
        """Yield the text below the header in parts, for a parser of its own, instead of the rows.

        Raises
        ------
        InvalidInputError
            As `TextFile`.
        """
        if self._first is not None:
            yield f"{self._first.text}\n"
        yield from self._ahead
        yield from self._file.rest()

    def _is_blank(self, cells: Sequence[str]) -> bool:
        """Whether a row is an empty line; of a table with one column, a missing value may be quoted."""
        return not cells or (len(cells) == 1 and len(self.header) != 1 and not cells[0].strip())

    def _tape(self) -> Iterator[str]:
        for line in self._lines:
            self._number += 1
            self._taken.append(line)
            yield line

    def _next(self) -> CsvRow | None:
        while True:
            self._taken.clear()
            first = self._number + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return None
            except csv.Error:
                return CsvRow(first, self._text(), error=self._problem(self._taken, first))
            if len(self._taken) > 1:
                self._check_inner(self._taken, first)
            if not self._is_blank(cells):
                return CsvRow(first, self._text(), cells)

    def _header(self, headers: Names | None) -> list[str]:
        row = self._next()
        if row is not None and row.error is not None:
            raise InvalidInputError(f"{self.name}, line {row.line}: {row.error}", reason=row.error.reason)
        if row is None:
            what = ": its first line must name the columns" if headers is None else ""
            raise InvalidInputError(f"{self.name} is empty{what}", reason="empty_file")
        found = [cell.strip() for cell in row.cells]
        names = headers(found) if callable(headers) else headers
        if names is not None and (callable(headers) or len(set(names) & set(found)) <= len(found) / 2):
            for name, cell in zip(names, found, strict=False) if not callable(headers) else ():
                if name == cell:
                    # a header of other columns is no row
                    raise header_error(self.name, next(one for one in names if one not in found), found)
            self._first = row
            if names and len(row.cells) != len(names):
                row.error = self._wrong_width(row.cells, len(names))
            return list(names)
        refuse_repeated(self.name, found)
        return found

    def _wrong_width(self, cells: Sequence[str], width: int | None = None) -> InvalidInputError:
        wanted = len(self.header) if width is None else width
        hint = ""
        if len(cells) == wanted + 1 and not cells[-1].strip():
            hint = f": remove the {shown(self.delimiter)} at the end of the line, or name its column"
        elif self.delimiter == "," and len(cells) > wanted:
            hint = ": quote a cell that has a comma in it"
        return InvalidInputError(
            f"{len(cells)} cells, the header has {wanted} columns{hint}", reason="wrong_width"
        )

    def _text(self) -> str:
        return "".join(self._taken).rstrip("\r\n")

    def _error_in(self, before: int) -> InvalidInputError:
        """Return why a block could not be read: its rows are read again, one by one."""
        lines, number = iter(list(self._taken)), before
        taken: list[str] = []

        def tape() -> Iterator[str]:
            for line in lines:
                taken.append(line)
                yield line

        reader = csv.reader(tape(), delimiter=self.delimiter, skipinitialspace=True, strict=True)
        while True:
            taken.clear()
            try:
                next(reader)
            except (csv.Error, StopIteration):
                error = self._problem(taken, number + 1)
                return InvalidInputError(f"{self.name}, line {number + 1}: {error}", reason=error.reason)
            number += len(taken)

    def _problem(self, lines: Sequence[str], first: int) -> InvalidInputError:
        """Return why a row is not CSV; raise it where the row may have swallowed others."""
        opened = open_quote(lines, self.delimiter)
        if opened is not None or len(lines) > 1:
            raise self._unclosed(first + (opened or 0))
        if any("\0" in line for line in lines):
            return InvalidInputError("not CSV: a zero byte", reason="not_csv")
        if any(len(line) > csv.field_size_limit() for line in lines):
            return InvalidInputError(
                f"not CSV: a cell is longer than {csv.field_size_limit():,} characters", reason="not_csv"
            )
        return InvalidInputError(
            "not CSV: text after a closing quote; double a quote that belongs to a cell", reason="not_csv"
        )

    def _unclosed(self, line: int) -> InvalidInputError:
        return InvalidInputError(
            f"{self.name}: the quote opened in line {line} is not closed: close or remove it",
            reason="unclosed_quote",
        )

    def _check_inner(self, lines: Sequence[str], first: int) -> None:
        """Refuse a cell that has swallowed whole rows: its quote was closed by another row's."""
        inner = lines[1:-1]
        width = len(self.header) or len(self._first.cells if self._first is not None else ())
        if (
            width > 1
            and inner
            and all(
                open_quote([line], self.delimiter) is None
                and len(next(csv.reader([line], delimiter=self.delimiter), [])) == width
                for line in inner
            )
        ):
            raise self._unclosed(first + (open_quote(lines[:1], self.delimiter) or 0))

    def _check_spans(self, block: Sequence[Sequence[str]], before: int) -> None:
        at = 0
        for cells in block:
            lines = 1 + sum(map(_breaks, cells))
            if lines > 2:
                self._check_inner(self._taken[at : at + lines], before + at + 1)
            at += lines


def found_delimiter(head: Sequence[str]) -> str:
    """Return the delimiter of a file that begins with these lines.

    Examples
    --------
    >>> found_delimiter(["time;temp, outside\\n", "2024-05-17;1,5\\n"])
    ';'
    """
    if not head:
        return ","
    columns = {delimiter: _width(head, delimiter) for delimiter in DELIMITERS}
    likely = [delimiter for delimiter in DELIMITERS if columns[delimiter] > 1]
    if len(likely) < 2:
        return likely[0] if likely else ","

    def rank(delimiter: str) -> tuple[bool, int]:
        return _agrees(head, delimiter, columns[delimiter]), columns[delimiter]

    return max(likely, key=rank)


def open_quote(lines: Sequence[str], delimiter: str) -> int | None:
    """Return which line, from 0, opens the quote that is still open after the last; None: none is."""
    opened: int | None = None
    at_start = True
    for number, line in enumerate(lines):
        position = 0
        while position < len(line):
            character = line[position]
            if opened is not None:
                if character == '"':
                    if line[position + 1 : position + 2] == '"':
                        position += 1
                    else:
                        opened = None
            elif character == '"' and at_start:
                opened = number
            at_start = opened is None and (
                character in (delimiter, "\r", "\n") or (at_start and character == " ")
            )
            position += 1
    return opened


def line_of(block: Sequence[Sequence[str]], at: int, before: int) -> int:
    """Return the line of a block's row; `before` is the line before the block."""
    return before + 1 + at + sum(_breaks(cell) for cells in block[:at] for cell in cells)


def _breaks(cell: str) -> int:
    return len(_LINE_BREAK.findall(cell)) if "\n" in cell or "\r" in cell else 0


def _rows_of(head: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(head, delimiter=delimiter, skipinitialspace=True)
    except csv.Error:
        return


def _width(head: Sequence[str], delimiter: str) -> int:
    return len(next(_rows_of(head, delimiter), []))


def _agrees(head: Sequence[str], delimiter: str, width: int) -> bool:
    rows = islice(_rows_of(head, delimiter), 1, 6)
    return all(len(cells) == width for cells in rows if cells)


def refuse_repeated(name: str, header: Sequence[str]) -> None:
    """Refuse a file in which two columns have one name; a column may have none."""
    counts = Counter(filter(None, header))
    column, count = counts.most_common(1)[0] if counts else ("", 0)
    if count > 1:
        raise InvalidInputError(
            f"{name}: {count} columns are named {shown(column)}: rename all but one",
            reason="duplicate_column",
        )


def header_error(name: str, missing: str, header: Sequence[str]) -> InvalidInputError:
    """Return the refusal of a file without a column."""
    folded = {column.lower(): column for column in header}
    close = difflib.get_close_matches(missing.lower(), folded, n=1, cutoff=0.5)
    if len(header) == 1:
        hint = "; is it the header? Remove what stands before it, and separate columns by , ; | or a tab"
    else:
        hint = f" (did you mean {shown(folded[close[0]])}?)" if close else ""
    columns = names_shown(list(header))
    return InvalidInputError(
        f"{name}: the header has no column {shown(missing)}; its columns are {columns}{hint}",
        reason="missing_column",
    )
