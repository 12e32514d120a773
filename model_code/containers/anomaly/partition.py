"""Splits the rows of a history into parts, where `watchkeeper.judgement.parts` cuts it; what is in none is
named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.judgement.parts import PARTS, Part, parts_of
from watchkeeper.telemetry.context import ContextRow, rows_of
from watchkeeper.telemetry.expectation import expectation, fit_step_scale, step_scale_of
from watchkeeper.telemetry.labels import Labels
from watchkeeper.telemetry.rows import format_row


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
    starts = {
        series: np.array([start for start, _ in values], dtype=np.int64)
        for series, values in series_values.items()
    }
    cuts = parts_of(starts, plan)
    parts: dict[Part, list[SeriesRow]] = {part: [] for part in PARTS}
    left_out: dict[str, str] = {}
    for row in rows:
        start = row.context.interval_start
        if row.series in cuts.series:
            parts[cuts.part_of(start)].append(row)
        else:
            left_out.setdefault(row.series, format_instant(start))
    return Partition(parts, _step_scales(parts["train"]), left_out)


def _step_scales(trained: Sequence[SeriesRow]) -> dict[str, float]:
    pairs: dict[str, list[tuple[float, float | None]]] = {}
    for row in trained:
        pairs.setdefault(row.series, []).append((row.context.value, row.context.expected))
    return {series: fit_step_scale(values) for series, values in pairs.items()}
