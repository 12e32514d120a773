"""Severity: an anomaly_score on a scale of 0 to 100 that means the same for every model.

Below the threshold, severity says how rare the score is among the scores that the threshold was fitted
on: the share of them that is at least as high is `tail_share ** (severity / T)`, where `tail_share` is
the share at or above the threshold, and T is `THRESHOLD_SEVERITY`. 0 is any score, T / 2 is the square
root of that share, and T, exactly, is the threshold.

Above it there are no scores to count, so severity says how far beyond it the score is, in units of the
distance from the median score to the threshold: `100 - (100 - T) * exp(-distance)`; 100 is never exceeded.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import BELOW_THRESHOLD, THRESHOLD_SEVERITY, severity_above
from watchkeeper.judgement.thresholds import quantile

_MAX_TAIL_SHARE = 0.5
_SHARES = (0.9, 0.75, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
"""Shares of the scores, from the top, that become knots of the mapping."""


@dataclass(frozen=True)
class SeverityCalibration:
    """A fitted, monotone mapping from anomaly_score to severity."""

    threshold: float
    tail_share: float
    """Share of the calibration scores at or above the threshold, in (0, 0.5]."""
    tail_scale: float
    """Distance from the median score to the threshold; above 0."""
    knots: tuple[tuple[float, float], ...]
    """`(score, severity)`, both ascending, the last one at the threshold; linear in between."""

    def severity(self, score: float) -> float:
        """Return the severity, in [0, 100], of an anomaly_score."""
        if score >= self.threshold:
            beyond: float = severity_above(math.exp((self.threshold - score) / self.tail_scale))
            return beyond
        position = bisect.bisect_right(self.knots, (score, math.inf))
        if position == 0:
            return 0.0
        (low, low_severity), (high, high_severity) = self.knots[position - 1], self.knots[position]
        severity = low_severity + (high_severity - low_severity) * (score - low) / (high - low)
        return min(severity, high_severity, BELOW_THRESHOLD)

    def severity_beyond(self, score: float, threshold: float) -> float:
        """Return the severity of a score where the threshold stands elsewhere: by the distance to it.

        Above that threshold it is at least the threshold's, and below it less.
        """
        severity = self.severity(score + (self.threshold - threshold))
        if score > threshold:
            return max(severity, THRESHOLD_SEVERITY)
        return severity if score == threshold else min(severity, BELOW_THRESHOLD)

    def false_alarm_share(self, severity: float) -> float:
        """Return the share of intervals that reach a severity, up to the threshold's."""
        return math.pow(self.tail_share, min(severity, THRESHOLD_SEVERITY) / THRESHOLD_SEVERITY)


def fit_severity(scores: Sequence[float], threshold: float) -> SeverityCalibration:
    """Calibrate severity.

    Parameters
    ----------
    scores
        The anomaly scores that the threshold was fitted on; at least one, all finite.
    threshold
        The score that gets `THRESHOLD_SEVERITY`.

    Raises
    ------
    InvalidInputError
        If there is no score (reason `too_few_scores`), or a number is not finite (`not_finite`).
    """
    if not scores:
        raise InvalidInputError("severity needs at least one score", reason="too_few_scores")
    if not all(map(math.isfinite, [*scores, threshold])):
        raise InvalidInputError("scores and threshold must be finite", reason="not_finite")
    ordered = sorted(scores)
    above = len(ordered) - bisect.bisect_left(ordered, threshold)
    tail_share = min(max(above, 1) / (len(ordered) + 1), _MAX_TAIL_SHARE)
    scale = threshold - quantile(ordered, 0.5)
    if scale <= 0.0:
        scale = abs(threshold)
    return SeverityCalibration(threshold, tail_share, scale or 1.0, _knots(ordered, threshold, tail_share))


def _knots(ordered: Sequence[float], threshold: float, tail_share: float) -> tuple[tuple[float, float], ...]:
    knots: list[tuple[float, float]] = []
    for share in (1.0, *_SHARES):
        if share <= tail_share:
            break
        score = quantile(ordered, 1.0 - share)
        if score >= threshold:
            break
        if not knots or score > knots[-1][0]:
            knots.append((score, THRESHOLD_SEVERITY * math.log(share) / math.log(tail_share)))
    return (*knots, (threshold, THRESHOLD_SEVERITY))
