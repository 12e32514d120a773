"""How severe an incident is as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.incidents.touched import Touched


def severity_of(touched: Sequence[Touched]) -> float:
    """Return the severity of an incident, 0 to 100: that of its worst anomaly."""
    return max(part.peak_severity for part in touched)
