"""When a feed is broken: limits of how telemetry comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from watchkeeper.core.plan import QualityPlan
from watchkeeper.spec.fields import Duration
from watchkeeper.spec.section import Section

Share = Annotated[float, Field(gt=0, le=1)]


class Quality(Section):
    """By how much a share has to be beyond what is usual, from 0 to 1, to be told; 1 never is."""

    late: Share = 0.2
    """Of rows: their interval had closed."""
    duplicated: Share = 0.2
    """Of rows: they had come before."""
    refused: Share = 0.1
    """Of lines: they are no records."""
    clock: Share = 0.2
    """Of rows: they come earlier or later after their time than usual, by more than `clock_off`."""
    clock_off: Duration = timedelta(minutes=15)
    """How far that is."""
    missing: Share = 0.2
    """Of the values of a measure whose devices have records."""
    silent: Share = 0.3
    """Of devices."""

    @field_validator("clock_off")
    @classmethod
    def _is_the_clock_of_a_device(cls, clock_off: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= clock_off <= timedelta(days=1):
            raise ValueError("must be from 1s to 1d: what is more than a day ahead is refused")
        return clock_off

    def plan(self) -> QualityPlan:
        """Return what the running parts know of it."""
        limits = self.model_dump(exclude={"clock_off"})
        return QualityPlan(**limits, clock_seconds=int(self.clock_off.total_seconds()))
