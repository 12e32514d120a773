"""The document of an incident, and its identity: that of its earliest anomaly."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.core.layout import short_hash
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.incidents.causes import Causes
from watchkeeper.incidents.touched import Touched

INCIDENT_VERSION = 1
State = Literal["open", "acknowledged", "closed"]
What = Literal[
    "opened",
    "escalated",
    "joined",
    "closed",
    "reopened",
    "acknowledged",
    "assigned",
    "snoozed",
    "feedback",
    "note",
]
"""What an entry of the timeline says. `joined`: with another incident, which the note names."""
Feedback = Literal["real", "expected", "noise"]


@dataclass(frozen=True)
class Entry:
    """One thing that happened to an incident."""

    at: str
    """ISO 8601, UTC: event time of what was found, the clock of what a person did."""
    what: What
    who: str | None = None
    """The person; None of what was found."""
    note: str | None = None
    severity: float | None = None
    """Of the whole, at that time."""


@dataclass(frozen=True)
class Incident(Document, name="incident"):
    """Anomalies of a workload that hang together."""

    incident_id: str
    workload: str
    interval_seconds: int
    opened_at: str
    """Start of the first interval, ISO 8601, UTC."""
    last_at: str
    """End of the last interval."""
    state: State
    severity: float
    """Of the whole, 0 to 100."""
    title: str
    touched: tuple[Touched, ...]
    """The one with the largest deviation first."""
    causes: Causes | None = None
    """What its deviation is made of, and where it is."""
    run_ids: tuple[str, ...] = ()
    """Runs whose models found its anomalies, ascending."""
    former_ids: tuple[str, ...] = ()
    """Ids that incidents had which are in this one."""
    merged_into: str | None = None
    """Id of the incident that this one is in; None of one that stands for itself."""
    timeline: tuple[Entry, ...] = ()
    feedback: Feedback | None = None
    assigned_to: str | None = None
    snoozed_until: str | None = None
    """ISO 8601, UTC."""
    left_out: int = 0
    """Touched series that this copy leaves out; those with the largest deviation are in it."""
    version: int = INCIDENT_VERSION

    @property
    def opened(self) -> int:
        """The same as `opened_at`, in seconds since 1970."""
        return epoch_seconds(parse_instant(self.opened_at))

    @property
    def last(self) -> int:
        """The same as `last_at`, in seconds since 1970."""
        return epoch_seconds(parse_instant(self.last_at))

    @property
    def told_severity(self) -> float:
        """The highest severity that was told."""
        told = [entry.severity for entry in self.timeline if entry.what in ("opened", "escalated")]
        return max((severity for severity in told if severity is not None), default=0.0)

    def shortened(self, series: int) -> Incident:
        """Return a copy with so many touched series at most, which says how many it leaves out."""
        if len(self.touched) <= series:
            return self
        left_out = self.left_out + len(self.touched) - series
        return dataclasses.replace(self, touched=self.touched[:series], left_out=left_out)


def incident_id(workload: str, series: str, start: int, interval_seconds: int) -> str:
    """Return the id of the incident whose earliest anomaly is this one: 16 hexadecimal characters."""
    return short_hash(f"{workload}|{series}|{format_instant(start)}|{interval_seconds}")


def opening_of(touched: Sequence[Touched]) -> tuple[int, str]:
    """Return start and series of the earliest anomaly; of several at once, the first by name."""
    return min((part.first, part.series) for part in touched)
