"""How much it tells that a series breaks a record of its own: -log10 of how rarely it does by as much."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchkeeper.detectors.protocol.compiled import compiled

# -log10 of the fraction of rows on which an old series breaks each channel's record: 3.1, 2.4 and 3.4 on the
# development half of NAB. The pattern's is far lower than measured: a pattern alone has to break its record
# by more.
RARITY = (3.05, 2.30, 2.40, 3.05)
LARGEST_EXCESS = 5.0
YOUNG_ROWS = 300.0
HEAVY_TAIL = 3.0
FREE_ROWS = 30  # until then the range follows any value
CENTRE_ROWS = 2000
FREE_BREAKS = 1.0  # breaks of a record that do not count as a habit
SAME_BREAK_ROWS = 10


@compiled
def evidence_of_break(s: Any, p: Any, channel: int, rows: int, excess: float) -> Any:
    """Return the evidence of a record that is broken by `excess`.

    Parameters
    ----------
    s : record of STATE
    p : record of PARAMETERS
    channel : int
        VALUE, PROFILE, PATTERN or CALM.
    rows : int
        Rows that the record is of, at least 1.
    excess : float
        By how much, as a fraction of what was known; at least 0.
    """
    # Of n exchangeable rows the newest is a two-sided record with probability 2 / n. The first rows are not
    # exchangeable: a slow swing breaks the record again and again, in several channels. Nor are those of a
    # trend: there the series' own habit counts.
    record = (1.0 + YOUNG_ROWS / rows) * 2.0 / rows
    habit = p["own_rate"] * max(s["breaks"][channel] - FREE_BREAKS, 0.0) * np.log(2.0) / p["own_memory"]
    rarity = max(-np.log10(10.0 ** -RARITY[channel] + record + habit), 0.0)
    usual = np.log10(1.0 + min(excess, LARGEST_EXCESS) / p["resolution"])
    # A few rows do not tell how heavy the tail is: assume that of Student's t with 3 degrees of freedom, and
    # never state more than a power of the rows that were seen.
    heavy = min(HEAVY_TAIL * np.log10(1.0 + 2.0 * excess), 2.0 * np.log10(max(rows / 3.0, 1.0)))
    known = min(rows / YOUNG_ROWS, 1.0)
    return rarity + known * usual + (1.0 - known) * heavy


@compiled
def count_break(s: Any, p: Any, channel: int, evidence: float) -> None:
    """Count a channel's breaks of its record; those of a few rows are one."""
    s["breaks"][channel] *= 0.5 ** (1.0 / p["own_memory"])
    if evidence > 0:
        if s["rows"] - s["break_row"][channel] > SAME_BREAK_ROWS:
            s["breaks"][channel] += 1.0
        s["break_row"][channel] = s["rows"]


@compiled
def break_of_range(s: Any, p: Any, channel: int, of: int, rows: int, x: float, memory: float) -> Any:
    """Return the evidence that x is outside a remembered range, and widen the range by it.

    What was reached more than once, or is near to it, is known. An extreme that was reached once is part of
    the range too, but is soon forgotten: what comes after it would go unseen. When a value comes as far
    again, it is known.

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
        Half-life of what is known, in rows; 0 never forgets.
    """
    if rows == 0:
        s["low"][of] = s["high"][of] = s["centre"][of] = x
        s["known_low"][of] = s["known_high"][of] = s["peak_low"][of] = s["peak_high"][of] = x
        return 0.0
    floor = max(1e-12 * s["magnitude"], 1e-300)
    low, high, centre = s["low"][of], s["high"][of], s["centre"][of]
    excess = max(x - high, low - x) / max(high - low, floor)
    width = max(s["known_high"][of] - s["known_low"][of], floor)
    _widen(
        s["known_high"], s["high"], s["peak_high"], s["high_row"], p, of, 1.0, rows, x, width, memory, centre
    )
    _widen(s["known_low"], s["low"], s["peak_low"], s["low_row"], p, of, -1.0, rows, x, width, memory, centre)
    s["centre"][of] = centre + (x - centre) / min(rows + 1, CENTRE_ROWS)
    if excess <= p["tolerance"]:
        return 0.0
    return evidence_of_break(s, p, channel, rows, excess)


@compiled
def _widen(
    knowns: Any,
    ends: Any,
    peaks: Any,
    left_at: Any,
    p: Any,
    of: int,
    side: float,
    rows: int,
    x: float,
    width: float,
    memory: float,
    centre: float,
) -> None:
    """Move one end of a range: the upper one with side 1, the lower one with side -1."""
    value, known, end, peak = side * x, side * knowns[of], side * ends[of], side * peaks[of]
    free = rows <= FREE_ROWS
    reach = known + (1.0 if free else p["known_reach"]) * width
    if value > known and rows - left_at[of] >= p["apart_rows"]:
        if left_at[of] > 0:
            known = max(known, min(value, peak))
        left_at[of] = rows
    known = max(known, min(value, reach))
    if memory > 0:
        known -= (1.0 - 0.5 ** (1.0 / memory)) * (known - side * centre)
    furthest = np.inf if free else known + p["stretch"] * width
    end = max(end, min(value, furthest))
    kept = 0.5 ** (1.0 / p["extreme_memory"])
    knowns[of] = side * known
    ends[of] = side * max(known + kept * (end - known), known)
    peaks[of] = side * max(peak, end)
