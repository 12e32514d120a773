"""An incident in short: in a list, and for who looks on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from watchkeeper.core.documents import Document, plain
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.incident import Feedback, Incident, State
from watchkeeper.telemetry.series import parse_series_key

CHANGED_DETAIL_TYPE = "Incident Changed"
"""Of the event on the alert bus that has the live events of one change."""
MOST_PLACES = 20

LiveKind = Literal["incident", "decision", "run", "telemetry", "release", "pause", "model", "label"]


@dataclass(frozen=True)
class IncidentSummary(Document, name="incident summary", sort_keys=False):
    """An incident in short."""

    incident_id: str
    workload: str
    title: str
    severity: float
    """0 to 100."""
    state: State
    opened_at: str
    """ISO 8601, UTC."""
    last_at: str
    """End of the last interval."""
    series_count: int
    measures: tuple[str, ...]
    """Those with most of the deviation first."""
    places: tuple[str, ...]
    """`dimension:value`, those with most of the deviation first; 20 at most."""
    feedback: Feedback | None = None
    assigned_to: str | None = None
    snoozed_until: str | None = None
    merged_into: str | None = None
    """The incident that it is in now; such a one is in no list."""


@dataclass(frozen=True)
class LiveEvent:
    """One thing that has happened, for who looks on."""

    id: str
    """The same for each delivery."""
    at: str
    """ISO 8601, UTC."""
    kind: LiveKind
    workload: str
    detail: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready objects."""
        return dict(vars(self))


@dataclass(frozen=True)
class Told:
    """Something of a workload that is told beside its incidents: a release, a version of its model."""

    kind: LiveKind
    name: str
    """What it is about."""
    detail: dict[str, Any]

    def event(self, workload: str, change: int, at: datetime) -> LiveEvent:
        """Return what is told; `change` is as of `event_of`."""
        return LiveEvent(f"{self.name}:{change}", format_instant(at), self.kind, workload, self.detail)


def summary_of(incident: Incident) -> IncidentSummary:
    """Return an incident in short."""
    measures, places = _parts_of(incident)
    return IncidentSummary(
        incident_id=incident.incident_id,
        workload=incident.workload,
        title=incident.title,
        severity=incident.severity,
        state=incident.state,
        opened_at=incident.opened_at,
        last_at=incident.last_at,
        series_count=len(incident.touched) + incident.left_out.get("touched", 0),
        measures=measures,
        places=places[:MOST_PLACES],
        feedback=incident.feedback,
        assigned_to=incident.assigned_to,
        snoozed_until=incident.snoozed_until,
        merged_into=incident.merged_into,
    )


def event_of(incident: Incident, change: int, at: datetime) -> LiveEvent:
    """Return what is told of a change of an incident.

    Parameters
    ----------
    change
        Its number among the changes of the workload's incidents: a larger one is later.
    """
    summary = summary_of(incident)
    return LiveEvent(
        id=f"{incident.incident_id}:{change}",
        at=format_instant(at),
        kind="incident",
        workload=incident.workload,
        detail=plain(summary),
    )


def _parts_of(incident: Incident) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if incident.causes is None:
        keys = [parse_series_key(part.series) for part in incident.touched]
        places = (f"{name}:{value}" for key in keys for name, value in key.dimensions)
        return tuple(dict.fromkeys(key.measure for key in keys)), tuple(dict.fromkeys(places))
    shares = sorted(
        (
            (share.deviation, f"{name}:{share.name}")
            for name, values in incident.causes.dimensions.items()
            for share in values
            if share.name
        ),
        key=lambda part: (-part[0], part[1]),
    )
    measures = tuple(share.name for share in incident.causes.measures if share.name)
    return measures, tuple(place for _, place in shares)
