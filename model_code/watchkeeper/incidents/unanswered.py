"""An incident that nobody has acknowledged in time is told to another route."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from watchkeeper.core.documents import Document
from watchkeeper.core.plan import AlertRoute
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.incident import Incident

UNANSWERED_DETAIL_TYPE = "Incident Unanswered"


@dataclass(frozen=True)
class Unanswered(Document, name="unanswered incident", refused_as="bad_event"):
    """What is looked at when a route's time to answer is over: still open, `to` is told."""

    workload: str
    incident_id: str
    """Its id when the route was told."""
    to: str
    """Channel."""
    due_at: str
    """ISO 8601, UTC."""

    @property
    def key(self) -> str:
        """The same each time that the route is told the same; in the order of what is due."""
        return f"{self.due_at}#{self.incident_id}#{self.to}"


def waits_for_an_answer(incident: Incident, at: datetime) -> bool:
    """Tell whether nobody has done anything about an incident that is not over."""
    return incident.state == "open" and not incident.is_snoozed(at)


def to_be_answered(incident: Incident, route: AlertRoute, told_at: datetime) -> Unanswered | None:
    """Return what is to be looked at after a route was told; None where that waits for no answer.

    Parameters
    ----------
    told_at
        When the alert bus took what the route is told: the same for each delivery.
    """
    if route.escalation is None or not waits_for_an_answer(incident, told_at):
        return None
    due = told_at + timedelta(seconds=route.escalation.after_seconds)
    return Unanswered(incident.workload, incident.incident_id, route.escalation.to, format_instant(due))
