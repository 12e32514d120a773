"""A cheap look at the beginning of a file, so that the commonest mistake is answered at once.

The job reads the whole file and has the last word; here only a cell that it would refuse too is refused. So
the first line and the first column are not judged: whether they are a header or a time, the job decides.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from watchkeeper.core.errors import InvalidInputError

MISSING = frozenset(
    {"", "#n/a", "#na", "-nan", "<na>", "n/a", "na", "nan", "none", "null", "-1.#ind", "1.#qnan", "1.#ind"}
)
"""Cells without a value, as pandas reads them, in any case."""
_INFINITE = frozenset({"inf", "infinity"})
_SEPARATORS = ",;\t"


def check_head(name: str, key: str, head: bytes, *, whole: bool) -> None:
    """Refuse a file whose beginning cannot be a table of numbers.

    Parameters
    ----------
    name
        How messages call the file.
    key
        Its key: the extension decides the format.
    head
        Its first bytes.
    whole
        Whether these are all; if not, the last line is not complete and does not count.

    Raises
    ------
    InvalidInputError
        With reason `unreadable_file`, or `non_numeric_value` and column, row and cell.
    """
    if key.lower().endswith(".parquet"):
        if not head.startswith(b"PAR1"):
            raise InvalidInputError(f"{name} is not a Parquet file", reason="unreadable_file")
        return
    text = _decoded(name, head, whole=whole)
    lines = text.split("\n") if whole else text.split("\n")[:-1]
    _check_rows(name, [line for line in lines if line.strip()])


def _decoded(name: str, head: bytes, *, whole: bool) -> str:
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not whole and error.end == len(head):  # cut in the middle of a character
            return head[: error.start].decode("utf-8-sig")
        raise InvalidInputError(
            f"{name} is not text in UTF-8 (byte {error.start}): save it as CSV in UTF-8, or as Parquet",
            reason="unreadable_file",
        ) from error


def _check_rows(name: str, lines: list[str]) -> None:
    if not lines:
        return
    separator = max(_SEPARATORS, key=lines[0].count)
    rows = _rows(name, lines, separator)
    first = next(rows, [])
    header = not _is_number(first[0]) if first else False
    for number, cells in enumerate(rows, start=0 if header else 1):
        for position, cell in enumerate(cells[1:], start=1):
            if cell.strip().lower() not in MISSING and not _is_number(cell):
                column = (
                    first[position].strip() if header and position < len(first) else f"column_{position + 1}"
                )
                raise InvalidInputError(
                    f"{name}: column {column!r}, row {number} (line {number + header + 1} of the file): "
                    f"{cell.strip()[:60]!r} is not a finite number; correct the cell, leave it empty for a "
                    "missing value, or leave the column out",
                    reason="non_numeric_value",
                )


def _rows(name: str, lines: list[str], separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=separator)
    except csv.Error as error:
        raise InvalidInputError(f"{name} is not a CSV file: {error}", reason="unreadable_file") from error


def _is_number(cell: str) -> bool:
    text = cell.strip().lower()
    try:
        float(text)
    except ValueError:
        return False
    return text.lstrip("+-") not in _INFINITE and "_" not in text
