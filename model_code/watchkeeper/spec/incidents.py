"""Which anomalies are one incident, and when it is over."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from watchkeeper.core.plan import IncidentPlan
from watchkeeper.spec.fields import Duration
from watchkeeper.spec.section import Section

LONGEST = timedelta(days=7)


class Incidents(Section):
    """Which anomalies are one incident, and when it is over."""

    gap: Duration | None = None
    """How much quiet may lie between two anomalies of one incident; without it, three intervals."""
    together_at_least: int = Field(default=3, ge=2, le=1000)
    """So many series of one measure, or with one dimension value in common, that are anomalous within a gap
    are one incident. Raise it where many series are watched: few of many are anomalous at once by chance."""
    closes_after: Duration | None = None
    """After so much quiet an incident is over; without it, the gap, and 30m at least."""

    @field_validator("gap", "closes_after")
    @classmethod
    def _is_practical(cls, duration: timedelta | None) -> timedelta | None:
        if duration is not None and duration > LONGEST:
            raise ValueError("must be at most 7d")
        return duration

    def plan(self) -> IncidentPlan:
        """Return what the running parts know of it."""
        return IncidentPlan(_seconds(self.gap), self.together_at_least, _seconds(self.closes_after))


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())
