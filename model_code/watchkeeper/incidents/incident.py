"""The document of an incident, and its identity: that of its earliest anomaly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from watchkeeper.core.documents import Document, plain
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
"""What an entry of the timeline says. `joined`: another incident, which the note names, is in this one now;
the severity is the highest that was told of that one."""
_TOLD = ("opened", "escalated", "joined")
Feedback = Literal["real", "expected", "noise"]
TAKEN_BACK = "taken back"
"""The note of an entry by which somebody takes back what the last one of its kind said."""


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
    opened_by: str
    """Series of the earliest anomaly; of several at once, the first by name."""
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
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many items of `touched`, `former_ids`, `run_ids`, `timeline` this copy leaves out, and 1 for
    `causes`; empty of a whole one."""
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
        """The highest severity that was told; 0 of what was not told."""
        return max((entry.severity or 0.0 for entry in self.timeline if entry.what in _TOLD), default=0.0)

    @property
    def is_open(self) -> bool:
        """Whether it is not over, acknowledged or not."""
        return self.state != "closed"

    def is_snoozed(self, at: datetime) -> bool:
        """Tell whether somebody wants to hear nothing of it at an instant."""
        return self.snoozed_until is not None and at < parse_instant(self.snoozed_until)

    def shortened(self, most_bytes: int, items: int = 20) -> Incident:
        """Return a copy for where there is little room, which says what it leaves out.

        Parameters
        ----------
        most_bytes
            Of the JSON of causes and touched series. The causes have half of it at most, or are not in the
            copy; of the touched series, those with the largest deviation are.
        items
            How many of the former ids, of the run ids and of the timeline, the newest of it.
        """
        size = 0 if self.causes is None else len(json.dumps(plain(self.causes)))
        causes = None if 2 * size > most_bytes else self.causes
        room, kept = most_bytes if causes is None else most_bytes - size, 0
        for part in self.touched:
            room -= len(json.dumps(plain(part)))
            if room < 0:
                break
            kept += 1
        short = dataclasses.replace(
            self,
            causes=causes,
            touched=self.touched[:kept],
            former_ids=self.former_ids[:items],
            run_ids=self.run_ids[-items:],
            timeline=self.timeline[-items:],
        )
        left_out = {
            name: len(getattr(self, name)) - len(getattr(short, name))
            for name in ("touched", "former_ids", "run_ids", "timeline")
        }
        left_out["causes"] = int(causes is not self.causes)
        return dataclasses.replace(short, left_out={name: count for name, count in left_out.items() if count})


def incident_id(workload: str, series: str, start: int, interval_seconds: int) -> str:
    """Return the id of the incident whose earliest anomaly is this one: 16 hexadecimal characters."""
    return short_hash(f"{workload}|{series}|{format_instant(start)}|{interval_seconds}")


def opening_of(touched: Sequence[Touched]) -> tuple[int, str]:
    """Return start and series of the earliest anomaly; of several at once, the first by name."""
    return min((part.first, part.series) for part in touched)
