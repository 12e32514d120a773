"""One step of the detector: what a value means, given only what came before it.

Three channels each say how far the newest value breaks the record of its own past: the value itself, its
smoothed deviation from the profile of the day or the week, and the distance of the last rows to the most
similar earlier ones. A channel's evidence is -log10 of how rarely it breaks its record by that much; evidence
adds up over the channels. A fourth one, which counts alone, says that the series moves less than it ever did:
a frozen sensor, noise that is gone. A last measurement, the distance of the last hours to the most similar
earlier hours, is the slow scale: the level.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from watchkeeper.detectors.protocol.compiled import compiled
from watchkeeper.detectors.streaming.calm import break_of_calm
from watchkeeper.detectors.streaming.evidence import RARITY, break_of_range, count_break, evidence_of_break
from watchkeeper.detectors.streaming.patterns import nearest_earlier_pattern
from watchkeeper.detectors.streaming.profiles import break_of_profile, enter_hour, expected_by_profiles
from watchkeeper.detectors.streaming.state import (
    BLOCK_ROWS,
    BLOCKS,
    CALM,
    LONG_BLOCKS,
    PATTERN,
    PROFILE,
    RECENT_ROWS,
    SHORT_ROWS,
    VALUE,
)

LARGEST = 1e30
WARM_ROWS = 500.0  # until then the channels count together only in part
SLOW_MEAN_ROWS = 300
MEAN_DISTANCES = 1000
LARGEST_LEVEL = 10.0
AFTERMATH_WEIGHT = 0.15
HELD_ROWS = 30
SETTLED_ROWS = 4000.0
ERROR_RATE = 0.02
BAND_STEP = 0.4  # of the mean error

OUTPUT = np.dtype(
    [
        ("onset", "<f8"),  # evidence that something new begins, after suppression; 0 on most rows
        ("level", "<f8"),  # how unusual the last hours are, 0 to about 10
        ("channels", "<f8", (4,)),  # evidence of each channel, before suppression
        ("expected", "<f8"),
        ("band", "<f8"),  # half the width of the band around expected
        ("varied", "<f8"),  # 1 when the series has ever changed
        ("confidence", "<f8"),  # 0 to 1: how much of what the detector compares with is there yet
    ]
)


@compiled
def advance(s: Any, p: Any, hour: int, value: float, out: Any) -> None:
    """Score one value and learn it.

    Parameters
    ----------
    s : record of STATE, changed in place
    p : record of PARAMETERS
    hour : int
        Hour of the week, 0 to 167, whose remainder by 24 is the hour of the day; 0 throughout when there are
        no timestamps.
    value : float
        NaN is a missing interval.
    out : record of OUTPUT, written
    """
    out["confidence"] = _confidence(s)
    if not np.isfinite(value):
        _skip(s)
        _say_nothing(s, out)
        return
    value = min(max(value, -LARGEST), LARGEST)
    if s["rows"] == 0:
        s["origin"] = value
    x = value - s["origin"]
    s["magnitude"] = max(s["magnitude"], abs(value))
    enter_hour(s, hour)
    step = abs(x - s["last"])
    _forecast(s, p, hour, x, out)
    out["channels"][VALUE] = break_of_range(s, p, VALUE, VALUE, s["rows"], x, p["range_memory"])
    out["channels"][PROFILE] = break_of_profile(s, p, hour, x)
    out["channels"][PATTERN] = _break_of_pattern(s, p, x)
    out["channels"][CALM] = break_of_calm(s, p, step)
    out["channels"][VALUE] *= p["value_weight"]
    out["channels"][PROFILE] *= p["profile_weight"]
    out["channels"][PATTERN] *= p["pattern_weight"]
    out["channels"][CALM] *= p["calm_weight"]
    for channel in range(len(out["channels"])):
        count_break(s, p, channel, out["channels"][channel])
    evidence = _together(s, out["channels"])
    out["onset"] = unless_suppressed(s, p, evidence)
    _close_block(s, x)
    s["aftermath"] = max(s["aftermath"] * 0.5 ** (1.0 / p["aftermath_rows"]), out["onset"])
    out["level"] = _level(s) * p["level_weight"]
    out["varied"] = 1.0 if s["high"][VALUE] > s["low"][VALUE] else 0.0
    s["rows"] += 1
    s["slots"] += 1


@compiled
def advance_all(s: Any, p: Any, hours: Any, missing: Any, values: Any, out: Any) -> None:
    """Score and learn the values of one series in order.

    `missing` is how many intervals without a row there are before each value; `out` has one record a value.
    """
    for row in range(len(values)):
        for _ in range(missing[row]):
            _skip(s)
        advance(s, p, hours[row], values[row], out[row])


@compiled
def _skip(s: Any) -> None:
    s["recent"][s["slots"] % RECENT_ROWS] = np.nan
    s["block_sum"] = np.nan
    _advance_block(s)
    s["slots"] += 1


@compiled
def _confidence(s: Any) -> Any:
    evidence = np.log10(max(s["rows"], 2) / 2.0) / max(RARITY)
    return 0.5 * min(evidence, 1.0) + 0.5 * min(s["blocks_closed"] / (3.0 * LONG_BLOCKS), 1.0)


@compiled
def _say_nothing(s: Any, out: Any) -> None:
    out["onset"] = 0.0
    out["level"] = 0.0
    out["varied"] = 1.0 if s["high"][VALUE] > s["low"][VALUE] else 0.0
    out["channels"][:] = 0.0
    out["expected"] = s["origin"] + s["last"] if s["rows"] > 0 else np.nan
    out["band"] = s["band"] if s["rows"] > 0 else np.nan


@compiled
def _together(s: Any, channels: Any) -> Any:
    # Early on all channels break records together, because all they have seen is a part of the first day:
    # the strongest one counts, and the others by how much of the warm-up is over.
    strongest = max(channels[VALUE], channels[PROFILE], channels[PATTERN])
    others = channels[VALUE] + channels[PROFILE] + channels[PATTERN] - strongest
    return max(strongest + others * min(s["rows"] / WARM_ROWS, 1.0), channels[CALM])


@compiled
def _break_of_pattern(s: Any, p: Any, x: float) -> Any:
    """Return the evidence that the last rows are unlike all that the ring remembers."""
    newest = s["slots"]
    s["recent"][newest % RECENT_ROWS] = x
    filled = min(newest + 1, RECENT_ROWS)
    distance = nearest_earlier_pattern(s["recent"], newest, filled, SHORT_ROWS)
    if np.isnan(distance):
        return 0.0
    record = s["record_distance"]
    s["record_distance"] = max(record * 0.5 ** (1.0 / p["pattern_memory"]), distance)
    floor = max(1e-9 * s["magnitude"], 1e-300)
    if record <= floor or distance <= record or distance <= floor:
        return 0.0
    return evidence_of_break(s, p, PATTERN, s["rows"], np.log(distance / record))


@compiled
def unless_suppressed(s: Any, p: Any, evidence: float) -> Any:
    """Return the evidence if it is news: nothing as strong came shortly before."""
    s["rows_since_onset"] += 1
    s["rows_of_quiet"] += 1
    if evidence <= 0:
        return 0.0
    since = s["rows_since_onset"]
    # What is rare and what is usual looks alike at first: a young series has to be quiet for longer.
    longest = p["longest_refractory_rows"]
    young = max(1.0 - s["rows"] / SETTLED_ROWS, 0.0)
    refractory = p["refractory_rows"] + young * (longest - p["refractory_rows"])
    quiet = min(since, s["rows_of_quiet"]) >= refractory or since >= longest
    s["rows_of_quiet"] = 0
    if not (quiet or evidence > s["onset_level"] + p["escalation"]):
        return 0.0
    s["onset_level"] = evidence
    s["rows_since_onset"] = 0
    return evidence


@compiled
def _close_block(s: Any, x: float) -> None:
    s["block_sum"] += x
    _advance_block(s)


@compiled
def _advance_block(s: Any) -> None:
    """Close the block of rows that the current slot completes, and measure the last hours."""
    if s["slots"] % BLOCK_ROWS != BLOCK_ROWS - 1:
        return
    newest = s["blocks_closed"]
    s["blocks"][newest % BLOCKS] = s["block_sum"] / BLOCK_ROWS
    s["block_sum"] = 0.0
    s["blocks_closed"] = newest + 1
    filled = min(newest + 1, BLOCKS)
    if filled < 3 * LONG_BLOCKS:
        return
    distance = nearest_earlier_pattern(s["blocks"], newest, filled, LONG_BLOCKS)
    s["long_distance"] = 0.0 if np.isnan(distance) else distance
    if s["long_distance"] > 0:
        s["long_distances"] += 1
        weight = 1.0 / min(s["long_distances"], MEAN_DISTANCES)
        s["mean_long_distance"] += (s["long_distance"] - s["mean_long_distance"]) * weight


@compiled
def _level(s: Any) -> Any:
    relative = 0.0
    if s["mean_long_distance"] > 1e-9 * s["magnitude"]:
        relative = min(s["long_distance"] / s["mean_long_distance"], LARGEST_LEVEL)
    s["held_distance"] = max(s["held_distance"] * 0.5 ** (1.0 / HELD_ROWS), relative)
    return np.sqrt(s["held_distance"]) + AFTERMATH_WEIGHT * s["aftermath"]


@compiled
def _forecast(s: Any, p: Any, hour: int, x: float, out: Any) -> None:
    """Write the expected value and the band of the forecast that has erred least, and learn x into them."""
    if s["rows"] == 0:
        s["slow_mean"] = s["last"] = x
        out["expected"] = s["origin"] + x
        out["band"] = 0.0
        return
    of_day, of_week = expected_by_profiles(s, hour)
    forecasts = (s["last"], s["slow_mean"], of_day, of_week)
    best = 0
    for index in range(1, 4):
        if s["forecast_errors"][index] < s["forecast_errors"][best]:
            best = index
    error = abs(x - forecasts[best])
    out["expected"] = s["origin"] + forecasts[best]
    out["band"] = s["band"]
    step = max(ERROR_RATE, 1.0 / s["rows"])
    for index in range(4):
        s["forecast_errors"][index] += step * (abs(x - forecasts[index]) - s["forecast_errors"][index])
    # Robbins-Monro: the band rises by coverage when missed and falls by the rest when not.
    move = p["coverage"] if error > s["band"] else p["coverage"] - 1.0
    s["band"] = max(s["band"] + move * BAND_STEP * s["forecast_errors"][best], 0.0)
    s["slow_mean"] += (x - s["slow_mean"]) * max(1.0 / SLOW_MEAN_ROWS, 1.0 / (s["rows"] + 1))
    s["last"] = x
