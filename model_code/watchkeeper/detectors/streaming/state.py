"""What the detector remembers of one series: one fixed-size record of numbers, under 16 KiB.

A record is the whole state, so a fleet is an array of records, and writing an array writes the fleet.
Artifacts, fleets and the pages of the scoring loop hold these records as they are: the layout is frozen by
its version, and `detectors/native/kernel.h` has it for the kernel, which refuses another one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError

VALUE, PROFILE, PATTERN, CALM = 0, 1, 2, 3
CHANNELS = ("value", "profile", "pattern", "calm")

DAY_HOURS = 24
WEEK_HOURS = 168
LARGEST_COUNT = 65535
SMOOTHED_ROWS = 6
RECENT_ROWS = 1024
SHORT_ROWS = 2
BLOCK_ROWS = 4
BLOCKS = 1024

STATE_VERSION = 1
"""Counted up when a field of `STATE` is added, moved, removed or means something else."""

STATE = np.dtype(
    [
        ("rows", "<i8"),  # rows learned, missing ones not counted
        ("slots", "<i8"),  # rows learned and missing intervals: the position in the rings
        ("last_time", "<f8"),  # seconds since 1970 of the last row; NaN without timestamps
        ("origin", "<f8"),  # the first value: everything below is relative to it
        ("magnitude", "<f8"),  # largest |value| seen, for the resolution of floating point
        ("low", "<f8", (3,)),  # remembered range of the value and of the smoothed residuals of day and week
        ("high", "<f8", (3,)),
        ("centre", "<f8", (3,)),
        ("known_low", "<f8", (3,)),  # what of the range was reached more than once, or nearly
        ("known_high", "<f8", (3,)),
        ("peak_low", "<f8", (3,)),  # furthest that the range ever went
        ("peak_high", "<f8", (3,)),
        ("low_row", "<i4", (3,)),  # when what is known was last left, for the first time in a while
        ("high_row", "<i4", (3,)),
        ("profile", "<f8", (DAY_HOURS,)),  # mean by hour of day
        ("profile_rows", "<u2", (DAY_HOURS,)),  # LARGEST_COUNT at most
        ("residuals", "<f8", (SMOOTHED_ROWS,)),  # the last residuals against the day's profile
        ("week", "<f8", (WEEK_HOURS,)),  # mean by hour of the week
        ("week_rows", "<u2", (WEEK_HOURS,)),  # LARGEST_COUNT at most
        ("week_residuals", "<f8", (SMOOTHED_ROWS,)),  # the last residuals against the week's profile
        ("week_residuals_seen", "<i8"),
        ("hour", "<i8"),  # of the week, of the last row; -1 before the first
        ("hour_is_known", "<i8"),  # 1 when an earlier week has rows of it
        ("hour_rows", "<i8"),  # rows of this hour on which both profiles were compared
        ("hour_errors", "<f8", (2,)),  # sum over them of the smoothed absolute residuals of day and week
        ("rivalry_hours", "<i8"),  # hours in which both were compared
        ("profile_errors", "<f8", (2,)),  # mean absolute error of day and week over the last of them
        ("recent", "<f4", (RECENT_ROWS,)),  # ring of values, NaN where an interval is missing
        ("record_distance", "<f8"),  # decayed maximum of the short pattern's distance
        ("block_sum", "<f8"),
        ("blocks", "<f4", (BLOCKS,)),  # ring of means of BLOCK_ROWS rows
        ("blocks_closed", "<i8"),
        ("long_distance", "<f8"),  # of the last closed block
        ("mean_long_distance", "<f8"),
        ("long_distances", "<i8"),
        ("held_distance", "<f8"),  # decayed maximum of long_distance over its mean
        ("roughness", "<f8"),  # mean absolute step of the last hours
        ("calm_low", "<f8"),  # remembered range of it
        ("calm_high", "<f8"),
        ("calm_since", "<i8"),  # the row at which it was left downwards; 0 when it was not
        ("breaks", "<f8", (4,)),  # decayed count of how often each channel broke its record
        ("break_row", "<i4", (4,)),  # when it last did
        ("rows_of_quiet", "<i8"),  # rows since any evidence
        ("onset_level", "<f8"),  # evidence of the last onset
        ("rows_since_onset", "<i8"),
        ("aftermath", "<f8"),  # decayed maximum of the onsets
        ("forecast_errors", "<f8", (4,)),  # mean absolute error of each forecast
        ("slow_mean", "<f8"),
        ("last", "<f8"),
        ("band", "<f8"),  # tracked quantile of the absolute error of the chosen forecast
    ]
)
"""The record of one series."""


@dataclass(frozen=True)
class Parameters:
    """The detector's parameters. One set of defaults serves every series.

    Attributes
    ----------
    range_memory : float
        Half-life of what is known of the range of the value, in rows; 0 never forgets.
    extreme_memory : float
        Half-life of an extreme that was reached once, in rows: the range returns to what is known.
    known_reach : float
        How far beyond what is known, as a multiple of its width, a single extreme is known at once.
    apart_rows : float
        Rows between two extremes from which the second one makes the smaller of them known.
    profile_memory : float
        Half-life of the remembered range of the smoothed residual, in rows.
    pattern_memory : float
        Half-life of the largest distance between short patterns, in rows.
    tolerance : float
        How far outside its range, as a fraction of it, a value still counts as inside.
    stretch : float
        How far one extreme value can move the range, as a multiple of it.
    resolution : float
        The excess, as a fraction of the range, that adds log10(2) to the evidence.
    profile_rate : float
        Smallest weight of a new row in the mean of its hour of the day and of the week.
    week_margin : float
        The week's profile counts where its error is below this fraction of the day's profile's; 0 is never.
    refractory_rows : int
        Rows after an onset, and without evidence, until which only a stronger one counts.
    longest_refractory_rows : int
        Rows after an onset until which that is so even where the evidence goes on.
    escalation : float
        How much stronger, in the evidence's decades.
    aftermath_rows : float
        Half-life of the level that an onset leaves behind.
    coverage : float
        Fraction of rows that the band is to contain.
    own_rate : float
        How much the rate counts at which the series itself breaks a channel's record.
    own_memory : float
        Half-life of that rate, in rows.
    value_weight, profile_weight, pattern_weight, calm_weight, level_weight : float
        How much each part counts, 0 to 1. The ablation of the benchmark turns them off one by one.
    """

    range_memory: float = 0.0
    profile_memory: float = 4000.0
    pattern_memory: float = 4000.0
    extreme_memory: float = 50.0
    known_reach: float = 1.0
    apart_rows: float = 2.0
    tolerance: float = 0.02
    stretch: float = 2.0
    resolution: float = 0.05
    profile_rate: float = 0.0625
    week_margin: float = 0.8
    refractory_rows: int = 60
    longest_refractory_rows: int = 200
    escalation: float = 0.3
    own_rate: float = 0.5
    own_memory: float = 8000.0
    aftermath_rows: float = 200.0
    coverage: float = 0.99
    value_weight: float = 1.0
    profile_weight: float = 1.0
    pattern_weight: float = 1.0
    calm_weight: float = 1.0
    level_weight: float = 1.0

    def validate(self) -> None:
        """Raise `InvalidInputError` for a value out of its range, naming it."""
        memories = ("range_memory", "profile_memory", "pattern_memory")
        for name in (
            *memories,
            "week_margin",
            "tolerance",
            "escalation",
            "known_reach",
            "apart_rows",
            "own_rate",
        ):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InvalidInputError(f"{name} is {getattr(self, name)!r}: give a number of at least 0")
        rows = (
            "refractory_rows",
            "longest_refractory_rows",
            "aftermath_rows",
            "extreme_memory",
            "own_memory",
        )
        for name in ("stretch", "resolution", *rows):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InvalidInputError(f"{name} is {getattr(self, name)!r}: give a number above 0")
        for name in (*(f"{channel}_weight" for channel in CHANNELS), "level_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInputError(f"{name} is {getattr(self, name)!r}: give a number from 0 to 1")
        for name in ("profile_rate", "coverage"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidInputError(f"{name} is {getattr(self, name)!r}: give a number between 0 and 1")

    def record(self) -> npt.NDArray[np.void]:
        """Return the parameters as one record that the kernel reads, shape (1,)."""
        return _record(self)


PARAMETERS = np.dtype([(name, "<f8") for name in Parameters.__dataclass_fields__])


@functools.lru_cache
def _record(parameters: Parameters) -> npt.NDArray[np.void]:
    numbers = tuple(float(getattr(parameters, name)) for name in parameters.__dataclass_fields__)
    record = np.array([numbers], dtype=PARAMETERS)
    record.setflags(write=False)  # one for all who ask
    return record


def new_states(count: int) -> npt.NDArray[np.void]:
    """Return the states of `count` series that have seen nothing, shape (count,), dtype STATE."""
    states = np.zeros(count, dtype=STATE)
    states["last_time"] = np.nan
    states["recent"] = np.nan
    states["hour"] = -1
    states["blocks"] = np.nan
    return states
