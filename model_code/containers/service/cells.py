"""Cells of a table as numbers and times; the first one that is neither is named by column and row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import EARLIEST, EPOCH, LATEST, epoch_microseconds, parse_instant
from watchkeeper.service.feature_file import not_a_number
from watchkeeper.telemetry.cells import is_missing, is_number, shown

FloatArray = npt.NDArray[np.float64]
Place = Callable[[int], str]
"""Says where in the file a cell of a column is."""

UNIT_LIMITS = (1e11, 1e14, 1e17)
"""A number of a time column below the first is seconds since 1970, then milliseconds, microseconds, and above
the last nanoseconds."""
EARLIEST_SECONDS = 31_536_000.0
"""1971: earlier numbers are those of a measurement, or of rows that were counted."""
LEAST_DISTINCT = 0.02
"""Share of different numbers in a time column of some length; a measurement that is rounded has fewer."""
_SOME_ROWS = 100


def numbers(column: Any, place: Place) -> FloatArray:
    """Return a pandas column as numbers; a cell without a value is NaN.

    Raises
    ------
    InvalidInputError
        If a cell is not a finite number; the message has column, row, line and cell (reason
        `non_numeric_value`).
    """
    import pandas

    # pandas would take bytes and durations for numbers
    foreign = column.dtype.kind in "mM" or (
        column.dtype.kind == "O" and pandas.api.types.infer_dtype(column) == "bytes"
    )
    found = column if column.dtype.kind in "fiub" or foreign else _numeric(column)
    values: FloatArray = (
        np.full(len(column), np.nan) if foreign else found.to_numpy(dtype=np.float64, na_value=np.nan)
    )
    wrong = ~np.isfinite(values) & (column.notna().to_numpy() | np.isinf(values))
    for position in np.flatnonzero(wrong).tolist():
        if not is_missing(column.iloc[position]):
            raise not_a_number(place(position), column.iloc[position])
    return values


def _numeric(column: Any) -> Any:
    import pandas

    try:
        return pandas.to_numeric(column, errors="coerce")
    except OverflowError:  # a whole number of hundreds of digits
        return column.map(lambda cell: float(str(cell)) if is_number(str(cell)) else np.nan)


def times(column: Any, place: Place) -> FloatArray:
    """Return a pandas column as seconds since 1970: ISO 8601 (UTC where it names no zone), or a number.

    Raises
    ------
    InvalidInputError
        If a cell is empty or neither (reason `bad_time`).
    """
    seconds = _seconds(column)
    first, end = ((moment - EPOCH).total_seconds() for moment in (EARLIEST, LATEST))
    for position in np.flatnonzero(~((seconds >= first) & (seconds < end))).tolist():
        cell = str(column.iloc[position])
        try:
            # what pandas does not know: leap seconds, years before 1678
            seconds[position] = epoch_microseconds(parse_instant(cell)) / 1e6
        except InvalidInputError as error:
            raise InvalidInputError(
                f"{place(position)}: {shown(cell)} is not a time; write ISO 8601 such as "
                "2024-05-17T09:30:00Z, or seconds or milliseconds since 1970",
                reason="bad_time",
            ) from error
    return seconds


def implausible_times(column: Any) -> str:
    """Return why the numbers of a column are no times since 1970; nothing if they may be."""
    seconds = _seconds(column)
    known = seconds[np.isfinite(seconds)]
    if not len(known) or known.max() < EARLIEST_SECONDS:
        span = f"{column.min():g} to {column.max():g}" if len(known) else "missing"
        return f"its numbers are {span}, which would be before 1971"
    if len(known) >= _SOME_ROWS and len(np.unique(known)) < LEAST_DISTINCT * len(known):
        return f"only {len(np.unique(known))} of its first {len(known)} numbers differ"
    return ""


def _seconds(column: Any) -> FloatArray:
    import pandas

    if column.dtype.kind in "iuf":
        moments = column.to_numpy(dtype=np.float64, na_value=np.nan)
        size = np.nanmax(np.abs(moments), initial=0.0)
        seconds: FloatArray = moments / 1e3 ** sum(size >= limit for limit in UNIT_LIMITS)
        return seconds
    moments = pandas.to_datetime(
        column, format=None if column.dtype.kind == "M" else "ISO8601", utc=True, errors="coerce"
    )
    elapsed = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(elapsed), np.nan, elapsed.astype(np.int64) / 1e6)
