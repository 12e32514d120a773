"""A file of rows that carry a timestamp and values, CSV or Parquet, read in pieces of bounded size."""

from __future__ import annotations

import csv
import difflib
import functools
import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.core.timestamps import epoch_microseconds, parse_timestamp
from watchkeeper.telemetry.cells import parse_number

PIECE_ROWS = 20_000
_PARQUET = ".parquet"
_TRUE, _FALSE = {"1", "true", "yes"}, {"", "0", "false", "no"}


@dataclass(frozen=True)
class Columns:
    """Which columns are read, and how."""

    timestamp: TimestampPlan
    values: tuple[str, ...]
    labels: str | None = None


@dataclass(frozen=True)
class Piece:
    """Some consecutive rows.

    Attributes
    ----------
    header : list of str
        The file's columns.
    rows : list of list of str
        All cells as they are written.
    seconds : ndarray, shape (n_rows,)
        Since 1970.
    values : ndarray, shape (n_rows, n_columns)
        NaN where the cell is empty.
    labels : ndarray of bool, shape (n_rows,), or None
    read : float
        Fraction of the file that has been read, 0 to 1.
    """

    header: list[str]
    rows: list[list[str]]
    seconds: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    labels: npt.NDArray[np.bool_] | None
    read: float


def read_pieces(path: Path, columns: Columns) -> Iterator[Piece]:
    """Read a file's rows, at most `PIECE_ROWS` at a time.

    Raises
    ------
    InvalidInputError
        There is no such file or column, or a cell cannot be read; names the row (1 is the first
        after the header).
    """
    if not path.is_file():
        raise InvalidInputError(f"{path}: no such file")
    source = _Parquet(path) if path.suffix.lower() == _PARQUET else _Csv(path)
    positions = _Positions(path, source.header, columns)
    first = 1
    for rows in source.pieces():
        yield positions.piece(source.header, rows, first, source.read())
        first += len(rows)
    if first == 1:
        raise InvalidInputError(f"{path}: there is no row below the header")


class _Csv:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = max(path.stat().st_size, 1)
        self._bytes = path.open("rb")
        # Closed with the text that reads it.
        plain: Any = gzip.GzipFile(fileobj=self._bytes) if path.suffix.lower() == ".gz" else self._bytes
        self._text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
        first = self._guarded(self._text.readline)
        delimiter = max(",;\t", key=first.count)
        self.header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        if not self.header:
            raise InvalidInputError(f"{path}: its first line is empty; it must name the columns")
        self._reader = csv.reader(self._text, delimiter=delimiter)

    def pieces(self) -> Iterator[list[list[str]]]:
        filled = (row for row in self._reader if row)
        while rows := self._guarded(lambda: list(islice(filled, PIECE_ROWS))):
            yield rows
        self._text.close()

    def read(self) -> float:
        return self._bytes.tell() / self._size

    def _guarded(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise InvalidInputError(f"{self._path}: not readable as CSV in UTF-8: {error}") from error


class _Parquet:
    def __init__(self, path: Path) -> None:
        with extra("pyarrow", "reading Parquet"):
            import pyarrow as pa
            from pyarrow import parquet

        try:
            self._file = parquet.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise InvalidInputError(f"{path}: not readable as Parquet: {error}") from error
        self.header = list(self._file.schema_arrow.names)
        self._rows = 0
        self._total = max(int(self._file.metadata.num_rows), 1)

    def pieces(self) -> Iterator[list[list[str]]]:
        for batch in self._file.iter_batches(PIECE_ROWS):
            columns = [[_cell(value) for value in column.to_pylist()] for column in batch.columns]
            self._rows += batch.num_rows
            yield [list(row) for row in zip(*columns, strict=True)]

    def read(self) -> float:
        return self._rows / self._total


class _Positions:
    """Where the columns are, and what their cells say."""

    def __init__(self, path: Path, header: Sequence[str], columns: Columns) -> None:
        self._path = path
        self._width = len(header)
        self._columns = columns
        self._timestamp = self._find(header, columns.timestamp.field)
        self._values = [self._find(header, name) for name in columns.values]
        self._labels = None if columns.labels is None else self._find(header, columns.labels)

    def piece(self, header: list[str], rows: list[list[str]], first: int, read: float) -> Piece:
        for number, row in enumerate(rows, first):
            if len(row) != self._width:
                raise InvalidInputError(
                    f"{self._path}: row {number} has {len(row)} cells, the header {self._width}"
                )
        moments = self._each(rows, first, self._timestamp, self._seconds)
        values = [
            self._each(rows, first, position, functools.partial(_number, name=name))
            for position, name in zip(self._values, self._columns.values, strict=True)
        ]
        labels = None if self._labels is None else self._each(rows, first, self._labels, self._label)
        return Piece(
            header=header,
            rows=rows,
            seconds=np.array(moments),
            values=np.array(values).T,
            labels=None if labels is None else np.array(labels, dtype=np.bool_),
            read=read,
        )

    def _each(
        self, rows: Iterable[list[str]], first: int, position: int, read: Callable[[str], Any]
    ) -> list[Any]:
        found: list[Any] = []
        try:
            for row in rows:
                found.append(read(row[position]))  # noqa: PERF401 - its length tells which row failed
        except InvalidInputError as error:
            raise InvalidInputError(f"{self._path}: row {first + len(found)}: {error}") from error
        return found

    def _find(self, header: Sequence[str], name: str) -> int:
        if header.count(name) > 1:
            raise InvalidInputError(f"{self._path}: {header.count(name)} columns are named {name!r}")
        if name in header:
            return header.index(name)
        folded = {column.lower(): column for column in header}
        close = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
        hint = f"; did you mean {folded[close[0]]!r}?" if close else ""
        raise InvalidInputError(
            f"{self._path}: no column {name!r}{hint} (there are {', '.join(map(repr, header))})"
        )

    def _seconds(self, cell: str) -> float:
        return epoch_microseconds(parse_timestamp(cell, self._columns.timestamp)) / 1e6

    def _label(self, cell: str) -> bool:
        word = cell.strip().lower()
        try:
            number = float(word) if word not in _TRUE | _FALSE else float(word in _TRUE)
        except ValueError:
            number = np.nan
        if number not in (0.0, 1.0):
            raise InvalidInputError(
                f"{self._columns.labels}: {cell!r} is no label: write 1 or 0, true or false"
            )
        return number == 1.0


def _number(cell: str, name: str) -> float:
    if not cell.strip():
        return np.nan
    try:
        return parse_number(cell, name)
    except InvalidInputError as error:
        raise InvalidInputError(f"{error}; leave the cell empty where a value is missing") from error


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
