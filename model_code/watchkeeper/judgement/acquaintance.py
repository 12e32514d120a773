"""Judging a series that the model has not seen in training: at once, with a stated confidence.

What it should be is what its own last intervals led to expect, as for every series. How far from it is
still usual is known of the fleet at first, then more and more of the series itself: its squared residuals
join those of `FLEET_INTERVALS` intervals of the fleet's step scale. The score is the residual in units of
that, times the confidence, which grows from 0 with the intervals that were seen; above `LIMIT` it is an
anomaly. So a level of its own is no anomaly, an early one needs a large jump, and a series that is noisier
than the fleet is soon judged by its own noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from watchkeeper.core.severity import BELOW_THRESHOLD, THRESHOLD_SEVERITY, severity_above

LIMIT = 6.0
"""Score above which an interval is an anomaly, in step scales at full confidence."""
FLEET_INTERVALS = 8
"""Intervals of its own after which a series is believed as much as the fleet."""
MEMORY = 256
"""Intervals that the spread of a series is the mean of; older ones fade."""
_LARGEST = 1e150
"""Its square is a float."""
_MOST_SCALES = 1e6


@dataclass(frozen=True)
class Acquaintance:
    """What is known of a series that the model does not know."""

    intervals: int = 0
    """Intervals that had an expectation, at most `MEMORY`."""
    mean_square: float = 0.0
    """Of their residuals, in the measure's unit. Anomalies are among them: what a series does again and again
    is usual."""

    @property
    def confidence(self) -> float:
        """How much a judgement by it is worth: 0 at first, 0.5 after `FLEET_INTERVALS`, always below 1."""
        return self.intervals / (self.intervals + FLEET_INTERVALS)

    def scale(self, fleet_scale: float) -> float:
        """Return the usual size of a residual.

        Parameters
        ----------
        fleet_scale
            The step scale of the fleet; see `watchkeeper.telemetry.expectation`.
        """
        own = self.confidence
        return math.hypot(math.sqrt(own * self.mean_square), math.sqrt(1.0 - own) * fleet_scale)

    def judge(self, value: float, expected: float | None, fleet_scale: float) -> Judgement:
        """Return what the next interval of the series is worth.

        Parameters
        ----------
        expected
            None where nothing is known before it.
        """
        score = 0.0
        if expected is not None:
            residual = min(abs(value - expected), _LARGEST)
            score = min(residual / self.scale(fleet_scale), _MOST_SCALES) * self.confidence
        return Judgement(score, self.confidence)

    def after(self, value: float, expected: float | None) -> Acquaintance:
        """Return what is known when that interval is."""
        if expected is None:
            return self
        square = min(abs(value - expected), _LARGEST) ** 2
        seen = min(self.intervals + 1, MEMORY)
        return Acquaintance(seen, self.mean_square + (square - self.mean_square) / seen)


@dataclass(frozen=True)
class Judgement:
    """What an interval of such a series is worth."""

    anomaly_score: float
    confidence: float
    """In [0, 1)."""
    threshold: float = LIMIT

    @property
    def is_anomaly(self) -> bool:
        """Whether it is an anomaly."""
        return self.anomaly_score > self.threshold

    @property
    def severity(self) -> float:
        """From 0 to 100."""
        beyond = self.anomaly_score / self.threshold
        if self.is_anomaly:
            return float(severity_above(math.exp(1.0 - beyond)))
        return min(THRESHOLD_SEVERITY * beyond, BELOW_THRESHOLD)
