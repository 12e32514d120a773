"""Columns of a table on the job's disk: written part by part, read column by column, and the other way round.

Plain reads and writes of one file: nothing of it stays in the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class ColumnFile(AbstractContextManager["ColumnFile"]):
    """Equally long columns of one type in a file that is removed at the end.

    It is filled by rows (`add_rows`) or by columns (`add_column`), whichever comes, and not by both.

    Parameters
    ----------
    path
        A file that is made.
    dtype
        Of all cells.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike) -> None:
        self._path = path
        self._file = path.open("w+b")
        self._dtype = np.dtype(dtype)
        self._bounds = [0]
        """Rows at which parts begin; the last one is their number."""
        self.n_columns = 0

    @property
    def n_rows(self) -> int:
        """Rows of a column."""
        return self._bounds[-1]

    def add_rows(self, rows: Array) -> None:
        """Append rows, shape (n_rows, n_columns)."""
        self.n_columns = rows.shape[1]
        self._bounds.append(self.n_rows + len(rows))
        self._append(rows.T)

    def add_column(self, column: Array) -> None:
        """Append a column, shape (n_rows,)."""
        self.n_columns += 1
        self._bounds = [0, len(column)]
        self._append(column)

    def column(self, number: int) -> Array:
        """Return a column, shape (n_rows,)."""
        found = np.empty(self.n_rows, self._dtype)
        for start, end in pairwise(self._bounds):
            found[start:end] = self._cells(start * self.n_columns + number * (end - start), end - start)
        return found

    def columns(self) -> Iterator[Array]:
        """Return the columns one after the other."""
        return map(self.column, range(self.n_columns))

    def rows(self, start: int, end: int) -> Array:
        """Return rows of a file that was filled by columns, shape (end - start, n_columns)."""
        found = np.empty((end - start, self.n_columns), self._dtype, order="F")
        for number in range(self.n_columns):
            found[:, number] = self._cells(number * self.n_rows + start, end - start)
        return found

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink()

    def _append(self, cells: Array) -> None:
        self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(cells, self._dtype).tobytes())

    def _cells(self, first: int, count: int) -> Array:
        self._file.seek(first * self._dtype.itemsize)
        return np.fromfile(self._file, self._dtype, count)
