"""Splits a history by time into training, calibration and test rows, without a look into the future.

Rows of all series are ordered by time and cut at two instants: what comes before the first trains the model,
what comes before the second fits the threshold, the rest tests both.

A series that training has not seen, since it began later or has hardly any interval before, is in no part: no
model can be judged by it, and it must not keep the others from a new one. It is named.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import SplitPlan, WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.telemetry.context import ContextRow, rows_of
from watchkeeper.telemetry.expectation import expectation, fit_step_scale, step_scale_of
from watchkeeper.telemetry.labels import Labels
from watchkeeper.telemetry.rows import format_row
from watchkeeper.telemetry.series import parse_series_key

Part = Literal["train", "calibrate", "test"]

MINIMUM_ROWS: dict[Part, int] = {"train": 100, "calibrate": 30, "test": 10}
"""With fewer rows, scales, thresholds and metrics would be accidents."""
SERIES_ROWS = 30
"""Training rows of a series that was there; of a measure with shorter series only, half of its longest's."""


@dataclass(frozen=True)
class SeriesRow:
    """One closed interval of one series."""

    series: str
    context: ContextRow

    def to_csv(self) -> str:
        """Return the request row."""
        return format_row(self.context.row(self.series))


@dataclass(frozen=True)
class Partition:
    """The rows of each part, in time order."""

    rows: dict[Part, list[SeriesRow]]
    step_scales: dict[str, float]
    """By series key; fitted on the training part."""
    left_out: dict[str, str]
    """When each series began that is in no part, by series key; ISO 8601, UTC."""

    def holdback(self, labels: Labels | None, plan: WorkloadPlan) -> Iterator[tuple[SeriesRow, HoldbackRow]]:
        """Yield the held-back rows, calibration then test, each with its line of the index."""
        for part in ("calibrate", "test"):
            for row in self.rows[part]:
                yield row, self._indexed(row, part, labels, plan)

    def _indexed(
        self, row: SeriesRow, part: Literal["calibrate", "test"], labels: Labels | None, plan: WorkloadPlan
    ) -> HoldbackRow:
        context = row.context
        label = None
        if labels is not None:
            label = labels.of(row.series, context.interval_start, plan.interval_seconds)
        band = None
        if context.expected is not None:
            band = expectation(context.expected, step_scale_of(row.series, self.step_scales))
        return HoldbackRow(
            series=row.series,
            interval_start=format_instant(context.interval_start),
            value=context.value,
            part=part,
            label=label,
            expected=None if band is None else band.expected,
            lower=None if band is None else band.lower,
            upper=None if band is None else band.upper,
        )


def partition(series_values: Mapping[str, Sequence[tuple[int, float]]], plan: WorkloadPlan) -> Partition:
    """Make the rows of a history and split them by time.

    Parameters
    ----------
    series_values
        `(interval start, value)` of each series in time order.

    Raises
    ------
    InvalidInputError
        If a part has too few rows (reason `too_few_rows`).
    """
    rows = sorted(
        (SeriesRow(series, row) for series, values in series_values.items() for row in rows_of(values, plan)),
        key=lambda row: (row.context.interval_start, row.series),
    )
    began: dict[str, str] = {}
    for row in rows:
        began.setdefault(row.series, format_instant(row.context.interval_start))
    known = set(began)
    while True:  # what is left out moves the cuts
        kept = [row for row in rows if row.series in known]
        parts = _cut(kept, plan.split)
        seen = _known([row.series for row in parts["train"]])
        if seen == known:
            break
        known = seen
    _check_sizes(parts, len(rows), plan)
    left_out = {series: start for series, start in began.items() if series not in known}
    return Partition(parts, _step_scales(parts["train"]), left_out)


def intervals_needed(split: SplitPlan) -> int:
    """Return how many intervals a history must have for every part to be large enough."""
    shares: dict[Part, float] = {
        "train": split.train,
        "calibrate": split.calibrate,
        "test": 1.0 - split.train - split.calibrate,
    }
    return max(math.ceil(round(MINIMUM_ROWS[part] / share, 6)) for part, share in shares.items())


def _cut(rows: Sequence[SeriesRow], split: SplitPlan) -> dict[Part, list[SeriesRow]]:
    """Cut rows in time order at the first instants of the calibration and of the test part."""

    def instant(share: float) -> float:
        position = math.floor(round(share * len(rows), 6))
        return rows[position].context.interval_start if position < len(rows) else math.inf

    first_calibrate, first_test = instant(split.train), instant(split.train + split.calibrate)
    parts: dict[Part, list[SeriesRow]] = {part: [] for part in get_args(Part)}
    for row in rows:
        start = row.context.interval_start
        part: Part = "train" if start < first_calibrate else "calibrate" if start < first_test else "test"
        parts[part].append(row)
    return parts


def _check_sizes(parts: Mapping[Part, Sequence[SeriesRow]], total: int, plan: WorkloadPlan) -> None:
    for part, rows in parts.items():
        if len(rows) < MINIMUM_ROWS[part]:
            raise InvalidInputError(
                f"too little history: {total} intervals of {plan.interval_seconds} s, at least "
                f"{intervals_needed(plan.split)} are needed; the {part} part has {len(rows)} of "
                f"{MINIMUM_ROWS[part]}. Add history, or shorten the interval",
                reason="too_few_rows",
            )


def _known(trained: Sequence[str]) -> set[str]:
    """Return the series that were there, of the series of each training row."""
    counts = Counter(trained)
    longest: dict[str, int] = {}
    for series, count in counts.items():
        measure = parse_series_key(series).measure
        longest[measure] = max(longest.get(measure, 0), count)
    return {
        series
        for series, count in counts.items()
        if count >= min(SERIES_ROWS, longest[parse_series_key(series).measure] / 2)
    }


def _step_scales(trained: Sequence[SeriesRow]) -> dict[str, float]:
    pairs: dict[str, list[tuple[float, float | None]]] = {}
    for row in trained:
        pairs.setdefault(row.series, []).append((row.context.value, row.context.expected))
    return {series: fit_step_scale(values) for series, values in pairs.items()}
