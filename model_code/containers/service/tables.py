"""A tenant's feature file, CSV or Parquet, read in parts so that a million rows need little memory.

**CSV.** Cells are separated by commas, semicolons or tabs, whichever the first line has most of. The first
line is a header when its first cell is a text that is no time, or when no cell of it is a number or a time;
without one the columns are `column_1`, `column_2`, …. Empty cells, `NaN`, `NA` and `null` are missing values.

**First column.** It is the time when its cells are times (ISO 8601), when it is named like one, or when the
task needs one. A first column without a name, as pandas writes its index, is left out.

Every other column must be numeric.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.runtime.vendored import use_vendored
from containers.service.cells import FloatArray, is_number, is_time, numbers, times
from watchkeeper.core.errors import InvalidInputError

PART_ROWS = 50_000
PART_CELLS = 1_000_000
"""A part has at most so many rows, and at most so many cells."""
TIME_NAMES = frozenset({"time", "timestamp", "date", "datetime", "ts", "event_time"})
NO_NAMES = ("", "Unnamed: 0", "__index_level_0__")
SEPARATORS = ",;\t"


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


@dataclass(frozen=True)
class _Shape:
    names: tuple[str, ...]
    """Of all columns of the file."""
    header_lines: int
    has_time: bool
    separator: str = ","

    @property
    def first(self) -> int:
        """First numeric column."""
        return int(self.has_time or self.names[0] in NO_NAMES)


def part_rows(n_columns: int) -> int:
    """Return the rows of a part of a table with so many columns: memory does not grow with either.

    Examples
    --------
    >>> part_rows(4), part_rows(2_000)
    (50000, 500)
    """
    return max(min(PART_ROWS, PART_CELLS // max(n_columns, 1)), 1)


def read_parts(path: Path, *, needs_time: bool = False, rows: int | None = None) -> Iterator[Part]:
    """Read a table in parts of at most so many rows, without a number those of `part_rows`.

    Of a Parquet file a whole row group is in memory, however many rows its writer gave it.

    Parameters
    ----------
    needs_time
        The first column is the time, whatever its name.

    Raises
    ------
    InvalidInputError
        If the file cannot be read (reason `unreadable_file`), is empty (`empty_file`) or has no numeric
        column (`no_columns`), a cell is not a number (`non_numeric_value`) or a time is none (`bad_time`).
    """
    try:
        frames = (
            _parquet(path, needs_time, rows) if path.suffix == ".parquet" else _csv(path, needs_time, rows)
        )
        row = 0
        for shape, frame in frames:
            yield _part(shape, frame, row)
            row += len(frame)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(
            f"{path.name} is not a CSV file in UTF-8: {error}", reason="unreadable_file"
        ) from error
    if row == 0:
        raise InvalidInputError(f"{path.name} has no rows", reason="empty_file")


def read_table(path: Path, *, needs_time: bool = False) -> Table:
    """Read a whole table; see `read_parts`. At the end it is in memory twice: 16 bytes a cell."""
    return joined(list(read_parts(path, needs_time=needs_time)))


def joined(parts: Sequence[Part]) -> Table:
    """Return consecutive parts as one table."""
    moments = [part.times for part in parts if part.times is not None]
    return Table(
        parts[0].first_row,
        parts[0].columns,
        np.concatenate([part.values for part in parts]),
        np.concatenate(moments) if moments else None,
    )


def _part(shape: _Shape, frame: Any, row: int) -> Part:
    def column(position: int) -> Any:
        return frame.iloc[:, position]

    names = shape.names[shape.first :]
    values = np.empty((len(frame), len(names)))
    for position, name in enumerate(names):
        values[:, position] = numbers(column(shape.first + position), name, row, shape.header_lines)
    moments = (
        times(column(0), shape.names[0] or "column_1", row, shape.header_lines) if shape.has_time else None
    )
    return Part(row, names, values, moments)


def _csv(path: Path, needs_time: bool, rows: int | None) -> Iterator[tuple[_Shape, Any]]:
    import pandas

    shape = _shape_of_csv(path, needs_time)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        try:
            yield from (
                (shape, frame)
                for frame in pandas.read_csv(
                    path,
                    sep=shape.separator,
                    header=None,
                    names=range(len(shape.names)),
                    index_col=False,
                    skiprows=shape.header_lines,
                    chunksize=rows or part_rows(len(shape.names)),
                    encoding="utf-8-sig",
                    skipinitialspace=True,
                    float_precision="round_trip",
                    low_memory=False,
                )
            )
        except (pandas.errors.ParserError, pandas.errors.ParserWarning) as error:
            raise InvalidInputError(
                f"{path.name} is not a CSV file with {len(shape.names)} columns in every line: {error}",
                reason="unreadable_file",
            ) from error
        except pandas.errors.EmptyDataError as error:
            raise InvalidInputError(f"{path.name} has no rows", reason="empty_file") from error


def _shape_of_csv(path: Path, needs_time: bool) -> _Shape:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line, _ in zip(_filled(file), range(2), strict=False)]
    if not lines:
        raise InvalidInputError(f"{path.name} is empty", reason="empty_file")
    separator = max(SEPARATORS, key=lines[0].count)
    first, *rest = ([cell.strip() for cell in cells] for cells in csv.reader(lines, delimiter=separator))
    header = _is_header(first)
    names = tuple(first) if header else tuple(f"column_{number}" for number in range(1, len(first) + 1))
    sample = (rest[0] if rest else []) if header else first
    return _checked(path, names, int(header), needs_time or _times_first(names, sample), separator)


def _filled(lines: Iterator[str] | Any) -> Iterator[str]:
    return (line for line in lines if line.strip())


def _is_header(cells: Sequence[str]) -> bool:
    measured = [is_number(cell) or is_time(cell) for cell in cells if cell]
    if not any(measured) or not (measured[0] or cells[0] == ""):
        return True
    # pandas without names: an index that has none, then 0, 1, 2, …
    return cells[0] == "" and list(cells[1:]) == [str(number) for number in range(len(cells) - 1)]


def _times_first(names: Sequence[str], sample: Sequence[str]) -> bool:
    return names[0].lower() in TIME_NAMES or bool(sample and is_time(sample[0]))


def _parquet(path: Path, needs_time: bool, rows: int | None) -> Iterator[tuple[_Shape, Any]]:
    use_vendored()
    from fastparquet import ParquetFile

    try:
        file = ParquetFile(str(path))
    except Exception as error:  # the reader has no error class of its own
        raise InvalidInputError(
            f"{path.name} is not a Parquet file: {error}", reason="unreadable_file"
        ) from error
    names = tuple(map(str, file.columns))
    timed = bool(names) and (names[0].lower() in TIME_NAMES or _is_moment(file.dtypes[names[0]]))
    shape = _checked(path, names, 0, needs_time or timed)
    for group in file.iter_row_groups(columns=list(file.columns), index=False):
        bounds = [*range(0, len(group), rows or part_rows(len(names))), len(group)]
        yield from ((shape, group.iloc[start:end]) for start, end in pairwise(bounds))


def _is_moment(kind: Any) -> bool:
    return getattr(kind, "kind", str(kind)[:1]) in ("M", "d")


def _checked(
    path: Path, names: tuple[str, ...], header_lines: int, has_time: bool, separator: str = ","
) -> _Shape:
    shape = _Shape(names, header_lines, has_time, separator)
    numeric = names[shape.first :]
    if not numeric:
        raise InvalidInputError(
            f"{path.name} has no numeric column{' beside the time' if has_time else ''}", reason="no_columns"
        )
    twice = sorted({name for name in numeric if numeric.count(name) > 1})
    if twice or "" in numeric:
        raise InvalidInputError(
            f"{path.name}: column {twice[0]!r} is there twice"
            if twice
            else f"{path.name}: a column has no name",
            reason="bad_header",
        )
    return shape
