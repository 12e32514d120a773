"""How far an anomaly is from what was expected, in one unit for all series."""

from __future__ import annotations

from watchkeeper.anomalies.event import AnomalyEvent

THOUSANDTHS = 1000
LARGEST = 10.0
"""What is further off counts as this, so that one broken sensor does not hide what else is anomalous."""


def deviation_of(event: AnomalyEvent) -> int:
    """Return how far an anomaly's value is from the expected one, in half widths of its band, in thousandths.

    At least 1 half width and at most 10. An anomaly whose value is inside its band, or which has none, counts
    how many thresholds its score is. A whole number: the sum over many anomalies is the same in any order.
    """
    off = max(1.0, event.score / event.threshold if event.threshold > 0 else 1.0, _half_widths(event))
    return round(THOUSANDTHS * min(off, LARGEST))


def _half_widths(event: AnomalyEvent) -> float:
    if event.observed is None or event.expected is None or event.lower is None or event.upper is None:
        return 0.0
    distance = event.observed - event.expected
    half = event.upper - event.expected if distance > 0 else event.expected - event.lower
    if not abs(distance) > 0:
        return 0.0
    return abs(distance) / half if half > 0 else LARGEST
