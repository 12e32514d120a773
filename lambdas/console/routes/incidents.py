"""Incidents, what people say and do about them, and what has changed since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import Asked, CursorParameter, Limit, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.incidents import (
    AcknowledgeBody,
    AssignBody,
    Changes,
    FeedbackBody,
    IncidentAnswer,
    IncidentItem,
    ListedState,
    LiveEventItem,
    SnoozeBody,
)
from lambdas.console.incidents import Wanted, answer_of, events_since, listed, tag_of
from lambdas.http.openapi import answers
from lambdas.http.problems import PRECONDITION_FAILED, ServiceProblemError
from lambdas.incidents.keeping import send
from lambdas.incidents.responding import judge, respond
from watchkeeper.core.timestamps import aware
from watchkeeper.incidents.incident import Feedback, Incident
from watchkeeper.incidents.response import acknowledged, assigned, snoozed

router = new_router()
TAG = "Incidents"
INCIDENT_NOT_FOUND = "incident_not_found"
JSON = "application/json"

IncidentId = Annotated[
    str, Path(alias="incident", min_length=1, max_length=64, description="Its id, or a former one.")
]
_ONE = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)


class IncidentList(Listed[IncidentItem]):
    """Incidents, the newest first."""


@router.get(
    f"{PREFIX}/incidents",
    tags=[TAG],
    summary="List incidents",
    responses=answers(IncidentList, HTTPStatus.OK),
)
def list_incidents(
    workload: Annotated[str | None, Query(max_length=64, description="Only of this one.")] = None,
    state: Annotated[ListedState, Query(description="`open`: neither acknowledged nor closed.")] = "any",
    severity_from: Annotated[float, Query(ge=0, le=100, description="Only from this severity on.")] = 0.0,
    measure: Annotated[str | None, Query(max_length=256, description="Only with this measure.")] = None,
    where: Annotated[
        str | None,
        Query(max_length=512, pattern="^[^:]+:.+$", description="Only with this `dimension:value`."),
    ] = None,
    since: Annotated[datetime | None, Query(alias="from", description="Began from this time on.")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Began before this time.")] = None,
    limit: Limit = 50,
    cursor: CursorParameter = None,
) -> IncidentList:
    """Return incidents of the workloads that the caller may see, the newest first.

    With a filter a part may have fewer than `limit`, even none, and a cursor of the following one.
    """
    request = asked(router)
    names = request.readable() if workload is None else [request.plan(workload).workload]
    wanted = Wanted(state, severity_from, measure, where, aware(since), aware(until))
    place = place_of(cursor, dict) if cursor else None
    effects = request.effects
    found, end = listed(effects.incidents, list(names), wanted, limit, place, effects.for_each)
    return IncidentList(
        items=[IncidentItem(**vars(each)) for each in found],
        next=None if end is None else cursor_of(end),
    )


@router.get(
    f"{PREFIX}/incidents/<incident>",
    tags=[TAG],
    summary="One incident",
    responses=answers(IncidentAnswer, HTTPStatus.OK, *_ONE),
)
def show_incident(incident: IncidentId) -> Response[IncidentAnswer]:
    """Return an incident; by a former id, the one that it is in now."""
    request = asked(router)
    return _answered(_found(request, incident), request)


@router.post(
    f"{PREFIX}/incidents/<incident>/feedback",
    tags=[TAG],
    summary="Say what an incident was",
    responses=answers(IncidentAnswer, HTTPStatus.OK, *_ONE, body=True),
)
def judge_incident(incident: IncidentId, body: Annotated[FeedbackBody, Body()]) -> Response[IncidentAnswer]:
    """Keep a verdict; thresholds of the series that it is about follow."""
    request = asked(router)
    return _judged(request, incident, body.verdict, body.note)


@router.delete(
    f"{PREFIX}/incidents/<incident>/feedback",
    tags=[TAG],
    summary="Take back what was said of an incident",
    responses=answers(IncidentAnswer, HTTPStatus.OK, *_ONE),
)
def unjudge_incident(incident: IncidentId) -> Response[IncidentAnswer]:
    """Take a verdict back: thresholds are as they would be without it."""
    request = asked(router)
    return _judged(request, incident, None)


@router.post(
    f"{PREFIX}/incidents/<incident>/acknowledge",
    tags=[TAG],
    summary="Look after an incident",
    responses=answers(IncidentAnswer, HTTPStatus.OK, *_ONE, body=True),
)
def acknowledge_incident(
    incident: IncidentId, body: Annotated[AcknowledgeBody, Body()]
) -> Response[IncidentAnswer]:
    """Say that somebody looks after it; again changes nothing."""
    request = asked(router)
    who, now = request.caller.user, request.effects.now()
    return _changed(request, incident, lambda found: acknowledged(found, who, now, body.note))


@router.post(
    f"{PREFIX}/incidents/<incident>/assign",
    tags=[TAG],
    summary="Hand an incident to somebody",
    responses=answers(IncidentAnswer, HTTPStatus.OK, *_ONE, body=True),
)
def assign_incident(incident: IncidentId, body: Annotated[AssignBody, Body()]) -> Response[IncidentAnswer]:
    """Hand it to a person or a team."""
    request = asked(router)
    who, now = request.caller.user, request.effects.now()
    return _changed(request, incident, lambda found: assigned(found, body.to, who, now))


@router.post(
    f"{PREFIX}/incidents/<incident>/snooze",
    tags=[TAG],
    summary="Hear nothing of an incident for a while",
    responses=answers(IncidentAnswer, HTTPStatus.OK, *_ONE, body=True),
)
def snooze_incident(incident: IncidentId, body: Annotated[SnoozeBody, Body()]) -> Response[IncidentAnswer]:
    """Tell nothing of it until a time; if it is worse then, the next anomaly tells."""
    request = asked(router)
    who, now = request.caller.user, request.effects.now()
    until = aware(body.until) or now + timedelta(seconds=body.for_seconds or 0)
    return _changed(request, incident, lambda found: snoozed(found, until, who, now))


@router.get(
    f"{PREFIX}/changes",
    tags=["Live"],
    summary="What has changed since",
    responses=answers(Changes, HTTPStatus.OK),
)
def list_changes(
    since: Annotated[
        str | None,
        Query(min_length=1, max_length=8192, description="`next` of the last answer; else from now."),
    ] = None,
) -> Changes:
    """Return what was missed: the events that were pushed meanwhile, each with the same id."""
    request = asked(router)
    place = place_of(since, dict, "since") if since else None
    events, end, more, complete = events_since(request.effects.incidents, list(request.readable()), place)
    return Changes(
        items=[LiveEventItem(**event.to_dict()) for event in events],
        next=cursor_of(end),
        more=more,
        complete=complete,
    )


def _found(request: Asked, incident: str) -> Incident:
    """Return an incident of a workload that the caller may see.

    Raises
    ------
    ServiceProblemError
        If there is none; one of another tenant's workload is not told from a missing one.
    """
    found = request.effects.incidents.find(unquote(incident))
    if found is None or found.workload not in request.readable():
        raise ServiceProblemError(INCIDENT_NOT_FOUND, f"there is no incident {unquote(incident)[:64]!r}")
    return found


def _judged(
    request: Asked, incident: str, what: Feedback | None, note: str | None = None
) -> Response[IncidentAnswer]:
    found, store = _found(request, incident), request.effects.incidents
    who, now = request.caller.user, request.effects.now()
    after = judge(store, found.incident_id, what, who, now, note, condition=_as_seen)
    return _told(request, after)


def _changed(
    request: Asked, incident: str, change: Callable[[Incident], Incident]
) -> Response[IncidentAnswer]:
    found = _found(request, incident)
    after = respond(request.effects.incidents, found.incident_id, change, condition=_as_seen)
    return _told(request, after)


def _told(request: Asked, incident: Incident) -> Response[IncidentAnswer]:
    send(incident.workload, request.effects)
    return _answered(incident, request)


def _as_seen(found: Incident) -> None:
    """Refuse an incident that is not as the caller saw it, where the caller says so."""
    wanted = router.current_event.headers.get("if-match")
    # the tag of an answer has more behind a point: what is told beside the incident
    if wanted not in (None, "*") and wanted.strip('W/"').partition(".")[0] != tag_of(found).strip('"'):
        raise ServiceProblemError(
            PRECONDITION_FAILED,
            f"incident {found.incident_id} has changed since: read it again, then send the change",
        )


def _answered(incident: Incident, request: Asked) -> Response[IncidentAnswer]:
    answer = answer_of(incident, request.effects.releases)
    return Response(HTTPStatus.OK, JSON, answer, headers={"ETag": tag_of(incident)})
