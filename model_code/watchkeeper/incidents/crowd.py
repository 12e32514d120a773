"""How many series that are anomalous at once are more than chance makes of so many."""

from __future__ import annotations

import functools
import math

FALSE_ALARMS = 5e-4
"""Anomalies an interval of a series in which nothing happens: what synthetic series gave, more than twice
what the detector's calibration states (`docs/benchmarks-incidents.md`)."""
CHANCE = 0.01
"""That so many are anomalous within a window though nothing happens."""


@functools.lru_cache(maxsize=1024)
def crowd_of(series: int, intervals: int, least: int) -> int:
    """Return how many series must be anomalous within a window to hang together.

    The smallest number, `least` or more, that chance exceeds in at most one of 100 windows, by Chernoff's
    bound of the Poisson distribution: `exp(k - m - k log(k / m))` for k above the mean m.

    Parameters
    ----------
    series
        That could be: those of a measure, or at a dimension's value.
    intervals
        Of the window.

    Examples
    --------
    >>> [crowd_of(series, 4, 3) for series in (12, 100, 2_000, 1_000_000)]
    [3, 3, 12, 2138]
    """
    mean = series * intervals * FALSE_ALARMS
    if not mean:
        return least
    low, high = math.floor(mean), math.ceil(mean + 10 * math.sqrt(mean) + 20)
    while high - low > 1:  # the bound falls beyond the mean
        middle = (low + high) // 2
        if middle - mean - middle * math.log(middle / mean) <= math.log(CHANCE):
            high = middle
        else:
            low = middle
    return max(least, high)
