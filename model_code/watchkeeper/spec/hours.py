"""Hours of the week, as a workload file writes them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from watchkeeper.core.plan import HoursPlan
from watchkeeper.spec.fields import TimeZone
from watchkeeper.spec.section import Section, refuse_repeats

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
MINUTES_A_DAY = 1440
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


def _minute(value: object) -> int:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        value = 60 * int(match[1]) + int(match[2])
    # YAML reads 18:00 without quotes as a number to the base of 60: 18 * 60
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MINUTES_A_DAY:
        raise ValueError('must be a time of the day from "00:00" to "24:00", such as "18:30"')
    return value


Clock = Annotated[
    int,
    BeforeValidator(_minute),
    WithJsonSchema({"type": "string", "pattern": rf"^{_CLOCK.pattern}$", "examples": ["08:00", "18:30"]}),
]


class Hours(Section):
    """Hours of some days of the week."""

    begin: Clock = 0
    """From then on."""
    end: Clock = MINUTES_A_DAY
    """Before then; not after the beginning, it is on the next day."""
    days: list[Day] = Field(default_factory=lambda: list(DAYS), min_length=1, max_length=7)
    """On which days the hours begin; without it, on all."""
    timezone: TimeZone | None = None
    """IANA name of the zone; without it, that of the source's timestamps."""

    @field_validator("end")
    @classmethod
    def _is_another_time(cls, end: int, info: ValidationInfo) -> int:
        if end % MINUTES_A_DAY == info.data.get("begin") and end != MINUTES_A_DAY:
            raise ValueError("is the time of begin: leave both out for whole days")
        return end

    @field_validator("days")
    @classmethod
    def _are_different(cls, days: list[Day]) -> list[Day]:
        refuse_repeats(list(days), "day")
        return days

    def plan(self, timezone: str) -> HoursPlan:
        """Return what the running parts know of it.

        Parameters
        ----------
        timezone
            Where the hours name none.
        """
        days = tuple(sorted(DAYS.index(day) for day in self.days))
        return HoursPlan(self.begin, self.end, days, self.timezone or timezone)
