"""What people do about an incident: acknowledge it, hand it to somebody, hear nothing of it for a while."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.incident import TAKEN_BACK, Entry, Incident


def acknowledged(incident: Incident, who: str, at: datetime, note: str | None = None) -> Incident:
    """Return an incident that somebody looks after; again changes nothing.

    Raises
    ------
    InvalidInputError
        If it is over.
    """
    _refuse_closed(incident, "acknowledge")
    if incident.state == "acknowledged":
        return incident
    entry = Entry(format_instant(at), "acknowledged", who=who, note=note)
    return dataclasses.replace(incident, state="acknowledged", timeline=(*incident.timeline, entry))


def unacknowledged(incident: Incident, who: str, at: datetime) -> Incident:
    """Return an incident that nobody looks after; one that nobody did, or that is over, stays as it is."""
    if incident.state != "acknowledged":
        return incident
    entry = Entry(format_instant(at), "acknowledged", who=who, note=TAKEN_BACK)
    return dataclasses.replace(incident, state="open", timeline=(*incident.timeline, entry))


def assigned(incident: Incident, to: str, who: str, at: datetime) -> Incident:
    """Return an incident that is somebody's; to whom it is already, changes nothing."""
    if incident.assigned_to == to:
        return incident
    entry = Entry(format_instant(at), "assigned", who=who, note=to)
    return dataclasses.replace(incident, assigned_to=to, timeline=(*incident.timeline, entry))


def snoozed(incident: Incident, until: datetime, who: str, at: datetime) -> Incident:
    """Return an incident of which nothing is told until then.

    Raises
    ------
    InvalidInputError
        If it is over, or the end is past.
    """
    _refuse_closed(incident, "snooze")
    if until <= at:
        raise InvalidInputError(f"{format_instant(until)} is past: name a time that is to come")
    if incident.snoozed_until == format_instant(until):
        return incident
    entry = Entry(format_instant(at), "snoozed", who=who, note=format_instant(until))
    return dataclasses.replace(
        incident, snoozed_until=format_instant(until), timeline=(*incident.timeline, entry)
    )


def _refuse_closed(incident: Incident, verb: str) -> None:
    if not incident.is_open:
        raise InvalidInputError(
            f"incident {incident.incident_id} is closed since {incident.last_at}: there is nothing to {verb}"
        )
