"""Several series in one file that is read as one: told by times that come again and a column that differs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from watchkeeper.telemetry.cells import is_empty, is_number, names_shown, shown

SAMPLE_ROWS = 50_000
_MOST_VALUES = 1_000
_LEAST_ROWS = 20
_REPEATED = 1 / 3
"""Share of rows with the time of another row that more than one series has at least; of two it is a half."""
_APART = 0.99


class Interleaving:
    """Looks at the first rows of a file.

    Parameters
    ----------
    used
        Columns that are read: the time, the values, and what tells series apart already.
    """

    def __init__(self, used: Collection[str]) -> None:
        self._used = frozenset(used)
        self.rows = 0
        """Rows of the sample."""
        self._times: set[Any] = set()
        self._values: dict[str, set[str]] | None = None
        self._pairs: dict[str, set[tuple[Any, str]]] = {}

    def add(self, time: Any, fields: Mapping[str, Any]) -> bool:
        """Look at a row; `time` is what must be there once a series. Return whether more rows are wanted."""
        if self.rows >= SAMPLE_ROWS:
            return False
        self.rows += 1
        self._times.add(time)
        if self._values is None:
            self._values = {name: set() for name in fields if name not in self._used}
            self._pairs = {name: set() for name in self._values}
        for name in list(self._values):
            value = fields.get(name)
            if is_empty(value) or isinstance(value, float) or (isinstance(value, str) and is_fraction(value)):
                del self._values[name], self._pairs[name]
                continue
            self._values[name].add(str(value))
            self._pairs[name].add((time, str(value)))
            if len(self._values[name]) > _MOST_VALUES:
                del self._values[name], self._pairs[name]
        return True

    @property
    def repeated(self) -> int:
        """Rows of the sample with the time of a row before them."""
        return self.rows - len(self._times)

    @property
    def repeats(self) -> bool:
        """Whether so many rows have the time of another one as several series have."""
        return self.rows >= _LEAST_ROWS and self.repeated >= _REPEATED * self.rows

    def telling(self) -> str | None:
        """Return the column that tells series apart; None where there is one series, or no such column."""
        for name, values in (self._values or {}).items() if self.repeats else ():
            if len(values) > 1 and len(self._pairs[name]) >= _APART * self.rows:
                return name
        return None

    def candidates(self) -> list[str]:
        """Return the columns that tell some of the rows apart: all of them together may tell the series."""
        return [name for name, values in (self._values or {}).items() if len(values) > 1]

    def sentence(self) -> str | None:
        """Say which column tells the series of the file apart; None where `telling` has none."""
        name = self.telling()
        if name is None:
            return None
        values = sorted((self._values or {})[name])
        return (
            f"{len(values)} series are in one: at the same times, column {shown(name)} tells "
            f"{names_shown(values, most=3)} apart"
        )


def is_fraction(text: str) -> bool:
    """Whether a cell is a number that is not whole: a measurement, and not a name."""
    return is_number(text) and not text.strip().lstrip("+-").isdigit()
