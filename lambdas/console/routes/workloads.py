"""Workloads and how they go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import Asked, CursorParameter, WorkloadName, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.costs import WorkloadCost
from lambdas.console.documents.log import WorkloadLog
from lambdas.console.documents.workloads import (
    PauseBody,
    PauseItem,
    PauseList,
    ResumeBody,
    RouteTestBody,
    RouteTests,
    SpecText,
    WorkloadDetail,
    WorkloadItem,
)
from lambdas.console.log import log_of
from lambdas.console.series import LAST
from lambdas.console.workloads import detail_of, items_of, spec_of, tested_routes
from lambdas.http.openapi import answers
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from lambdas.incidents.keeping import send
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import aware
from watchkeeper.incidents.pausing import Pauses, paused, resumed

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


@router.post(
    f"{PREFIX}/workloads/<workload>/pause",
    tags=[TAG],
    summary="Tell nothing for a while",
    responses=answers(PauseList, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def pause_workload(workload: WorkloadName, body: Annotated[PauseBody, Body()]) -> PauseList:
    """Pause a workload, or a series: it is scored, and nothing is told; the same again changes nothing."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    _refuse_unknown(request, plan, body.series)
    who, now, until = request.caller.user, request.effects.now(), aware(body.until)
    return _changed(request, plan, lambda found: paused(found, body.series, until, who, now, body.note))


@router.post(
    f"{PREFIX}/workloads/<workload>/resume",
    tags=[TAG],
    summary="Tell again",
    responses=answers(PauseList, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def resume_workload(workload: WorkloadName, body: Annotated[ResumeBody, Body()]) -> PauseList:
    """End the pauses of a workload and its series, or of one series; what is not paused stays as it is."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    who, now = request.caller.user, request.effects.now()
    return _changed(request, plan, lambda found: resumed(found, body.series, who, now))


def _changed(request: Asked, plan: WorkloadPlan, change: Callable[[Pauses], Pauses]) -> PauseList:
    pauses = request.effects.change_pauses(plan.workload, change)
    send(plan.workload, request.effects)
    held = pauses.now(request.effects.now())
    return PauseList(items=[PauseItem(**vars(one)) for one in held])


def _refuse_unknown(request: Asked, plan: WorkloadPlan, series: str | None) -> None:
    heads = request.effects.heads(plan.workload)
    if series is not None and not any(series in head.series for head in heads):
        raise ServiceProblemError(INVALID_REQUEST, f"workload {plan.workload} has no series {series[:200]!r}")


@router.get(
    f"{PREFIX}/workloads/<workload>/spec",
    tags=[TAG],
    summary="A workload's file",
    responses=answers(SpecText, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_spec(workload: WorkloadName) -> SpecText:
    """Return the text of a workload's file as it was deployed, and what it means."""
    request = asked(router)
    return spec_of(request.plan(workload), request.effects)


@router.get(
    f"{PREFIX}/workloads/<workload>/cost",
    tags=[TAG],
    summary="What the month costs",
    responses=answers(WorkloadCost, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_cost(workload: WorkloadName) -> WorkloadCost:
    """Return what the month has used, and where that leads; asked anew each quarter of an hour."""
    from lambdas.console.costs import cost_of

    request = asked(router)
    return cost_of(request.plan(workload), request.effects)


@router.post(
    f"{PREFIX}/workloads/<workload>/routes/test",
    tags=[TAG],
    summary="Test routes of alerts",
    responses=answers(RouteTests, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def test_routes(workload: WorkloadName, body: Annotated[RouteTestBody, Body()]) -> RouteTests:
    """Send a marked sample the way alerts go, and wait up to 20 seconds for what becomes of it."""
    request = asked(router)
    found = tested_routes(request.plan(workload), body.channels, request.effects)
    return RouteTests(items=found)
