"""The rows that the endpoint is asked with: one line of CSV a record.

    timestamp,value[,lag_1,…]
    timestamp,series,value[,lag_1,…]

`series` is there when the second cell is not a number. Cells are never quoted: a series key has no comma.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.telemetry.cells import is_missing, is_number, parse_number
from watchkeeper.telemetry.series import parse_series_key

NUMBER_WORDS = frozenset({"nan", "inf", "infinity"})
"""Words that read as numbers and so cannot be a measure's name."""


@dataclass(frozen=True)
class Row:
    """One interval of one series, with what came before it."""

    timestamp: datetime
    """Start of the interval; aware, UTC."""
    series: str | None
    """Series key, or None: the model's only series."""
    value: float
    lags: tuple[float, ...] = ()
    """Values of the intervals before, the newest first."""

    def filled(self, count: int) -> tuple[float, ...]:
        """Return exactly `count` lags: those that are absent are the oldest known value."""
        lags = self.lags[:count]
        return lags + (lags[-1] if lags else self.value,) * (count - len(lags))


def format_row(row: Row) -> str:
    """Write a row; numbers are written so that they read back as the same float."""
    cells = [format_instant(row.timestamp)]
    if row.series is not None:
        cells.append(row.series)
    return ",".join([*cells, repr(row.value), *map(repr, row.lags)])


def parse_row(line: str, number: int, *, max_lags: int | None = None) -> Row:
    """Read a row; the inverse of `format_row`. Spaces around cells are ignored.

    Parameters
    ----------
    line
        Such as `2013-12-02 21:15:00, 75`.
    number
        Which record of the request it is, from 1: errors name it.
    max_lags
        How many lags the model takes, where known.

    Raises
    ------
    InvalidInputError
        With reason `empty_row`, `bad_timestamp`, `bad_series`, `not_a_number`, `not_finite`,
        `out_of_range` or `wrong_width`.
    """
    cells = [cell.strip() for cell in line.strip().split(",")]
    if cells == [""]:
        raise InvalidInputError(f"record {number}: empty line", reason="empty_row")
    try:
        return _parse_cells(cells, max_lags)
    except InvalidInputError as error:
        raise InvalidInputError(f"record {number}: {error}", reason=error.reason) from error


def parse_rows(lines: Iterable[str], *, max_lags: int | None = None) -> Iterator[Row]:
    """Read the rows of a request or a file, counting from 1; see `parse_row`."""
    for number, line in enumerate(lines, start=1):
        yield parse_row(line, number, max_lags=max_lags)


def _parse_cells(cells: list[str], max_lags: int | None) -> Row:
    if len(cells) < 2:
        raise InvalidInputError(
            "expected timestamp,value[,lag_1,…] or timestamp,series,value[,lag_1,…], got one cell",
            reason="wrong_width",
        )
    timestamp = parse_instant(cells[0])
    series = None if len(cells) == 2 or _reads_as_number(cells[1]) else cells[1]
    numbers = cells[1:]
    if series is not None:
        parse_series_key(series)
        numbers = cells[2:]
    if max_lags is not None and len(numbers) - 1 > max_lags:
        raise InvalidInputError(
            f"{len(numbers) - 1} lags, the model takes at most {max_lags}", reason="wrong_width"
        )
    value, *lags = (parse_number(cell, _cell_name(index)) for index, cell in enumerate(numbers))
    return Row(timestamp, series, value, tuple(lags))


def _reads_as_number(cell: str) -> bool:
    return is_number(cell) or is_missing(cell) or cell.lstrip("+-").lower() in NUMBER_WORDS


def _cell_name(index: int) -> str:
    return f"lag_{index}" if index else "value"
