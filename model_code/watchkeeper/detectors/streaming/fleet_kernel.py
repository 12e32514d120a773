"""One interval of many series: the step of one series, over an array of states."""

from __future__ import annotations

from typing import Any

from watchkeeper.detectors.protocol.compiled import compiled
from watchkeeper.detectors.streaming.kernel import advance_all


@compiled
def advance_each(
    states: Any, rows: Any, p: Any, seconds: Any, hours: Any, missing: Any, values: Any, out: Any
) -> None:
    """Score and learn one value of each series.

    Parameters
    ----------
    states : array of STATE, changed in place
    rows : array of int64
        Which state each value is for; no state twice.
    p : record of PARAMETERS
    seconds, hours, missing, values : arrays, one element a value
        As of `kernel.advance_all`; `seconds` is when the value was measured, NaN if that is not known.
    out : array of OUTPUT, written, one record a value
    """
    for position in range(len(rows)):
        one = slice(position, position + 1)
        state = states[rows[position]]
        advance_all(state, p, hours[one], missing[one], values[one], out[one])
        state["last_time"] = seconds[position]
