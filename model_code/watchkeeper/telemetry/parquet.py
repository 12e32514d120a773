"""Parquet files as rows of cells. The package pyarrow reads them, and is asked for only then."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.telemetry.cells import cell_text
from watchkeeper.telemetry.csv_rows import refuse_repeated
from watchkeeper.telemetry.decoding import check_unpacked

BATCH_ROWS = 20_000


class ParquetRows:
    """The header and the rows of a Parquet file.

    Raises
    ------
    InvalidInputError
        With reason `unreadable_file`: the package is not there, or the file is damaged; `duplicate_column`;
        `too_large`, before anything is unpacked: see `check_unpacked`.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        with extra("pyarrow", f"{name} is Parquet: reading it"):
            from pyarrow import ArrowException, parquet
        self._name = name
        self._errors = (ArrowException, OSError)
        try:
            self._file: Any = parquet.ParquetFile(stream)
        except self._errors as error:
            raise self._damaged() from error
        self.header: list[str] = list(self._file.schema_arrow.names)
        refuse_repeated(name, self.header)
        self.n_rows: int = self._file.metadata.num_rows
        check_unpacked(name, stream.seek(0, io.SEEK_END), self._unpacked_bytes())

    def records(self) -> Iterator[tuple[int, str, dict[str, Any] | InvalidInputError]]:
        """Yield the rows one by one, counting from 1; dates are text in ISO 8601."""
        number = 0
        for columns in self._batches(BATCH_ROWS):
            for cells in zip(*columns, strict=True):
                number += 1
                yield number, "", dict(zip(self.header, map(_plain, cells), strict=True))

    def blocks(self, rows: int) -> Iterator[list[list[str]]]:
        """Yield at most so many rows at a time, as text."""
        for columns in self._batches(rows):
            yield [list(map(cell_text, cells)) for cells in zip(*columns, strict=True)]

    def batches(self, rows: int) -> Iterator[Any]:
        """Yield record batches of Arrow of at most so many rows, whatever the file's row groups are."""
        try:
            yield from self._file.iter_batches(rows)
        except self._errors as error:
            raise self._damaged() from error

    def _unpacked_bytes(self) -> int:
        """Return what the file says that it unpacks to; a cell has 8 bytes at least, however it is packed."""
        metadata = self._file.metadata
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        stated = sum(int(group.total_byte_size) for group in groups)
        return max(stated, 8 * int(metadata.num_rows) * int(metadata.num_columns))

    def _batches(self, rows: int) -> Iterator[list[list[Any]]]:
        for batch in self.batches(rows):
            yield [column.to_pylist() for column in batch.columns]

    def _damaged(self) -> InvalidInputError:
        return InvalidInputError(
            f"{self._name}: damaged Parquet: write it again, or save the table as CSV",
            reason="unreadable_file",
        )


def _plain(value: Any) -> Any:
    if value != value:
        return None
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
