"""How well probabilities tell fraud from the rest: areas with intervals, and what a threshold does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.fraud.features import DAY_SECONDS, Floats

RESAMPLES = 200
"""Bootstraps behind an interval."""
COVERAGE = 0.95

Truth = NDArray[np.bool_]


@dataclass(frozen=True)
class Area:
    """An area under a curve, and the interval that it has when days are drawn again."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Ranking:
    """Transactions by falling probability; those of one probability are one step."""

    order: NDArray[np.int64]
    ends: NDArray[np.int64]
    """Positions in the order at which a step ends."""
    fraud: Truth
    """In the order."""
    scores: Floats
    """Of the steps."""

    @classmethod
    def of(cls, fraud: Truth, scores: Floats) -> Ranking:
        """Rank transactions."""
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.flatnonzero(np.append(np.diff(ranked) != 0.0, len(ranked) > 0))
        return cls(order, ends, fraud[order], ranked[ends])

    def counted(self, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Return frauds and legitimate transactions down to each step, each counted `weights` times."""
        each = np.ones(len(self.fraud)) if weights is None else weights[self.order]
        hits = np.cumsum(each * self.fraud)[self.ends]
        return hits, np.cumsum(each)[self.ends] - hits

    def roc_auc(self, weights: Floats | None = None) -> float:
        """Return the probability that a fraud is ranked above what is none; NaN without either."""
        hits, alarms = self.counted(weights)
        if not len(hits) or hits[-1] == 0.0 or alarms[-1] == 0.0:
            return float("nan")
        return float(np.trapezoid(np.append(0.0, hits), np.append(0.0, alarms)) / (hits[-1] * alarms[-1]))

    def pr_auc(self, weights: Floats | None = None) -> float:
        """Return the average precision, as scikit-learn defines it; NaN without a fraud."""
        hits, alarms = self.counted(weights)
        if not len(hits) or hits[-1] == 0.0:
            return float("nan")
        precision = np.divide(hits, hits + alarms, out=np.zeros_like(hits), where=hits + alarms > 0.0)
        return float(np.sum(precision * np.diff(hits, prepend=0.0)) / hits[-1])


def areas(fraud: Truth, scores: Floats, times: Floats, *, seed: int = 0) -> tuple[Area, Area]:
    """Return ROC-AUC and PR-AUC with intervals of 95 %.

    Whole days are drawn again, since the frauds of a day hang together.

    Parameters
    ----------
    times
        Epoch seconds.
    """
    ranking = Ranking.of(fraud, scores)
    drawn = [
        (ranking.roc_auc(weights), ranking.pr_auc(weights)) for weights in _days_drawn_again(times, seed)
    ]
    tail = 50 * (1 - COVERAGE)
    low, high = np.nanpercentile(np.array(drawn), [tail, 100 - tail], axis=0)
    return (
        Area(ranking.roc_auc(), float(low[0]), float(high[0])),
        Area(ranking.pr_auc(), float(low[1]), float(high[1])),
    )


def simplest_of_the_best(fraud: Truth, scores: Sequence[Floats], times: Floats, *, seed: int = 0) -> int:
    """Return which of several models to take: the first whose PR-AUC is that of the best but for chance.

    That is the rule of one standard error (Breiman and others, 1984): of the difference to the best, whole
    days drawn again.

    Parameters
    ----------
    scores
        Of each model, the simplest first.
    """
    rankings = [Ranking.of(fraud, each) for each in scores]
    areas = np.array([ranking.pr_auc() for ranking in rankings])
    best = int(np.argmax(areas))
    drawn = np.array(
        [[ranking.pr_auc(weights) for ranking in rankings] for weights in _days_drawn_again(times, seed)]
    )
    error = np.nanstd(drawn[:, [best]] - drawn, axis=0)
    return int(np.argmax(areas[best] - areas <= error))


def _days_drawn_again(times: Floats, seed: int) -> Iterator[Floats]:
    """Return how often each transaction counts when as many days are drawn, with replacement."""
    days, day = np.unique((times // DAY_SECONDS).astype(np.int64), return_inverse=True)
    random = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        drawn = np.bincount(random.integers(0, len(days), len(days)), minlength=len(days))
        yield drawn[day].astype(np.float64)


def confusion(fraud: Truth, flagged: Truth) -> tuple[int, int, int, int]:
    """Return frauds that are flagged, legitimate ones that are, frauds that are not, and the rest."""
    return (
        int((fraud & flagged).sum()),
        int((~fraud & flagged).sum()),
        int((fraud & ~flagged).sum()),
        int((~fraud & ~flagged).sum()),
    )


def best_f1(fraud: Truth, scores: Floats) -> tuple[float, float]:
    """Return the highest F1 and the threshold that has it; a score of at least the threshold is flagged."""
    ranking = Ranking.of(fraud, scores)
    hits, alarms = ranking.counted()
    f1 = 2 * hits / np.maximum(hits + alarms + fraud.sum(), 1.0)
    best = int(np.argmax(f1))
    return float(f1[best]), float(ranking.scores[best])
