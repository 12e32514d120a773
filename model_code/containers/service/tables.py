"""A tenant's feature file, read in parts so that a million rows need little memory.

The file is read as every file of records is (`watchkeeper.telemetry.dialect`): CSV with any delimiter, JSON
or Parquet, told by its content. Whether its first row is a header, `watchkeeper.service.feature_file` says.

**Time.** It is the column that is named like one, or else the first column when its cells are times (ISO
8601) or the task needs one. Numbers are a time only if they can be: seconds, milliseconds, microseconds or
nanoseconds since 1970, of 1971 or later, and not nearly all the same. A first column without a name, as
pandas writes its index, is left out.

Every other column must be numeric.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from containers.service.cells import FloatArray, implausible_times, numbers, times
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.service.feature_file import (
    INDEX_NAMES,
    TIME_NAMES,
    check_width,
    column_names,
    is_time,
    telling_as_the_service,
)
from watchkeeper.telemetry.decoding import check_unpacked
from watchkeeper.telemetry.dialect import DIALECT, TableFile

PART_ROWS = 50_000
PART_CELLS = 1_000_000
"""A part has at most so many rows, and at most so many cells."""
"""A packed file may unpack to so many bytes, or to so many times its size, whichever is more."""


@dataclass(frozen=True)
class Part:
    """Some consecutive rows of a table."""

    first_row: int
    columns: tuple[str, ...]
    """Names of the numeric columns."""
    values: FloatArray
    """Shape (n_rows, n_columns); NaN is a missing value."""
    times: FloatArray | None
    """Seconds since 1970, shape (n_rows,); None where the table has no time."""

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Table(Part):
    """A whole table."""

    def at(self, rows: npt.NDArray[np.int64]) -> Part:
        """Return some rows, in the order that is asked for."""
        return Part(0, self.columns, self.values[rows], None if self.times is None else self.times[rows])


def part_rows(n_columns: int) -> int:
    """Return the rows of a part of a table with so many columns: memory does not grow with either.

    Examples
    --------
    >>> part_rows(4), part_rows(2_000)
    (50000, 500)
    """
    return max(min(PART_ROWS, PART_CELLS // max(n_columns, 1)), 1)


def read_parts(
    path: Path, dialect: Dialect = DIALECT, *, needs_time: bool = False, rows: int | None = None
) -> Iterator[Part]:
    """Read a table in parts of at most so many rows, without a number those of `part_rows`.

    Parameters
    ----------
    needs_time
        The first column must be the time, whatever its name.

    Raises
    ------
    InvalidInputError
        If the file cannot be read (reason `unreadable_file`, `unclosed_quote`), unpacks to too much
        (`too_large`), is empty (`empty_file`), has a column twice (`bad_header`), too many
        (`too_many_columns`) or no numeric one (`no_columns`), a cell is not a number (`non_numeric_value`) or
        a time is none (`bad_time`).
    """
    with telling_as_the_service(), _File(path, dialect) as file:
        row = 0
        for frame in file.frames(rows):
            if row == 0:
                file.choose_columns(frame, needs_time=needs_time)
            yield file.part(frame, row)
            row += len(frame)
        if row == 0:
            raise InvalidInputError(f"{path.name} has no rows", reason="empty_file")
        file.check_widths(row)


def read_table(path: Path, dialect: Dialect = DIALECT, *, needs_time: bool = False) -> Table:
    """Read a whole table; see `read_parts`. At the end it is in memory twice: 16 bytes a cell."""
    return joined(list(read_parts(path, dialect, needs_time=needs_time)))


def joined(parts: Sequence[Part]) -> Table:
    """Return consecutive parts as one table."""
    moments = [part.times for part in parts if part.times is not None]
    return Table(
        parts[0].first_row,
        parts[0].columns,
        np.concatenate([part.values for part in parts]),
        np.concatenate(moments) if moments else None,
    )


class _File:
    """One feature file, as frames of pandas whose columns are numbered."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._path = path
        self._dialect = dialect
        self._stream = path.open("rb")
        self._table = self._opened(self._stream)
        self.names: tuple[str, ...] = tuple(self._table.header or ())
        check_width(path.name, len(self.names))
        self._text: _CountedText | None = None
        self._time: int | None = None
        self._numeric: list[int] = []

    def _opened(self, stream: IO[bytes]) -> TableFile:
        headers = partial(column_names, self._path.name)
        return TableFile(stream, self._path.name, self._dialect, headers=headers)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def frames(self, rows: int | None) -> Iterator[Any]:
        # pandas would take every point of a file with decimal commas for one between thousands
        if self._table.kind == "csv" and self._dialect.decimal == ".":
            return self._csv(rows or part_rows(len(self.names)))
        if self._table.kind == "parquet":
            return self._parquet(rows or part_rows(len(self.names)))
        return self._chunks(rows or part_rows(len(self.names)))

    def part(self, frame: Any, row: int) -> Part:
        values = np.empty((len(frame), len(self._numeric)))
        for at, position in enumerate(self._numeric):
            values[:, at] = numbers(frame.iloc[:, position], self._place(position, row))
        time = self._time
        moments = None if time is None else times(frame.iloc[:, time], self._place(time, row))
        return Part(row, tuple(self.names[position] for position in self._numeric), values, moments)

    def choose_columns(self, frame: Any, *, needs_time: bool) -> None:
        """Find the time by the first rows; all other columns are numeric."""
        named = [at for at, name in enumerate(self.names) if name.lower() in TIME_NAMES]
        place = named[0] if len(named) == 1 else 0
        is_needed = needs_time or place == 0
        self._time = (
            place if _is_time(self.names[place], frame.iloc[:, place], needs_time, is_needed) else None
        )
        first = int(self.names[0] in INDEX_NAMES)
        self._numeric = [at for at in range(first, len(self.names)) if at != self._time]
        numeric = [self.names[position] for position in self._numeric]
        if not numeric:
            beside = "" if self._time is None else " beside the time"
            raise InvalidInputError(f"{self._path.name} has no numeric column{beside}", reason="no_columns")
        if "" in numeric:
            raise InvalidInputError(f"{self._path.name}: a column has no name", reason="bad_header")
        name, count = Counter(numeric).most_common(1)[0]
        if count > 1:
            raise InvalidInputError(f"{self._path.name}: column {name!r} is there twice", reason="bad_header")

    def check_widths(self, n_rows: int) -> None:
        """Refuse a file with a row that has fewer cells than the others: pandas takes them as missing."""
        text = self._text
        if text is not None and (text.quoted or text.delimiters != n_rows * (len(self.names) - 1)):
            self._read_again()

    def _csv(self, rows: int) -> Iterator[Any]:
        import pandas

        self._text = _CountedText(self._path, self._table.text(), self._table.delimiter)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            try:
                yield from pandas.read_csv(
                    self._text,
                    sep=self._table.delimiter,
                    header=None,
                    names=range(len(self.names)),
                    index_col=False,
                    chunksize=rows,
                    skipinitialspace=True,
                    float_precision="round_trip",
                    low_memory=False,
                )
            except pandas.errors.EmptyDataError:
                return
            except (pandas.errors.ParserError, pandas.errors.ParserWarning) as error:
                self._read_again()
                raise InvalidInputError(
                    f"{self._path.name} is not a CSV file with {len(self.names)} columns in every line",
                    reason="unreadable_file",
                ) from error

    def _parquet(self, rows: int) -> Iterator[Any]:
        for batch in self._table.batches(rows):
            yield batch.to_pandas(date_as_object=False, ignore_metadata=True)

    def _chunks(self, rows: int) -> Iterator[Any]:
        import pandas

        for chunk in self._table.chunks(rows):
            if not self.names:
                self.names = tuple(chunk.header)
                check_width(self._path.name, len(self.names))
            yield pandas.DataFrame(chunk.rows).apply(_typed)

    def _read_again(self) -> None:
        """Read the rows one by one: the first that is none is refused with its line."""
        with self._path.open("rb") as stream:
            for line, _, row in self._opened(stream).records():
                if isinstance(row, InvalidInputError):
                    raise InvalidInputError(f"{self._path.name}, line {line}: {row}", reason=row.reason)

    def _place(self, column: int, first_row: int) -> Any:
        name = self.names[column] or f"column_{column + 1}"

        def place(position: int) -> str:
            row = first_row + position
            line = self._line_of(row)
            return f"column {name!r}, row {row}" + (f" (line {line} of the file)" if line else "")

        return place

    def _line_of(self, row: int) -> int | None:
        """Return the line of a row, for messages; it is looked up in the file."""
        if self._table.kind == "parquet":
            return None
        with self._path.open("rb") as stream:
            records = self._opened(stream).records()
            return next(islice((line for line, _, _ in records), row, None), None)


def _typed(column: Any) -> Any:
    """Return a column of text as numbers, where it has nothing else."""
    import pandas

    try:
        return pandas.to_numeric(column)
    except (ValueError, OverflowError):
        return column


class _CountedText:
    """A file's text for pandas, which counts what tells whether all rows have the same number of cells."""

    def __init__(self, path: Path, parts: Iterator[str], delimiter: str) -> None:
        self._path = path
        self._parts = parts
        self._delimiter = delimiter
        self._characters = 0
        self.delimiters = 0
        self.quoted = False

    def read(self, _size: int = -1) -> str:
        part = next(self._parts, "")
        self.delimiters += part.count(self._delimiter)
        self.quoted = self.quoted or '"' in part
        self._characters += len(part)
        check_unpacked(self._path.name, self._path.stat().st_size, self._characters)
        return part

    def __iter__(self) -> Iterator[str]:
        return self._parts


def _is_time(name: str, column: Any, needs_time: bool, is_needed: bool) -> bool:
    """Whether a column is the time, by its name and its first cells.

    Raises
    ------
    InvalidInputError
        If it must be the time and its numbers cannot be (reason `bad_time`).
    """
    named = name.lower() in TIME_NAMES
    if column.dtype.kind == "M":
        return True
    if column.dtype.kind not in "iuf":
        first = next((str(cell) for cell in column if isinstance(cell, str) or cell == cell), "")
        return needs_time or named or is_time(first)
    if not (needs_time or named):
        return False
    why = implausible_times(column)
    if why and is_needed:
        raise InvalidInputError(
            f"column {name!r} is no time, but {'this task needs one' if needs_time else 'named like one'}: "
            f"{why}; give a first column in ISO 8601 such as 2024-05-17T09:30:00Z, or in seconds or "
            f"milliseconds since 1970{'' if needs_time else ', or rename the column to have it judged'}",
            reason="bad_time",
        )
    return not why
