"""What charts show of a task: a sample of bounded size, and counts over all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from containers.service.labels import Labels
from containers.service.tables import Part
from watchkeeper.detectors.protocol.scores import Scores, joined

FloatArray = npt.NDArray[np.float64]

SAMPLE_ROWS = 6_000
SAMPLE_ANOMALIES = 2_000
BINS = 50


@dataclass(frozen=True)
class Sample:
    """Some rows of a table with what a detector says of them, in the table's order."""

    columns: tuple[str, ...]
    row: npt.NDArray[np.int64]
    """Numbers of the rows, counting from 0."""
    values: FloatArray
    times: FloatArray | None
    scores: Scores
    truth: Labels | None
    every: int = 1
    """It has at least every so-manieth row."""

    def __len__(self) -> int:
        return len(self.row)

    def rows(self, chosen: npt.NDArray[np.int64]) -> Sample:
        """Return some of the rows."""
        return Sample(
            self.columns,
            self.row[chosen],
            self.values[chosen],
            None if self.times is None else self.times[chosen],
            self.scores.rows(chosen),
            None if self.truth is None else self.truth[chosen],
            self.every,
        )


@dataclass
class Picture:
    """Collects a table part by part.

    Every so-manieth row is kept, and between them the first rows that are anomalies or labelled as such.

    Parameters
    ----------
    threshold
        anomaly_score above which a row is an anomaly.
    """

    threshold: float
    bins: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, BINS), dtype=np.int64))
    """Rows by anomaly_score, shape (2, BINS): the second line those that are labelled as anomalies."""
    rows: int = 0
    anomalies: int = 0
    labelled: bool = False
    _every: int = 1
    _kept: list[Sample] = field(default_factory=list)

    def add(self, part: Part, scores: Scores, truth: Labels | None) -> None:
        """Take in the next part."""
        true = np.zeros(len(part), dtype=bool) if truth is None else truth
        place = np.clip((scores.anomaly_score * BINS).astype(np.int64), 0, BINS - 1)
        for kind in (0, 1):
            self.bins[kind] += np.bincount(place[true == bool(kind)], minlength=BINS)
        self.rows += len(part)
        self.anomalies += int(scores.is_anomaly.sum())
        self.labelled = truth is not None
        row = part.first_row + np.arange(len(part))
        self._kept.append(Sample(part.columns, row, part.values, part.times, scores, truth))
        if sum(map(len, self._kept)) > 2 * (SAMPLE_ROWS + SAMPLE_ANOMALIES):
            self._kept = [self.sample()]

    def sample(self) -> Sample:
        """Return what is kept."""
        whole = _joined(self._kept)
        while self.rows > SAMPLE_ROWS * self._every:
            self._every *= 2  # what an earlier sample has kept, a later one can keep
        regular = whole.row % self._every == 0
        notable = whole.scores.is_anomaly if whole.truth is None else whole.scores.is_anomaly | whole.truth
        extra = np.flatnonzero(notable & ~regular)[:SAMPLE_ANOMALIES]
        chosen = whole.rows(np.sort(np.concatenate((np.flatnonzero(regular), extra))))
        return replace(chosen, every=self._every)


def _joined(samples: list[Sample]) -> Sample:
    times = [sample.times for sample in samples if sample.times is not None]
    truths = [sample.truth for sample in samples if sample.truth is not None]
    return Sample(
        samples[0].columns,
        np.concatenate([sample.row for sample in samples]),
        np.concatenate([sample.values for sample in samples]),
        np.concatenate(times) if times else None,
        joined([sample.scores for sample in samples]),
        np.concatenate(truths) if truths else None,
    )


def projection(values: FloatArray, columns: Sequence[str]) -> tuple[FloatArray, tuple[str, str]] | None:
    """Return rows in two dimensions, shape (n_rows, 2), with the names of the axes; None of one column.

    Several columns are standardized and turned onto their two principal components; missing values count as
    the mean. With two columns there is nothing to project.
    """
    if values.shape[1] < 2:
        return None
    finite = np.where(np.isfinite(values), values, np.nan)
    seen = np.isfinite(finite).sum(axis=0)
    mean = np.nansum(finite, axis=0) / np.maximum(seen, 1)
    centred = np.where(np.isnan(finite), 0.0, finite - mean)
    if values.shape[1] == 2:
        return centred + mean, (columns[0], columns[1])
    deviation = centred.std(axis=0)
    standard = centred / np.where(deviation > 0, deviation, 1.0)
    _, sizes, axes = np.linalg.svd(standard, full_matrices=False)
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-300)
    # the sign of a component is arbitrary: its largest part is positive
    turned = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, np.newaxis]
    named = tuple(f"component {number + 1} ({shares[number]:.0%} of the variance)" for number in (0, 1))
    return standard @ turned.T, (named[0], named[1])
