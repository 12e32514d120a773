"""Workloads and how they go."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import CursorParameter, WorkloadName, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.log import WorkloadLog
from lambdas.console.documents.workloads import WorkloadDetail, WorkloadItem
from lambdas.console.log import log_of
from lambdas.console.series import LAST
from lambdas.console.workloads import detail_of, items_of
from lambdas.http.openapi import answers
from watchkeeper.core.timestamps import aware

router = new_router()
TAG = "Workloads"


class WorkloadList(Listed[WorkloadItem]):
    """The workloads that the caller may see, by name."""


@router.get(
    f"{PREFIX}/workloads",
    tags=[TAG],
    summary="List workloads",
    responses=answers(WorkloadList, HTTPStatus.OK),
)
def list_workloads() -> WorkloadList:
    """Return the workloads that the caller may see, and how they go."""
    request = asked(router)
    return WorkloadList(items=items_of(list(request.readable().values()), request.effects))


@router.get(
    f"{PREFIX}/workloads/<workload>",
    tags=[TAG],
    summary="One workload",
    responses=answers(WorkloadDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_workload(workload: WorkloadName) -> WorkloadDetail:
    """Return a workload, how it goes, and what its plan says."""
    request = asked(router)
    return detail_of(request.plan(workload), request.effects)


@router.get(
    f"{PREFIX}/workloads/<workload>/log",
    tags=[TAG],
    summary="How telemetry came",
    responses=answers(WorkloadLog, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_log(
    workload: WorkloadName,
    since: Annotated[
        datetime | None, Query(alias="from", description="From this time on; a day before `to` without.")
    ] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Before this time; now without.")] = None,
    most: Annotated[int, Query(ge=1, le=5000, description="Intervals in one answer.")] = 1500,
    cursor: CursorParameter = None,
) -> WorkloadLog:
    """Return what came of each interval, and what was unusual in how it came."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    end = aware(until) or request.effects.now()
    begin = aware(since) or end - LAST
    place = place_of(cursor, int) if cursor else None
    log, following = log_of(request.effects.scores, plan, (begin, end), most, place)
    return log if following is None else log.model_copy(update={"next": cursor_of(following)})
