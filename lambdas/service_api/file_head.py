"""A cheap look at the beginning of a file, so that the commonest mistake is answered at once.

The job reads the whole file and has the last word; here only a cell that it would refuse too is refused. So
the first line, the first column and one that is named like a time are not judged: whether they are a header
or a time, the job decides.
"""

from __future__ import annotations

import io
from functools import partial

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.service.feature_file import (
    TIME_NAMES,
    check_width,
    column_names,
    not_a_number,
    telling_as_the_service,
)
from watchkeeper.telemetry.cells import is_missing, is_number, with_decimal_point
from watchkeeper.telemetry.csv_rows import DELIMITERS, CsvRow, CsvRows
from watchkeeper.telemetry.decoding import GZIP_MAGIC, PARQUET_MAGIC, ZSTD_MAGIC, TextFile
from watchkeeper.telemetry.dialect import DIALECT


def check_head(name: str, key: str, head: bytes, *, whole: bool, dialect: Dialect = DIALECT) -> None:
    """Refuse a file whose beginning cannot be a table of numbers.

    Parameters
    ----------
    name
        How messages call the file.
    key
        Its key: a file that is called Parquet must be Parquet.
    head
        Its first bytes.
    whole
        Whether these are all; if not, the last line is not complete and does not count.

    Raises
    ------
    InvalidInputError
        With a reason of `containers.service.tables`; `non_numeric_value` has column, row and cell.
    """
    # what is packed in them, the job looks at
    if head.startswith((PARQUET_MAGIC, GZIP_MAGIC, ZSTD_MAGIC)):
        return
    if key.lower().endswith(".parquet"):
        raise InvalidInputError(f"{name} is not a Parquet file", reason="unreadable_file")
    with telling_as_the_service():
        lines = head if whole else _complete(name, head)
        if not lines and not whole:
            return
        text = TextFile(io.BytesIO(lines), name)
        if text.kind == "csv":
            _check_rows(name, CsvRows(text, dialect, partial(column_names, name)), dialect, whole=whole)


def _complete(name: str, head: bytes) -> bytes:
    """Return the lines of a beginning that end in it; of UTF-16, which may be cut in a character, none."""
    end = max(head.rfind(b"\n"), head.rfind(b"\r"))
    if end < 0:
        check_width(name, 1 + max(head.count(delimiter.encode()) for delimiter in DELIMITERS))
    return b"" if b"\0" in head else head[: end + 1]


def _check_rows(name: str, rows: CsvRows, dialect: Dialect, *, whole: bool) -> None:
    try:
        for number, row in enumerate(rows):
            if row.error is not None:
                raise InvalidInputError(f"{name}, line {row.line}: {row.error}", reason=row.error.reason)
            _check_cells(name, rows.header, row, number, comma=dialect.decimal == ",")
    except InvalidInputError as error:
        # a quote may be closed behind the beginning
        if whole or error.reason != "unclosed_quote":
            raise


def _check_cells(name: str, names: list[str], row: CsvRow, number: int, *, comma: bool) -> None:
    for position, cell in enumerate(row.cells[1:], start=1):
        number_text = with_decimal_point(cell) if comma else cell
        if is_missing(cell) or is_number(number_text) or names[position].lower() in TIME_NAMES:
            continue
        raise not_a_number(
            f"{name}: column {names[position]!r}, row {number} (line {row.line} of the file)", cell
        )
