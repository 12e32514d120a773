"""How much it tells that a series breaks a record of its own: -log10 of how rarely it does by as much."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchkeeper.detectors.protocol.compiled import compiled

# -log10 of the fraction of rows on which an old series breaks each channel's record: 3.1, 2.4 and 3.4 on the
# development half of NAB. The pattern's is far lower than measured: a pattern alone has to break its record
# by more.
RARITY = (3.05, 2.30, 2.40)
LARGEST_EXCESS = 5.0
YOUNG_ROWS = 300.0
HEAVY_TAIL = 3.0
FREE_ROWS = 30  # until then the range follows any value
CENTRE_ROWS = 2000


@compiled
def evidence_of_break(p: Any, channel: int, rows: int, excess: float) -> Any:
    """Return the evidence of a record that is broken by `excess`.

    Parameters
    ----------
    p : record of PARAMETERS
    channel : int
        VALUE, PROFILE or PATTERN.
    rows : int
        Rows that the record is of, at least 1.
    excess : float
        By how much, as a fraction of what was known; at least 0.
    """
    # Of n exchangeable rows the newest is a two-sided record with probability 2 / n. The first rows are not
    # exchangeable: a slow swing breaks the record again and again, in several channels.
    record = (1.0 + YOUNG_ROWS / rows) * 2.0 / rows
    rarity = max(-np.log10(10.0 ** -RARITY[channel] + record), 0.0)
    usual = np.log10(1.0 + min(excess, LARGEST_EXCESS) / p["resolution"])
    # A few rows do not tell how heavy the tail is: assume that of Student's t with 3 degrees of freedom, and
    # never state more than a power of the rows that were seen.
    heavy = min(HEAVY_TAIL * np.log10(1.0 + 2.0 * excess), 2.0 * np.log10(max(rows / 3.0, 1.0)))
    known = min(rows / YOUNG_ROWS, 1.0)
    return rarity + known * usual + (1.0 - known) * heavy


@compiled
def break_of_range(s: Any, p: Any, channel: int, of: int, rows: int, x: float, memory: float) -> Any:
    """Return the evidence that x is outside a remembered range, and widen the range by it.

    Parameters
    ----------
    s : record of STATE, changed in place
    p : record of PARAMETERS
    channel : int
        VALUE or PROFILE.
    of : int
        Which range: VALUE, PROFILE or WEEK.
    rows : int
        Rows that the range is of; with 0 it starts.
    x : float
    memory : float
        Half-life of the range in rows; 0 never forgets.
    """
    if rows == 0:
        s["low"][of] = s["high"][of] = s["centre"][of] = x
        return 0.0
    low, high, centre = s["low"][of], s["high"][of], s["centre"][of]
    width = max(high - low, 1e-12 * s["magnitude"], 1e-300)
    excess = max(x - high, low - x) / width
    stretch = p["stretch"] * width if rows > FREE_ROWS else np.inf
    forgotten = 1.0 - 0.5 ** (1.0 / memory) if memory > 0 else 0.0
    s["high"][of] = max(min(x, high + stretch), high - forgotten * (high - centre))
    s["low"][of] = min(max(x, low - stretch), low + forgotten * (centre - low))
    s["centre"][of] = centre + (x - centre) / min(rows + 1, CENTRE_ROWS)
    if excess <= p["tolerance"]:
        return 0.0
    return evidence_of_break(p, channel, rows, excess)
