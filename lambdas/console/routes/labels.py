"""Labels of series."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import Asked, CursorParameter, Limit, WorkloadName, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.labels import LabelItem, StretchBody
from lambdas.console.labels import WantedLabels, item_of, label_of, listed
from lambdas.http.openapi import answers
from lambdas.incidents.keeping import send
from lambdas.incidents.labelling import mark, unmark
from watchkeeper.core.timestamps import aware
from watchkeeper.incidents.feedback import Label

router = new_router()
TAG = "Labels"
_LABELS = f"{PREFIX}/workloads/<workload>/labels"

LabelId = Annotated[str, Path(alias="label", min_length=1, max_length=64, description="Its id.")]


class LabelList(Listed[LabelItem]):
    """What people say of stretches of series, the latest stretch first."""


@router.get(
    _LABELS,
    tags=[TAG],
    summary="List labels",
    responses=answers(LabelList, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_labels(
    workload: WorkloadName,
    series: Annotated[str | None, Query(max_length=4096, description="Only of this one.")] = None,
    since: Annotated[datetime | None, Query(alias="from", description="Ends after this time.")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Begins before this time.")] = None,
    limit: Limit = 100,
    cursor: CursorParameter = None,
) -> LabelList:
    """Return labels and what verdicts on incidents say of series: all that the next training is told."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    wanted = WantedLabels(series, aware(since), aware(until))
    place = place_of(cursor, list) if cursor else None
    found, end = listed(request.effects.incidents, plan.workload, wanted, limit, place)
    return LabelList(items=found, next=None if end is None else cursor_of(end))


@router.post(
    _LABELS,
    tags=[TAG],
    summary="Mark a stretch of a series as an anomaly",
    responses=answers(LabelItem, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def mark_label(workload: WorkloadName, body: Annotated[StretchBody, Body()]) -> LabelItem:
    """Keep a label for the next training and its evaluation; what judges now stays as it is."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    times = aware(body.start), aware(body.end)
    label = label_of(plan, request.effects, body.series, times, request.caller.user, body.note)
    return _told(request, mark(request.effects.incidents, label))


@router.delete(
    f"{_LABELS}/<label>",
    tags=[TAG],
    summary="Take a label back",
    responses=answers(LabelItem, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def unmark_label(workload: WorkloadName, label: LabelId) -> LabelItem:
    """Take a label back; the next training does not know it."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    gone = unmark(request.effects.incidents, plan.workload, unquote(label), request.caller.user)
    return _told(request, gone)


def _told(request: Asked, label: Label) -> LabelItem:
    send(label.workload, request.effects)
    return item_of(label)
