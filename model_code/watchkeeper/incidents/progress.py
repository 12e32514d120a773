"""What becomes of incidents: they open, get worse, join, close after quiet, and open again."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import EPOCH, format_instant
from watchkeeper.incidents.feedback import Label, Verdict, judged, moved_thresholds, unjudged, verdicts_about
from watchkeeper.incidents.grouping import Grown
from watchkeeper.incidents.incident import Entry, Incident
from watchkeeper.incidents.notice import IncidentNotice, notice_of
from watchkeeper.incidents.pausing import Pauses
from watchkeeper.incidents.summary import Told
from watchkeeper.judgement.moved import MovedThresholds

ESCALATES_BY = 10.0
"""By so much the severity of the whole must rise over what was told, to be told again."""

_STATES = ("open", "acknowledged", "closed")


@dataclass(frozen=True)
class Change:
    """Incidents as they are now, which ones are in others, and what is told."""

    incidents: tuple[Incident, ...] = ()
    merged: tuple[Incident, ...] = ()
    """As they were, each with the id that it is under now as `merged_into`."""
    notices: tuple[IncidentNotice, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    """That are given, each in place of the incident's own of before."""
    withdrawn: tuple[Verdict, ...] = ()
    """That stand no more."""
    moved: MovedThresholds | None = None
    """Where all verdicts of the workload move thresholds then; None where none is given or taken back."""
    pauses: Pauses | None = None
    """All of the workload then; None where none begins or ends."""
    labels: tuple[Label, ...] = ()
    """That are set."""
    unlabelled: tuple[Label, ...] = ()
    """That stand no more."""
    told: tuple[Told, ...] = ()
    """What people did beside, for the log and for who looks on."""


def after_verdict(incident: Incident, verdict: Verdict, standing: Collection[Verdict]) -> Change:
    """Return what becomes of an incident by a verdict; the same again changes nothing.

    Parameters
    ----------
    standing
        Verdicts of the workload. Those of incidents that are in this one are replaced.
    """
    before = verdicts_about(incident, standing)
    if [dataclasses.replace(each, at=verdict.at, who=verdict.who) for each in before] == [verdict]:
        return Change()
    gone = tuple(each for each in before if each.incident_id != verdict.incident_id)
    rest = [each for each in standing if each not in before]
    moved = moved_thresholds([*rest, verdict])
    return Change((judged(incident, verdict),), verdicts=(verdict,), withdrawn=gone, moved=moved)


def after_undo(incident: Incident, who: str, at: datetime, standing: Collection[Verdict]) -> Change:
    """Return what becomes of an incident when what was said of it is taken back.

    Raises
    ------
    InvalidInputError
        If nothing was said of it.
    """
    gone = tuple(verdicts_about(incident, standing))
    if not gone:
        raise InvalidInputError(
            f"nobody has judged incident {incident.incident_id}: there is nothing to undo"
        )
    moved = moved_thresholds(each for each in standing if each not in gone)
    return Change((unjudged(incident, who, at),), withdrawn=gone, moved=moved)


def after_anomalies(
    grown: Sequence[Grown],
    *,
    watermark: int,
    closes_after: int,
    levels: Collection[float] = (),
    arrived: int = 0,
) -> Change:
    """Return what becomes of the incidents that anomalies came to.

    Parameters
    ----------
    watermark
        End of the latest anomalous interval of the workload, in seconds since 1970.
    closes_after
        Seconds of quiet.
    levels
        Severities from which on somebody wants to know.
    arrived
        When the anomalies came, in seconds since 1970. An incident that is snoozed then gets worse without
        being told; the next anomaly after that tells.
    """
    incidents, merged, notices = [], [], []
    for each in grown:
        incident = _with_past(each, watermark - closes_after)
        what = (
            None if incident.is_snoozed(EPOCH + timedelta(seconds=arrived)) else _told(each, incident, levels)
        )
        if what is not None:
            latest = incident.opened_at if what == "opened" else incident.last_at
            at = each.added[-1].interval_start if what == "escalated" and each.added else latest
            incident = _noted(incident, Entry(at, what, severity=incident.severity))
            worst = max(each.added, key=lambda event: event.severity, default=None)
            notices.append(notice_of(what, incident, worst))
        incidents.append(incident)
        merged += [
            dataclasses.replace(before, merged_into=incident.incident_id)
            for before in each.before
            if before.incident_id != incident.incident_id
        ]
    return Change(tuple(incidents), tuple(merged), tuple(notices))


def closed(incidents: Sequence[Incident], closes_after: int) -> Change:
    """Close the incidents that are not over."""
    found = [
        _noted(
            dataclasses.replace(incident, state="closed"),
            Entry(format_instant(incident.last + closes_after), "closed", severity=incident.severity),
        )
        for incident in incidents
        if incident.is_open
    ]
    return Change(tuple(found), (), tuple(notice_of("closed", incident) for incident in found))


def _told(
    grown: Grown, incident: Incident, levels: Collection[float]
) -> Literal["opened", "escalated"] | None:
    if not grown.before:
        return "opened"
    told, severity = incident.told_severity, incident.severity
    worse = severity >= told + ESCALATES_BY or any(told < level <= severity for level in levels)
    return "escalated" if worse else None


def _with_past(grown: Grown, quiet_until: int) -> Incident:
    """Return an incident with the state and the timelines of those that are in it."""
    incident, before = grown.incident, grown.before
    if not before:
        return incident
    state = min((each.state for each in before), key=_STATES.index)
    oldest, *others = before
    past = [
        *oldest.timeline,
        *(
            Entry(each.opened_at, "joined", note=each.incident_id, severity=each.told_severity)
            for each in others
        ),
        *(entry for each in others for entry in each.timeline if entry.who is not None),
    ]
    timeline = tuple(sorted(past, key=lambda entry: entry.at))
    said = {entry.what: entry.note for entry in timeline if entry.who is not None}  # the latest of each
    incident = dataclasses.replace(
        incident,
        state=state,
        timeline=timeline,
        assigned_to=said.get("assigned"),
        snoozed_until=said.get("snoozed"),
        feedback=next((each.feedback for each in before if each.feedback is not None), None),
    )
    if (
        state == "closed"
        and incident.last > max(each.last for each in before)
        and incident.last > quiet_until
    ):
        again = Entry(incident.last_at, "reopened", severity=incident.severity)
        return _noted(dataclasses.replace(incident, state="open"), again)
    return incident


def _noted(incident: Incident, entry: Entry) -> Incident:
    return dataclasses.replace(incident, timeline=(*incident.timeline, entry))


def together(changes: Sequence[Change]) -> Change:
    """Return several changes that anomalies and quiet make as one."""
    return Change(
        incidents=tuple(each for change in changes for each in change.incidents),
        merged=tuple(each for change in changes for each in change.merged),
        notices=tuple(each for change in changes for each in change.notices),
    )
