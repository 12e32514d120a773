"""How severe an incident is as a whole: many mild anomalies together may be a severe incident.

Beyond the threshold, severity is `100 - 30 * exp(-distance)` (`core.severity`). The distance of an incident
is that of its worst anomaly, and more for each further series that is anomalous with it and for how long it
goes on. What is added is little: where nothing happens, incidents of at least 80 are a quarter more frequent
than single anomalies of at least 80, and there is none of 90 (`docs/benchmarks-incidents.md`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY, severity_above
from watchkeeper.incidents.touched import Touched

BREADTH = 0.2
"""Distance that one more series adds, however mild."""
OWN_SHARE = 0.25
"""Share of its own distance that one more series adds."""
LENGTH = 0.1
"""Distance that each doubling of the longest series' anomalous intervals adds."""
_SMALLEST_REST = 1e-9


def severity_of(touched: Sequence[Touched]) -> float:
    """Return the severity of an incident, 0 to 100.

    At least that of its worst anomaly; that of a single anomaly alone. More anomalies never make it less.

    Parameters
    ----------
    touched
        At least one, in any order.
    """
    worst = max(part.peak_severity for part in touched)
    if worst < THRESHOLD_SEVERITY:
        return worst
    distances = sorted((_distance(part.peak_severity) for part in touched), reverse=True)
    added = LENGTH * math.log2(max(part.intervals for part in touched))
    added += math.fsum(BREADTH + OWN_SHARE * distance for distance in distances[1:])
    if added <= 0:
        return worst
    whole: float = severity_above(math.exp(-(distances[0] + added)))
    return max(worst, whole)


def _distance(severity: float) -> float:
    """Return how far beyond the threshold a severity is; the inverse of `severity_above`."""
    rest = max(MAX_SEVERITY - severity, _SMALLEST_REST)
    return max(0.0, math.log((MAX_SEVERITY - THRESHOLD_SEVERITY) / rest))
