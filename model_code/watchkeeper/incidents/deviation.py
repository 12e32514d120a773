"""How far an anomaly is from what was expected, in one unit for all series."""

from __future__ import annotations

from watchkeeper.anomalies.event import AnomalyEvent

THOUSANDTHS = 1000


def deviation_of(event: AnomalyEvent) -> int:
    """Return how many thresholds an anomaly's score is, in thousandths; at least 1.

    A whole number: the sum over many anomalies is the same in any order.
    """
    return max(1, round(THOUSANDTHS * event.score / event.threshold)) if event.threshold > 0 else THOUSANDTHS
