"""Cells of a table as numbers and times; the first one that is neither is named by column and row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError

FloatArray = npt.NDArray[np.float64]

SECONDS_LIMIT, MILLISECONDS_LIMIT = 1e11, 1e14
"""A number of a time column below the first is seconds since 1970, below the second milliseconds."""


def numbers(column: Any, name: str, first_row: int, header_lines: int) -> FloatArray:
    """Return a pandas column as numbers; an empty cell is NaN.

    Parameters
    ----------
    first_row
        Row of the file that the column begins at, counting from 0.
    header_lines
        Lines before row 0, for the message.

    Raises
    ------
    InvalidInputError
        If a cell is not a finite number; the message has column, row, line and cell (reason
        `non_numeric_value`).
    """
    import pandas

    found = pandas.to_numeric(column, errors="coerce") if column.dtype.kind not in "fiub" else column
    values: FloatArray = found.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isfinite(values) & (column.notna().to_numpy() | np.isinf(values))
    if wrong.any():
        position = int(wrong.argmax())
        raise InvalidInputError(
            f"{_place(name, first_row + position, header_lines)}: {str(column.iloc[position])[:60]!r} is not "
            "a finite number; correct the cell, leave it empty for a missing value, or leave the column out",
            reason="non_numeric_value",
        )
    return values


def times(column: Any, name: str, first_row: int, header_lines: int) -> FloatArray:
    """Return a pandas column as seconds since 1970: ISO 8601 (UTC where it names no zone), or a number.

    Raises
    ------
    InvalidInputError
        If a cell is empty or neither (reason `bad_time`).
    """
    seconds = _seconds(column)
    wrong = ~np.isfinite(seconds)
    if wrong.any():
        position = int(wrong.argmax())
        raise InvalidInputError(
            f"{_place(name, first_row + position, header_lines)}: {str(column.iloc[position])[:60]!r} is not "
            "a time; write ISO 8601 such as 2024-05-17T09:30:00Z, or seconds or milliseconds since 1970",
            reason="bad_time",
        )
    return seconds


def is_number(text: str) -> bool:
    """Whether a cell's text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_time(text: str) -> bool:
    """Whether a cell's text is a time in ISO 8601 that is not merely a number."""
    import pandas

    if is_number(text) or not text.strip():
        return False
    return not pandas.isna(pandas.to_datetime(text, format="ISO8601", utc=True, errors="coerce"))


def _seconds(column: Any) -> FloatArray:
    import pandas

    if column.dtype.kind in "iuf":
        moments = column.to_numpy(dtype=np.float64, na_value=np.nan)
        size = np.nanmax(np.abs(moments), initial=0.0)
        seconds: FloatArray = moments / (
            1.0 if size < SECONDS_LIMIT else 1e3 if size < MILLISECONDS_LIMIT else 1e9
        )
        return seconds
    moments = pandas.to_datetime(
        column, format=None if column.dtype.kind == "M" else "ISO8601", utc=True, errors="coerce"
    )
    elapsed = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(elapsed), np.nan, elapsed.astype(np.int64) / 1e6)


def _place(name: str, row: int, header_lines: int) -> str:
    return f"column {name!r}, row {row} (line {row + header_lines + 1} of the file)"
