"""What is told of an incident: that it began, that it got worse, that it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchkeeper.anomalies.event import AnomalyEvent, anomaly_lines, one_line
from watchkeeper.core.documents import Document
from watchkeeper.core.layout import short_hash
from watchkeeper.core.severity import severity_text
from watchkeeper.core.timestamps import epoch_seconds, in_zone, parse_instant
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.reasons import reason_of
from watchkeeper.incidents.touched import Touched

Told = Literal["opened", "escalated", "closed", "unanswered"]
DETAIL_TYPES: dict[Told, str] = {
    "opened": "Incident Opened",
    "escalated": "Incident Escalated",
    "closed": "Incident Closed",
}
"""Types of the events on the alert bus. That nobody answered is told of an incident as it is then, by
`watchkeeper.incidents.unanswered`."""
SHOWN_BYTES = 24_000
"""Of touched series in a notice: an alert carries it several times, and SNS takes 256 KB."""
LISTED = 10
"""Touched series in a message."""

_WORDS = {
    "opened": "incident",
    "escalated": "incident is worse",
    "closed": "incident is over",
    "unanswered": "nobody has acknowledged",
}


@dataclass(frozen=True)
class IncidentNotice(Document, name="incident notice", refused_as="bad_event"):
    """One event of an incident on the alert bus."""

    what: Told
    incident: Incident
    """A copy with room for an alert: `Incident.shortened`."""
    anomaly: AnomalyEvent | None = None
    """Of one that opened or got worse: the most severe of the anomalies that did it."""
    version: int = 1

    @property
    def alert_id(self) -> str:
        """The same for each delivery: what a receiver of its alert removes repetitions by."""
        incident = self.incident
        of_what = {"escalated": f"{incident.severity:.6g}", "closed": incident.last_at}
        return short_hash(f"{incident.incident_id}|{self.what}|{of_what.get(self.what, '')}")

    @property
    def workload(self) -> str:
        """The workload that the incident is of."""
        return self.incident.workload

    @property
    def severity(self) -> float:
        """Severity of the whole."""
        return self.incident.severity

    @property
    def series(self) -> str:
        """What its alerts are throttled by: the series that the incident began with."""
        return self.incident.opened_by

    @property
    def at(self) -> int:
        """When it was: epoch seconds."""
        return self.incident.opened if self.anomaly is None else self.anomaly.at


def notice_of(what: Told, incident: Incident, anomaly: AnomalyEvent | None = None) -> IncidentNotice:
    """Return what is told of an incident."""
    return IncidentNotice(what, incident.shortened(SHOWN_BYTES), anomaly)


def notice_subject(notice: IncidentNotice) -> str:
    """Return one line of at most 100 ASCII characters."""
    incident = notice.incident
    end = f", severity {severity_text(incident.severity)}"
    return one_line(f"[{incident.workload}] {_WORDS[notice.what]}: {incident.title}", end)


def notice_text(notice: IncidentNotice, timezone: str = "UTC") -> str:
    """Return what a person needs to judge the incident, line by line.

    Parameters
    ----------
    timezone
        IANA name of the source's zone, in which times are told.
    """
    incident = notice.incident
    touched = len(incident.touched) + incident.left_out.get("touched", 0)
    shown = incident.touched[:LISTED]
    lines = [
        notice_subject(notice),
        "",
        incident.title,
        f"Severity:  {severity_text(incident.severity, of='of 100')}",
        f"Time:      {in_zone(incident.opened, timezone, until=incident.last)}",
        f"Touched:   {touched} series" + (f", the first {len(shown)}:" if touched > len(shown) else ""),
        *(f"  {touched_line(part, timezone)}" for part in shown),
    ]
    if notice.anomaly is not None:
        began = "Began with" if notice.what == "opened" else "Worse by"
        lines += ["", f"{began} {notice.anomaly.series}", *anomaly_lines(notice.anomaly, timezone)]
    return "\n".join([*lines, "", f"Incident:  {incident.incident_id}"])


def touched_line(part: Touched, timezone: str = "UTC") -> str:
    """Return in one line what an incident says of a series, by its worst anomaly."""
    at = in_zone(epoch_seconds(parse_instant(part.at)), timezone)
    return (
        f"{part.series}: {reason_of(part)}, {at}, severity {part.peak_severity:.0f}, "
        f"{part.intervals} interval{'' if part.intervals == 1 else 's'}"
    )
