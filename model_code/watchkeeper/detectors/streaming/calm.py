"""That a series moves less than it ever did: a frozen sensor, noise that is gone."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchkeeper.detectors.protocol.compiled import compiled
from watchkeeper.detectors.streaming.evidence import evidence_of_break
from watchkeeper.detectors.streaming.state import CALM, VALUE

CALM_ROWS = 24.0  # half-life of the mean step
FIRST_ROWS = 3 * CALM_ROWS
FORGETTING_ROWS = 20_000.0  # half-life of its range
LEARNING_ROWS = 144  # a calm that lasts as long is known
MARGIN = 0.5  # of the range, of logarithms: how far below it counts
COMMON = 0.8  # decades by which a calm is more usual than a record of the value
SMALLEST_STEP = 1e-5  # of the range of the value: all below is frozen
SMALLEST_WIDTH = 0.2


@compiled
def break_of_calm(s: Any, p: Any, step: float) -> Any:
    """Return the evidence that the last hours are calmer than any before.

    Parameters
    ----------
    s : record of STATE, changed in place
    p : record of PARAMETERS
    step : float
        How far the value is from the one before it, at least 0.
    """
    if s["rows"] == 0:
        return 0.0
    s["roughness"] += (step - s["roughness"]) * max(np.log(2.0) / CALM_ROWS, 1.0 / s["rows"])
    if s["rows"] < FIRST_ROWS:
        return 0.0
    smallest = SMALLEST_STEP * (s["high"][VALUE] - s["low"][VALUE]) + max(1e-12 * s["magnitude"], 1e-300)
    level = s["roughness"] + smallest
    if s["rows"] == FIRST_ROWS:
        s["calm_low"] = s["calm_high"] = level
    low, high = s["calm_low"], s["calm_high"]
    excess = np.log(low / level) / max(np.log(high / low), SMALLEST_WIDTH)
    if excess <= 0:
        forgotten = 1.0 - 0.5 ** (1.0 / FORGETTING_ROWS)
        s["calm_high"] = max(level, high * (level / high) ** forgotten)
        s["calm_low"] = low * (level / low) ** forgotten
        return 0.0
    if s["calm_since"] == 0 or s["rows"] - s["calm_since"] > 2 * LEARNING_ROWS:
        s["calm_since"] = s["rows"]
    if s["rows"] - s["calm_since"] >= LEARNING_ROWS:
        s["calm_low"] = level
        s["calm_since"] = 0
    if excess <= MARGIN:
        return 0.0
    return max(evidence_of_break(s, p, CALM, s["rows"], excess - MARGIN) - COMMON, 0.0)
