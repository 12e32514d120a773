"""The rows that the endpoint is asked with: one line of CSV a record.

    timestamp,value[,lag_1,…]
    timestamp,series,value[,lag_1,…]
    value

`series` is there when the second cell is not a number. A value alone is a row where no time is among the
model's features (`FeaturePlan.has_time`). Rows are CSV: cells may be quoted, though what is written here
never has to be, as a series key has no comma.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import EPOCH, format_instant, parse_instant
from watchkeeper.telemetry.cells import is_missing, is_number, parse_number, shown
from watchkeeper.telemetry.payloads import Instance, csv_records, naming_record, read_each
from watchkeeper.telemetry.series import parse_series_key

NUMBER_WORDS = frozenset({"nan", "inf", "infinity"})
"""Words that read as numbers and so cannot be a measure's name."""

_FIELDS = ("timestamp", "series", "value", "lags")
_NO_TIME = format_instant(EPOCH)
"""Stands in a row for the time that its model does not look at."""


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


def parse_rows(lines: Iterable[str], *, max_lags: int | None = None) -> Iterator[Row]:
    """Read the rows of a file; the inverse of `format_row`. Spaces around cells are ignored.

    Parameters
    ----------
    lines
        Such as `2013-12-02 21:15:00, 75`.
    max_lags
        How many lags the model takes, where known.

    Raises
    ------
    InvalidInputError
        Naming the record, from 1, with reason `empty_row`, `not_csv`, `bad_timestamp`, `bad_series`,
        `not_a_number`, `not_finite`, `out_of_range` or `wrong_width`.
    """
    for number, cells in enumerate(csv_records(lines), start=1):
        with naming_record(number):
            yield _parse_cells(cells, max_lags)


def rows_of(instances: Iterable[Instance], *, needs_time: bool = True) -> list[Row]:
    """Read the records of a request: the cells of a row, or an object with `timestamp`, `value` and, where
    needed, `series` and `lags`.

    Parameters
    ----------
    needs_time
        Whether the model looks at timestamps. Where it does not, a value alone is a row, and an object needs
        no `timestamp`.

    Raises
    ------
    InvalidInputError
        As `parse_rows`, or if an object has other fields.
    """

    def read(instance: Instance) -> Row:
        cells = _cells_of(instance, needs_time) if isinstance(instance, Mapping) else instance
        return _parse_cells([_text(cell) for cell in cells], needs_time=needs_time)

    return read_each(instances, read)


def _cells_of(instance: Mapping[str, Any], needs_time: bool) -> list[Any]:
    unknown = sorted(set(instance) - set(_FIELDS))
    absent = sorted(({"timestamp", "value"} if needs_time else {"value"}) - set(instance))
    if unknown or absent:
        wrong = f"unknown field {unknown[0]!r}" if unknown else f"no field {absent[0]!r}"
        raise InvalidInputError(f"{wrong}; a record has {', '.join(sorted(_FIELDS))}")
    series = [instance["series"]] if instance.get("series") is not None else []
    lags = instance.get("lags", [])
    return [
        instance.get("timestamp", _NO_TIME),
        *series,
        instance["value"],
        *(lags if isinstance(lags, list) else [lags]),
    ]


def _text(cell: Any) -> str:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise InvalidInputError(f"{cell!r} is neither a number nor text")
    return str(cell)


def _parse_cells(cells: Sequence[str], max_lags: int | None = None, *, needs_time: bool = True) -> Row:
    cells = [cell.strip() for cell in cells]
    if len(cells) == 1 and _several_numbers(cells[0]):
        raise InvalidInputError(
            f"{shown(cells[0])} is several numbers: records are separated by newlines, a record's cells by "
            "commas",
            reason="wrong_width",
        )
    if len(cells) == 1 and not needs_time:
        cells = [_NO_TIME, *cells]
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


def _several_numbers(cell: str) -> bool:
    parts = cell.split()
    return len(parts) > 1 and all(map(is_number, parts))


def _reads_as_number(cell: str) -> bool:
    return is_number(cell) or is_missing(cell) or cell.lstrip("+-").lower() in NUMBER_WORDS


def _cell_name(index: int) -> str:
    return f"lag_{index}" if index else "value"
