"""Measure what `watchkeeper.detectors.protocol.calibration` states: `python -m
benchmarks.quality.calibrating`.

Prints, for each line of its two tables, the rarity in the table and the one that the development half of the
benchmark shows: -log10 of the fraction of rows, outside all labelled windows and after the probation, with at
least that onset or level. Whoever changes the kernel takes the measured rarities over; where fewer than
`ENOUGH` rows are left, the table goes on as it did.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.quality.corpus import LabelledSeries, load_corpus
from benchmarks.quality.splits import development_files
from watchkeeper.detectors.protocol.calibration import LEVEL_RARITY, ONSET_RARITY
from watchkeeper.detectors.streaming.kernel import advance_all
from watchkeeper.detectors.streaming.state import Parameters, new_states
from watchkeeper.detectors.streaming.times import hours_of_week, to_seconds

FloatArray = npt.NDArray[np.float64]
ENOUGH = 6


def kernel_outputs(series: LabelledSeries, parameters: Parameters | None = None) -> npt.NDArray[np.void]:
    """Return what the kernel says of each row before calibration, shape (n_rows,), dtype OUTPUT."""
    values = np.array(series.values, dtype=np.float64)
    hours = hours_of_week(to_seconds(series.timestamps, len(values)))
    missing = np.zeros(len(values), dtype=np.int64)
    return advance_all(new_states(1), (parameters or Parameters()).record(), hours, missing, values)


def measured(corpus: Sequence[LabelledSeries], field: str, edges: FloatArray) -> list[tuple[int, float]]:
    """Return for each edge how many ordinary rows have at least that onset or level, and -log10 of their
    fraction."""
    parts = []
    for series in corpus:
        ordinary = ~series.labels & (np.arange(len(series.values)) >= series.probation_rows)
        parts.append(kernel_outputs(series)[field][ordinary])
    values = np.concatenate(parts)
    counts = [int((values >= edge).sum()) for edge in edges]
    return [(count, -float(np.log10(max(count, 0.5) / len(values)))) for count in counts]


def main() -> None:
    """Print both tables beside what is measured."""
    corpus = load_corpus()
    development = development_files(corpus)
    half = [series for series in corpus if series.name in development]
    for field, table in (("onset", ONSET_RARITY), ("level", LEVEL_RARITY)):
        print(f"{field:>6}  rows  stated  measured")
        for (edge, stated), (count, rarity) in zip(table, measured(half, field, table[:, 0]), strict=True):
            note = "" if count >= ENOUGH else "  (too few)"
            print(f"{edge:6.2f} {count:6d} {stated:6.2f} {rarity:8.2f}{note}")


if __name__ == "__main__":
    main()
