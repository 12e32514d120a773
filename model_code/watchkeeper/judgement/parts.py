"""Where a history is cut, by time: what trains, what the threshold is fitted on, what tests both.

A series that training has not seen, since it began later or has hardly any interval before, is in no part: no
model can be judged by it, and it must not keep the others from a new one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import SplitPlan, WorkloadPlan
from watchkeeper.telemetry.series import parse_series_key

Part = Literal["train", "calibrate", "test"]
PARTS: tuple[Part, ...] = get_args(Part)
Starts = npt.NDArray[np.int64]

MINIMUM_ROWS: dict[Part, int] = {"train": 100, "calibrate": 30, "test": 10}
"""With fewer rows, scales, thresholds and metrics would be accidents."""
SERIES_ROWS = 30
"""Training rows of a series that was there; of a measure with shorter series only, half of its longest's."""


@dataclass(frozen=True)
class Parts:
    """The parts of a history."""

    calibrate_from: float
    """First instant that does not train, in seconds since 1970; infinite where nothing is left."""
    test_from: float
    series: frozenset[str]
    """Keys of those that are in the parts."""

    def part_of(self, start: int) -> Part:
        """Return the part of an interval of one of the series."""
        return "train" if start < self.calibrate_from else "calibrate" if start < self.test_from else "test"

    def slices(self, starts: Starts) -> dict[Part, slice]:
        """Return where the parts are in a series' ascending starts."""
        first, second = np.searchsorted(starts, [self.calibrate_from, self.test_from]).tolist()
        bounds = (0, first, second, len(starts))
        return {part: slice(*bounds[at : at + 2]) for at, part in enumerate(PARTS)}


def parts_of(starts: Mapping[str, Starts], plan: WorkloadPlan) -> Parts:
    """Cut a history without a look into the future: all series at the same two instants.

    Parameters
    ----------
    starts
        Of each series' intervals, in seconds since 1970, ascending.

    Raises
    ------
    InvalidInputError
        If a part has too few rows (reason `too_few_rows`).
    """
    known = frozenset(starts)
    while True:  # what is left out moves the cuts
        parts = _cut(starts, known, plan.split)
        trained = {name: parts.slices(starts[name])["train"].stop for name in known}
        seen = _known({name: count for name, count in trained.items() if count})
        if seen == known:
            break
        known = seen
    _check_sizes(parts, starts, plan)
    return parts


def intervals_needed(split: SplitPlan) -> int:
    """Return how many intervals a history must have for every part to be large enough."""
    shares: dict[Part, float] = {
        "train": split.train,
        "calibrate": split.calibrate,
        "test": 1.0 - split.train - split.calibrate,
    }
    return max(math.ceil(round(MINIMUM_ROWS[part] / share, 6)) for part, share in shares.items())


def _cut(starts: Mapping[str, Starts], known: frozenset[str], split: SplitPlan) -> Parts:
    """Cut at the first instants of the calibration and of the test part."""
    every = np.sort(np.concatenate([*(starts[name] for name in known), np.zeros(0, dtype=np.int64)]))

    def instant(share: float) -> float:
        position = math.floor(round(share * len(every), 6))
        return int(every[position]) if position < len(every) else math.inf

    return Parts(instant(split.train), instant(split.train + split.calibrate), known)


def _check_sizes(parts: Parts, starts: Mapping[str, Starts], plan: WorkloadPlan) -> None:
    slices = [parts.slices(starts[name]) for name in parts.series]
    total = sum(map(len, starts.values()))
    for part in PARTS:
        rows = sum(each[part].stop - each[part].start for each in slices)
        if rows < MINIMUM_ROWS[part]:
            raise InvalidInputError(
                f"too little history: {total} intervals of {plan.interval_seconds} s, at least "
                f"{intervals_needed(plan.split)} are needed; the {part} part has {rows} of "
                f"{MINIMUM_ROWS[part]}. Add history, or shorten the interval",
                reason="too_few_rows",
            )


def _known(trained: Mapping[str, int]) -> frozenset[str]:
    """Return the series that were there, of the training rows of each."""
    longest: dict[str, int] = {}
    for series, count in trained.items():
        measure = parse_series_key(series).measure
        longest[measure] = max(longest.get(measure, 0), count)
    return frozenset(
        series
        for series, count in trained.items()
        if count >= min(SERIES_ROWS, longest[parse_series_key(series).measure] / 2)
    )
