"""What is measured of a detector's scores on the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality.corpus import LabelledSeries
from benchmarks.quality.nab_scoring import (
    PROFILES,
    gain_curve,
    normalized_score,
    score_corpus,
    score_with_threshold_from_other_files,
)
from benchmarks.quality.threshold_free import AlertSummary, pr_auc, summarize_alerts, vus_pr

FloatArray = npt.NDArray[np.float64]
STANDARD = PROFILES[0]


@dataclass(frozen=True)
class CorpusScores:
    """A detector's scores of every row of the corpus, in the corpus's order."""

    corpus: Sequence[LabelledSeries]
    scores: Sequence[FloatArray]

    def of(self, names: set[str]) -> CorpusScores:
        """Return the part that these files make up."""
        pairs = [
            (series, score)
            for series, score in zip(self.corpus, self.scores, strict=True)
            if series.name in names
        ]
        return CorpusScores([series for series, _ in pairs], [score for _, score in pairs])

    def by_profile(self) -> list[float]:
        """Return the benchmark's score in each profile, with the threshold that is best on these files."""
        return [score_corpus(self.corpus, self.scores, profile)[0] for profile in PROFILES]

    def threshold(self) -> float:
        """Return the threshold that is best on these files in the standard profile."""
        return score_corpus(self.corpus, self.scores, STANDARD)[1]

    def standard_with(self, threshold: float) -> float:
        """Return the standard score with this threshold on every file."""
        curves = [
            gain_curve(series, score, STANDARD)
            for series, score in zip(self.corpus, self.scores, strict=True)
        ]
        return normalized_score(curves, [threshold] * len(curves), STANDARD)

    def with_threshold_from_other_files(self) -> FloatArray:
        """Return the standard score of 200 random halvings, each half with the other half's threshold."""
        return score_with_threshold_from_other_files(self.corpus, self.scores, STANDARD)

    def vus_pr(self, *, buffer_step: int = 1) -> float:
        """Return the mean VUS-PR of the series that have a window."""
        return float(
            np.mean([vus_pr(series, score, buffer_step=buffer_step) for series, score in self._labelled()])
        )

    def pr_auc(self) -> float:
        """Return the mean PR-AUC of the series that have a window."""
        return float(np.mean([pr_auc(series.labels, score) for series, score in self._labelled()]))

    def alerts(self, threshold: float) -> AlertSummary:
        """Return what alerting from this score on finds in all files together."""
        summaries = [
            summarize_alerts(series, score >= threshold)
            for series, score in zip(self.corpus, self.scores, strict=True)
        ]
        return AlertSummary(
            windows=sum(summary.windows for summary in summaries),
            found=sum(summary.found for summary in summaries),
            false_alerts=sum(summary.false_alerts for summary in summaries),
            weeks=sum(summary.weeks for summary in summaries),
        )

    def categories(self) -> list[str]:
        """Return the categories of these files in order."""
        return sorted({series.category for series in self.corpus})

    def of_category(self, category: str) -> CorpusScores:
        """Return the part that a category's files make up."""
        return self.of({series.name for series in self.corpus if series.category == category})

    def rate_outside_windows(self, level: float) -> float:
        """Return the fraction of scored rows outside every window that score at least `level`."""
        rows = [
            score[series.probation_rows :][~series.labels[series.probation_rows :]]
            for series, score in zip(self.corpus, self.scores, strict=True)
        ]
        return float((np.concatenate(rows) >= level).mean())

    def _labelled(self) -> list[tuple[LabelledSeries, FloatArray]]:
        return [pair for pair in zip(self.corpus, self.scores, strict=True) if pair[0].windows]
