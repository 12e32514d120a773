"""Timestamps as the detector needs them: seconds, hours of the week, intervals without a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.streaming.state import WEEK_HOURS

_HOUR_SECONDS = 3600


def to_seconds(
    timestamps: npt.NDArray[Any] | Sequence[datetime] | Sequence[float] | None, rows: int
) -> npt.NDArray[np.float64]:
    """Return seconds since 1970, shape (rows,); NaN throughout without timestamps.

    Raises
    ------
    InvalidInputError
        Not one timestamp a row, one is missing, or a datetime has no time zone.
    """
    if timestamps is None:
        return np.full(rows, np.nan)
    if len(timestamps) != rows:
        raise InvalidInputError(f"{len(timestamps)} timestamps for {rows} rows")
    if isinstance(timestamps, np.ndarray) and timestamps.dtype.kind == "M":
        seconds = timestamps.astype("datetime64[us]").astype(np.float64) / 1e6
        seconds[np.isnat(timestamps)] = np.nan
    else:
        seconds = np.array([_seconds(timestamp) for timestamp in timestamps], dtype=np.float64)
    if not np.isfinite(seconds).all():
        raise InvalidInputError(f"row {int((~np.isfinite(seconds)).argmax())} has no timestamp")
    return seconds


def hours_of_week(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the hour of the week in UTC, 0 to 167, from Thursday 00:00 on, as 1970 began.

    Its remainder by 24 is the hour of the day. It is 0 where there is no timestamp.
    """
    known = np.where(np.isnan(seconds), 0.0, seconds)
    return np.floor_divide(known, _HOUR_SECONDS).astype(np.int64) % WEEK_HOURS


def missing_before(
    seconds: npt.NDArray[np.float64], last: float, interval_seconds: float | None, *, limit: int
) -> npt.NDArray[np.int64]:
    """Return how many intervals without a row there are before each row, at most `limit`.

    `last` is the time of the row before the first, NaN when there is none.
    """
    previous = np.append(last, seconds[:-1]) if len(seconds) else seconds
    return missing_between(previous, seconds, interval_seconds, limit=limit)


def missing_between(
    previous: npt.NDArray[np.float64],
    seconds: npt.NDArray[np.float64],
    interval_seconds: float | None,
    *,
    limit: int,
) -> npt.NDArray[np.int64]:
    """Return how many intervals there are between each two times, at most `limit`; 0 where one is NaN."""
    if interval_seconds is None:
        return np.zeros(len(seconds), dtype=np.int64)
    steps = np.rint((seconds - previous) / interval_seconds) - 1
    counts: npt.NDArray[np.int64] = np.clip(np.where(np.isnan(steps), 0.0, steps), 0, limit).astype(np.int64)
    return counts


def _seconds(timestamp: datetime | float) -> float:
    if isinstance(timestamp, datetime):
        if timestamp.tzinfo is None:
            raise InvalidInputError(f"{timestamp.isoformat()} has no time zone: give an aware datetime")
        return timestamp.timestamp()
    return float(timestamp)
