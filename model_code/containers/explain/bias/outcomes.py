"""Groups and outcomes of the bias metrics, out of columns: sensitive values, and favourable labels.

Clarify takes a column of numbers as continuous, and a configured number as its threshold, when it has many
different values; else as categories. What counts as many depends on the number of rows there, so that a
regression's label may be either. Here one number is a threshold when the column has more than
`MAX_CATEGORIES` different numbers or one that is not whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.io.dataset import is_number
from containers.explain.io.sections import Cell
from containers.explain.measures.bias import above
from watchkeeper.core.errors import InvalidInputError

MAX_CATEGORIES = 10


@dataclass(frozen=True)
class Selection:
    """Which values of a column are meant: some values, or those above a threshold."""

    name: str
    values: tuple[Cell, ...]
    threshold: float | None
    highest: float = np.nan
    """Of the column; it ends the interval in the text."""

    def of(self, column: pd.Series) -> NDArray[np.bool_]:
        """Return which cells of a column are meant."""
        if self.threshold is not None:
            return above(column.to_numpy(dtype=np.float64), self.threshold)
        if is_number(column):
            return np.asarray(column.isin([float(value or 0) for value in self.values]))
        return np.asarray(column.isin([str(value) for value in self.values]))

    @property
    def text(self) -> str:
        """As Clarify writes it: the values, or the interval above the threshold."""
        if self.threshold is not None:
            return f"({self.threshold:g}, {self.highest:g}]"
        return ",".join(map(str, self.values))

    @property
    def words(self) -> str:
        """As a reader says it."""
        if self.threshold is not None:
            return f"{self.name} above {self.threshold:g}"
        return f"{self.name} = {' or '.join(map(str, self.values))}"


def select(key: str, column: pd.Series, values: Sequence[Cell]) -> Selection:
    """Return the selection that a configuration means.

    Raises
    ------
    InvalidInputError
        If a value is of another kind than the column, or no cell has it; names the key.
    """
    name = str(column.name)
    numbers = is_number(column)
    wrong = [value for value in values if numbers and not _is_number(value)]
    if wrong:
        raise InvalidInputError(f"{key}: {wrong[0]!r} is not a number, as {name} has", reason="outcome")
    if is_continuous(column) and len(values) == 1:
        threshold = float(values[0] or 0)
        return Selection(name, tuple(values), threshold, float(column.max()))
    selection = Selection(name, tuple(values), None)
    for value in values:
        if not Selection(name, (value,), None).of(column).any():
            raise InvalidInputError(f"{key}: no row has {name} = {value!r}", reason="outcome")
    return selection


def is_continuous(column: pd.Series) -> bool:
    """Whether one number is a threshold of the column, and not one of its categories."""
    if not is_number(column):
        return False
    different = pd.unique(column.dropna())
    return bool(len(different) > MAX_CATEGORIES or (different != np.floor(different)).any())


def categories(key: str, column: pd.Series) -> list[Selection]:
    """Return a selection of each category of a column, for a facet without values.

    Raises
    ------
    InvalidInputError
        If the column is continuous: it needs a threshold.
    """
    if is_continuous(column):
        raise InvalidInputError(
            f"{key}: {column.name} is a column of many numbers; give a threshold", reason="outcome"
        )
    found = sorted(pd.unique(column.dropna()).tolist(), key=str)
    return [Selection(str(column.name), (value,), None) for value in found]


def _is_number(value: Cell) -> bool:
    try:
        float(value)  # type: ignore[arg-type]  # None raises TypeError
    except (TypeError, ValueError):
        return False
    return True
