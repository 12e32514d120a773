"""What a tenant's table is by its first row: whether that is a header, and what the columns are called.

The API looks at the beginning of a file by these rules, and the jobs read all of it by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.telemetry.cells import is_missing, is_number, shown

MAX_COLUMNS = 10_000
TIME_NAMES = frozenset({"time", "timestamp", "date", "datetime", "ts", "event_time"})
INDEX_NAMES = frozenset({"", "Unnamed: 0", "__index_level_0__"})
"""What pandas calls the row numbers that it writes before the columns."""

_YEAR_AND_MONTH = re.compile(r"\s*\d{4}-?\d\d")
_NAMES = {
    **dict.fromkeys(
        ("corrupt_gzip", "corrupt_zstd", "not_csv", "not_json", "not_utf8", "unknown_field", "wrong_width"),
        "unreadable_file",
    ),
    "duplicate_column": "bad_header",
}


def is_time(cell: str) -> bool:
    """Whether a cell is a time in ISO 8601 that is not merely a number.

    Examples
    --------
    >>> is_time("2024-05-17 09:30"), is_time("20240517"), is_time("load")
    (True, False, False)
    """
    # a refusal looks for formats that were meant, which takes long in a wide header
    if is_number(cell) or not _YEAR_AND_MONTH.match(cell):
        return False
    try:
        parse_instant(cell.strip())
    except InvalidInputError:
        return False
    return True


def is_header(cells: Sequence[str]) -> bool:
    """Whether a table's first row names its columns: it begins with a text, or has no number and no time.

    Examples
    --------
    >>> is_header(["time", "load"]), is_header(["2024-05-17", "1.5"]), is_header(["", "0", "1"])
    (True, False, True)
    """
    measured = [is_number(cell) or is_time(cell) for cell in cells if not is_missing(cell)]
    if not any(measured) or not (measured[0] or is_missing(cells[0])):
        return True
    # pandas without names: an index that has none, then 0, 1, 2, …
    return cells[0] == "" and list(cells[1:]) == [str(number) for number in range(len(cells) - 1)]


def column_names(name: str, cells: Sequence[str]) -> list[str] | None:
    """Return the names of a table's columns if its first row does not: `column_1`, `column_2`, …; else None.

    Raises
    ------
    InvalidInputError
        If there are too many columns (reason `too_many_columns`).
    """
    check_width(name, len(cells))
    return None if is_header(cells) else [f"column_{number}" for number in range(1, len(cells) + 1)]


def check_width(name: str, n_columns: int) -> None:
    """Refuse a table that is too wide to be judged.

    Raises
    ------
    InvalidInputError
        With reason `too_many_columns`.
    """
    if n_columns > MAX_COLUMNS:
        raise InvalidInputError(
            f"{name} has {n_columns:,} columns, {MAX_COLUMNS:,} are allowed: split the table, or leave "
            "columns out",
            reason="too_many_columns",
        )


def not_a_number(place: str, cell: object) -> InvalidInputError:
    """Return the refusal of a cell that must be a number."""
    text = str(cell)
    if len(text.splitlines()) > 1:
        return InvalidInputError(
            f"{place}: {shown(text)} is not a finite number but text of several lines: leave the column "
            "out or, if a quote that is opened here is closed too late, close it there",
            reason="non_numeric_value",
        )
    comma = is_number(text.replace(",", ".", 1))
    remedy = 'if the comma is its decimal sign, send "decimal": ","; else ' if comma else ""
    return InvalidInputError(
        f"{place}: {shown(text)} is not a finite number; {remedy}correct the cell, leave it empty for a "
        "missing value, or leave the column out",
        reason="non_numeric_value",
    )


@contextmanager
def telling_as_the_service() -> Iterator[None]:
    """Let a file's refusal have the name that the service has documented for its kind."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError(str(error), reason=_NAMES.get(error.reason, error.reason)) from error
