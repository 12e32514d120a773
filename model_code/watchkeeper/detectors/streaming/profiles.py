"""The series' rhythm: its mean by hour of the day and by hour of the week, and how far it is off.

Every series has both profiles. The week's is believed where the series itself has shown that it forecasts
better: over the last weeks its smoothed error was smaller by a margin. Until then, and for a series that has
no weekly rhythm, the day's profile counts, which learns seven times as fast.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.detectors.protocol.compiled import compiled
from watchkeeper.detectors.streaming.evidence import break_of_range
from watchkeeper.detectors.streaming.state import (
    DAY_HOURS,
    LARGEST_COUNT,
    PROFILE,
    SMOOTHED_ROWS,
    WEEK,
    WEEK_HOURS,
)

RIVALRY_HOURS = WEEK_HOURS  # hours that both profiles are compared over


@compiled
def enter_hour(s: Any, hour_of_week: int) -> None:
    """Compare the profiles over the hour that ended, when another one begins."""
    if hour_of_week == s["hour"]:
        return
    if s["hour_rows"] > 0:
        s["rivalry_hours"] += 1
        weight = 1.0 / min(s["rivalry_hours"], RIVALRY_HOURS)
        for profile in range(2):
            error = s["hour_errors"][profile] / s["hour_rows"]
            s["profile_errors"][profile] += (error - s["profile_errors"][profile]) * weight
    s["hour_rows"] = 0
    s["hour_errors"][:] = 0.0
    s["hour"] = hour_of_week
    # Known from an earlier week: the rows of this very hour say nothing of a weekly rhythm.
    s["hour_is_known"] = s["week_rows"][hour_of_week] > 0


@compiled
def expected_by_profiles(s: Any, hour_of_week: int) -> Any:
    """Return what the day's and what the week's profile expect; what is not known yet is replaced by the next
    best."""
    hour = hour_of_week % DAY_HOURS
    of_day = s["profile"][hour] if s["profile_rows"][hour] > 0 else s["slow_mean"]
    of_week = s["week"][hour_of_week] if s["hour_is_known"] > 0 else of_day
    return of_day, of_week


@compiled
def week_counts(s: Any, p: Any) -> Any:
    """Return whether the evidence of this hour is that of the week's profile."""
    compared = s["hour_is_known"] > 0 and s["rivalry_hours"] >= RIVALRY_HOURS
    return compared and s["profile_errors"][1] < p["week_margin"] * s["profile_errors"][0]


@compiled
def break_of_profile(s: Any, p: Any, hour_of_week: int, x: float) -> Any:
    """Return the evidence that the series is off its rhythm as it has not been, and learn x."""
    rows = s["rows"]
    residual = _mean_of_last(s["residuals"], rows, _residual_of_day(s, p, hour_of_week % DAY_HOURS, x))
    evidence = break_of_range(s, p, PROFILE, PROFILE, rows, residual, p["profile_memory"])
    if s["hour_is_known"] > 0:
        rows = s["week_residuals_seen"]
        of_week = _mean_of_last(s["week_residuals"], rows, x - s["week"][hour_of_week])
        evidence_by_week = break_of_range(s, p, PROFILE, WEEK, rows, of_week, p["profile_memory"])
        s["week_residuals_seen"] = rows + 1
        s["hour_rows"] += 1
        s["hour_errors"][0] += abs(residual)
        s["hour_errors"][1] += abs(of_week)
        if week_counts(s, p):
            evidence = evidence_by_week
    seen = s["week_rows"][hour_of_week]
    s["week"][hour_of_week] += (x - s["week"][hour_of_week]) * max(p["profile_rate"], 1.0 / (seen + 1))
    s["week_rows"][hour_of_week] = min(seen + 1, LARGEST_COUNT)
    return evidence


@compiled
def _residual_of_day(s: Any, p: Any, hour: int, x: float) -> Any:
    seen = s["profile_rows"][hour]
    known = hour if seen > 0 else (hour - 1) % DAY_HOURS  # an hour never seen: the one before it
    residual = x - (s["profile"][known] if s["profile_rows"][known] > 0 else s["slow_mean"])
    s["profile_rows"][hour] = min(seen + 1, LARGEST_COUNT)
    s["profile"][hour] += (x - s["profile"][hour]) * max(p["profile_rate"], 1.0 / (seen + 1))
    return residual


@compiled
def _mean_of_last(ring: Any, rows: int, newest: float) -> Any:
    ring[rows % SMOOTHED_ROWS] = newest
    count = min(rows + 1, SMOOTHED_ROWS)
    total = 0.0
    for index in range(count):
        total += ring[index]
    return total / count
