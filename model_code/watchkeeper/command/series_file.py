"""A file of rows that carry a timestamp and values, read in pieces of bounded size."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect, TimestampPlan
from watchkeeper.core.timestamps import (
    EARLIEST,
    EPOCH,
    LATEST,
    check_timestamp_plan,
    check_unit,
    epoch_microseconds,
    parse_timestamp,
)
from watchkeeper.telemetry.cells import (
    MAX_MAGNITUDE,
    is_missing,
    names_shown,
    parse_number,
)
from watchkeeper.telemetry.csv_rows import header_error
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.dialect import DIALECT, Chunk, TableFile
from watchkeeper.telemetry.interleaving import Interleaving

PIECE_ROWS = 20_000
_TRUE, _FALSE = {"1", "true", "yes"}, {"", "0", "false", "no"}
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?", re.ASCII)

Cells = Sequence[str]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """Which columns are read, and how."""

    timestamp: TimestampPlan
    values: tuple[str, ...]
    labels: str | None = None
    dialect: Dialect = DIALECT
    dimensions: tuple[str, ...] = ()
    """Each combination of their values is a series of its own."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all."""
        labels = [self.labels] if self.labels is not None else []
        return (self.timestamp.field, *self.values, *labels, *self.dimensions)


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
    series : mapping of tuple of str to ndarray
        The places of each series' rows, by the values of its dimensions.
    """

    header: list[str]
    rows: list[list[str]]
    seconds: FloatArray
    values: FloatArray
    labels: npt.NDArray[np.bool_] | None
    read: float
    series: Mapping[tuple[str, ...], npt.NDArray[np.int64]]


class SeriesFile:
    """A file's rows, and what is strange about them.

    Parameters
    ----------
    path
        CSV, JSON or Parquet, told by its content.
    columns
        What is read of it.

    Raises
    ------
    InvalidInputError
        The format of the timestamps or their zone does not exist.
    """

    def __init__(self, path: Path, columns: Columns) -> None:
        check_timestamp_plan(columns.timestamp)
        self._path = path
        self._columns = columns
        self._interleaving = Interleaving(columns.names)
        self.missing = dict.fromkeys(columns.values, 0)
        """Rows without a value, by column."""
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Piece]:
        """Yield the rows, at most `PIECE_ROWS` at a time.

        Raises
        ------
        InvalidInputError
            There is no such file or column, a cell cannot be read, a column has not one value, several series
            are in one; names the line.
        """
        path = self._path
        rows, first, last = 0, np.inf, -np.inf
        with open_file(path) as stream:
            size = max(path.stat().st_size, 1)
            table = TableFile(stream, str(path), self._columns.dialect)
            for name in self._columns.names if table.header is not None else ():
                self._position(table.header or (), name)
            for chunk in table.chunks(PIECE_ROWS):
                piece = self._piece(chunk, min(stream.tell() / size, 1.0))
                self._look_at(piece)
                rows += len(piece.rows)
                first, last = min(first, piece.seconds.min()), max(last, piece.seconds.max())
                yield piece
            self.notes += table.notes
        if not rows:
            raise InvalidInputError(f"{path}: there is no row below the header")
        self._check_whole(rows, first, last)

    def _look_at(self, piece: Piece) -> None:
        for name, missing in zip(self._columns.values, np.isnan(piece.values).sum(axis=0), strict=True):
            self.missing[name] += int(missing)
        for seconds, cells in zip(piece.seconds.tolist(), piece.rows, strict=True):
            fields = dict(zip(piece.header, cells, strict=True))
            series = (fields[name].strip() for name in self._columns.dimensions)
            if not self._interleaving.add((seconds, *series), fields):
                break

    def _check_whole(self, rows: int, first: float, last: float) -> None:
        for name, missing in self.missing.items():
            if missing == rows:
                raise InvalidInputError(f"{self._path}: column {name!r} has not one value in {rows:,} rows")
            if missing:
                self.notes.append(f"column {name!r} has no value in {missing:,} of {rows:,} rows")
        begin, end = (EPOCH + timedelta(seconds=moment) for moment in (first, last))
        sentence = check_unit(str(self._path), begin, end, self._columns.timestamp)
        several = self._interleaving.sentence()
        if several is not None:
            column = shlex.quote(str(self._interleaving.telling()))
            raise InvalidInputError(
                f"{self._path}: {several}: add --dimension {column}, and each is scored on its own"
            )
        if self._interleaving.repeats and (columns := self._interleaving.candidates()):
            raise InvalidInputError(
                f"{self._path}: {self._interleaving.repeated:,} of the first {self._interleaving.rows:,} "
                "rows have the time of another row: several series are in one. Name the columns that tell "
                f"them apart, --dimension COLUMN for each: there are {names_shown(columns)}"
            )
        if self._interleaving.repeats:
            self.notes.append(
                f"{self._interleaving.repeated:,} of the first {self._interleaving.rows:,} rows have the "
                "time of another row: are several series in one?"
            )
        self.notes += [sentence] if sentence is not None else []

    def _piece(self, chunk: Chunk, read: float) -> Piece:
        labels = self._columns.labels
        timestamp = self._columns.timestamp.field
        return Piece(
            header=chunk.header,
            rows=chunk.rows,
            seconds=self._read(chunk, timestamp, self._times, self._seconds),
            values=np.array(
                [self._read(chunk, name, self._numbers, self._number(name)) for name in self._columns.values]
            ).T,
            labels=None
            if labels is None
            else np.array(self._each(chunk, labels, self._label), dtype=np.bool_),
            read=read,
            series=self._series(chunk),
        )

    def _series(self, chunk: Chunk) -> dict[tuple[str, ...], npt.NDArray[np.int64]]:
        positions = [self._position(chunk.header, name) for name in self._columns.dimensions]
        if not positions:
            return {(): np.arange(len(chunk.rows))}
        places: dict[tuple[str, ...], list[int]] = {}
        for place, row in enumerate(chunk.rows):
            places.setdefault(tuple(row[at].strip() for at in positions), []).append(place)
        return {key: np.array(found) for key, found in places.items()}

    def _read(
        self,
        chunk: Chunk,
        name: str,
        all_at_once: Callable[[Cells], FloatArray | None],
        one: Callable[[str], float],
    ) -> FloatArray:
        """Read a column at once or, where a cell is out of the ordinary, cell by cell."""
        position = self._position(chunk.header, name)
        found = all_at_once([row[position] for row in chunk.rows])
        return found if found is not None else np.array(self._each(chunk, name, one), dtype=np.float64)

    def _each(self, chunk: Chunk, name: str, read: Callable[[str], Any]) -> list[Any]:
        position = self._position(chunk.header, name)
        found: list[Any] = []
        try:
            for row in chunk.rows:
                found.append(read(row[position]))  # noqa: PERF401 - its length tells which row failed
        except InvalidInputError as error:
            raise InvalidInputError(f"{self._path}, line {chunk.line(len(found))}: {error}") from error
        return found

    def _position(self, header: Sequence[str], name: str) -> int:
        if name in header:
            return header.index(name)
        error = header_error(str(self._path), name, header)
        if name != self._columns.timestamp.field:
            raise error
        raise InvalidInputError(
            f"{error}. Rows without a time are no series: the anomaly service scores such a table "
            "(docs/guides/service.md)",
            reason=error.reason,
        )

    def _times(self, cells: Cells) -> FloatArray | None:
        plan = self._columns.timestamp
        if plan.format != "iso8601" or plan.timezone != "UTC" or not all(map(_PLAIN_TIME.fullmatch, cells)):
            return None
        try:
            moments = np.array([cell.removesuffix("Z") for cell in cells], dtype="datetime64[us]")
        except ValueError:  # the 31st of April: which row, the other way says
            return None
        seconds: FloatArray = moments.astype(np.int64) / 1e6
        first, end = ((moment - EPOCH).total_seconds() for moment in (EARLIEST, LATEST))
        return seconds if seconds.min() >= first and seconds.max() < end else None

    def _numbers(self, cells: Cells) -> FloatArray | None:
        text = "".join(cells)
        if not text.isascii() or "_" in text:
            return None
        try:
            numbers = np.array(cells, dtype=np.float64)
        except ValueError:  # a missing value, or no number
            return None
        return numbers if not (np.abs(numbers) > MAX_MAGNITUDE).any() else None

    def _seconds(self, cell: str) -> float:
        return epoch_microseconds(parse_timestamp(cell, self._columns.timestamp)) / 1e6

    def _number(self, name: str) -> Callable[[str], float]:
        def read(cell: str) -> float:
            if is_missing(cell):
                return np.nan
            return parse_number(cell, name)

        return read

    def _label(self, cell: str) -> bool:
        word = cell.strip().lower()
        try:
            number = float(word) if word not in _TRUE | _FALSE else float(word in _TRUE)
        except ValueError:
            number = np.nan
        if number not in (0.0, 1.0):
            raise InvalidInputError(
                f"{self._columns.labels}: {cell[:60]!r} is no label: write 1 or 0, true or false"
            )
        return number == 1.0
