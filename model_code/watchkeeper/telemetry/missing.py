"""Intervals without records: what value they have. One definition for training, backtest and the stream.

A measure either has no value then (`ignore`), or one that counts as any other: it is scored and learned.
What is before a series' first record is not missing, and a series that says nothing for
`MAX_FILLED_INTERVALS` has stopped: what comes after them has no value until it says something again.
"""

from __future__ import annotations

import contextlib
import difflib
import math
from collections.abc import Iterator, Sequence

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Fill, MeasurePlan

FILLS = ("ignore", "zero", "previous")

MAX_FILLED_INTERVALS = 1000
"""Of one gap; at intervals of 5 minutes, three days and a half."""


def read_fill(value: object) -> Fill:
    """Read what an interval without records has: `ignore`, `zero`, `previous` or a number.

    Raises
    ------
    InvalidInputError
        If it is something else.
    """
    if value in ("ignore", "previous"):
        return "ignore" if value == "ignore" else "previous"
    with contextlib.suppress(ValueError, TypeError):
        number = 0.0 if value == "zero" else float(value)  # type: ignore[arg-type]
        if math.isfinite(number) and not isinstance(value, bool):
            return number
    close = difflib.get_close_matches(str(value), FILLS, n=1)
    raise InvalidInputError(
        f"must be {', '.join(FILLS)} or a number{f'; did you mean {close[0]}?' if close else ''}",
        reason="bad_missing",
    )


def filler(measure: MeasurePlan, last: float) -> float | None:
    """Return the value of an interval without records, None where it has none.

    Parameters
    ----------
    last
        Value of the last interval that had records.
    """
    if measure.fill == "ignore":
        return None
    return last if measure.fill == "previous" else measure.fill


def empty_starts(last: int, until: int, interval_seconds: int) -> range:
    """Return the starts of the intervals without records that are filled.

    Parameters
    ----------
    last
        Start of the last interval that had records.
    until
        Start of the next one, or of the first that is still open.
    """
    first = last + interval_seconds
    return range(first, min(until, first + MAX_FILLED_INTERVALS * interval_seconds), interval_seconds)


def filled(
    values: Sequence[tuple[int, float]], measure: MeasurePlan, interval_seconds: int
) -> Iterator[tuple[int, float]]:
    """Yield the intervals of a series with those between them that have no records.

    Parameters
    ----------
    values
        Start and value of each interval with records, in the order of time.
    """
    before: tuple[int, float] | None = None
    for start, value in values:
        if before is not None:
            fill = filler(measure, before[1])
            if fill is not None:
                yield from ((empty, fill) for empty in empty_starts(before[0], start, interval_seconds))
        yield start, value
        before = start, value
