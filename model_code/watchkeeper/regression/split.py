"""Which rows of a table train and which are held back, without a look into the future."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.plan import RegressionPlan, TableSplitPlan
from watchkeeper.regression.rows import Features, format_cells

MINIMUM_TRAIN, MINIMUM_HOLDBACK = 50, 20
"""With fewer rows, a model and its metrics would be accidents."""


@dataclass(frozen=True)
class LabelledRow:
    """One row of the history."""

    target: float
    features: Features
    time: datetime | None = None
    """Where the plan's rows have one."""

    def to_csv(self) -> str:
        """Return the target and the features as a line of CSV."""
        return format_cells([self.target, *self.features])

    def request(self) -> str:
        """Return the request row."""
        return format_cells(self.features)


@dataclass(frozen=True)
class TableParts:
    """The rows of each part, in the order of the history; by time where the split is by time."""

    train: list[LabelledRow]
    holdback: list[LabelledRow]


def split_rows(rows: Sequence[LabelledRow], plan: RegressionPlan) -> TableParts:
    """Split a history.

    Raises
    ------
    InvalidInputError
        If a part has too few rows (reason `too_few_rows`).
    """
    split = plan.history.split
    parts = _by_time(rows, split) if split.by == "time" else _by_content(rows, split)
    for name, part, minimum in (
        ("training", parts.train, MINIMUM_TRAIN),
        ("held-back", parts.holdback, MINIMUM_HOLDBACK),
    ):
        if len(part) < minimum:
            raise InvalidInputError(
                f"too little history: of {len(rows)} rows the {name} part has {len(part)}, and at least "
                f"{minimum} are needed; add history, or change history.split",
                reason="too_few_rows",
            )
    return parts


def drawn(rows: Sequence[LabelledRow], count: int, seed: int) -> list[LabelledRow]:
    """Return so many rows, chosen by their content and the seed, in their order."""
    if len(rows) <= count:
        return list(rows)
    ranked = sorted((_position(row, seed, "draw"), index) for index, row in enumerate(rows))
    return [rows[index] for index in sorted(index for _, index in ranked[:count])]


def _by_content(rows: Sequence[LabelledRow], split: TableSplitPlan) -> TableParts:
    parts = TableParts([], [])
    for row in rows:
        (parts.train if _position(row, split.seed, "split") < split.train else parts.holdback).append(row)
    return parts


def _by_time(rows: Sequence[LabelledRow], split: TableSplitPlan) -> TableParts:
    timed = sorted(((row.time, row) for row in rows if row.time is not None), key=lambda pair: pair[0])
    cut = math.floor(round(split.train * len(timed), 6))
    if cut >= len(timed):
        return TableParts([row for _, row in timed], [])
    first_held_back = timed[cut][0]
    return TableParts(
        [row for time, row in timed if time < first_held_back],
        [row for time, row in timed if time >= first_held_back],
    )


def _position(row: LabelledRow, seed: int, purpose: str) -> float:
    """A number in [0, 1) that follows from the row's content."""
    digest = hashlib.sha256(f"{purpose}|{seed}|{row.to_csv()}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
