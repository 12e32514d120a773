"""Trainings and releases."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from lambdas.adapters.object_store import ObjectUri
from lambdas.console.access import PREFIX
from lambdas.console.asking import Asked, CursorParameter, Limit, WorkloadName, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.runs import (
    ReleaseItem,
    RollBackBody,
    RunDetail,
    RunItem,
    RunStarted,
    TrainingBody,
)
from lambdas.console.releases import earlier_release
from lambdas.console.runs import CHARTS, detail_of, item_of, release_items
from lambdas.console.training_runs import Run, execution_input
from lambdas.http.openapi import answers
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.core import layout
from watchkeeper.core.timestamps import aware, format_instant
from watchkeeper.lifecycle.run import is_run_id

router = new_router()
TAG = "Runs"
RUN_NOT_FOUND, CHART_NOT_FOUND = "run_not_found", "chart_not_found"
JSON = "application/json"
_BYTES = {"type": "string", "format": "binary"}
_RUNS = f"{PREFIX}/workloads/<workload>/runs"
_RELEASES = f"{PREFIX}/workloads/<workload>/releases"

RunId = Annotated[str, Path(alias="run", min_length=1, max_length=64, description="Id of a run.")]


class RunList(Listed[RunItem]):
    """Runs, the newest first."""


class ReleaseList(Listed[ReleaseItem]):
    """Releases, that of the newest run first."""


@router.get(
    _RUNS,
    tags=[TAG],
    summary="List trainings",
    responses=answers(RunList, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_runs(workload: WorkloadName, limit: Limit = 20, cursor: CursorParameter = None) -> RunList:
    """Return trainings of a workload, the newest first."""
    request = asked(router)
    plan = request.plan(workload)
    place = place_of(cursor, str) if cursor else None
    found, end = request.effects.runs.listed(plan.workload, limit, place)
    return RunList(items=[item_of(run) for run in found], next=None if end is None else cursor_of(end))


@router.post(
    _RUNS,
    tags=[TAG],
    summary="Start a training",
    responses=answers(RunStarted, HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND, body=True),
)
def start_run(workload: WorkloadName, body: Annotated[TrainingBody, Body()]) -> Response[RunStarted]:
    """Start a training; where one runs already, this one fails and says so."""
    request = asked(router)
    plan = request.plan(workload)
    start, end = aware(body.start), aware(body.end)
    if start and end and start >= end:
        raise ServiceProblemError(INVALID_REQUEST, "`start` must be before `end`")
    period = (None if time is None else format_instant(time) for time in (start, end))
    run = request.effects.runs.start(plan.workload, execution_input(body.reason, *period))
    answer = RunStarted(execution=run.execution, run_id=run.run_id)
    where = f"{PREFIX}/workloads/{plan.workload}/runs/{run.run_id}"
    return Response(HTTPStatus.ACCEPTED, JSON, answer, headers={"Location": where})


@router.get(
    f"{_RUNS}/<run>",
    tags=[TAG],
    summary="One training",
    responses=answers(RunDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_run(workload: WorkloadName, run: RunId) -> RunDetail:
    """Return a training with the states of its workflow, its figures and its charts."""
    request = asked(router)
    return detail_of(_found(request, workload, run), request.effects)


@router.get(
    f"{_RUNS}/<run>/charts/<chart>",
    tags=[TAG],
    summary="A chart of a training",
    responses={
        **answers(RunDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
        200: {
            "description": "OK",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
def show_chart(
    workload: WorkloadName,
    run: RunId,
    chart: Annotated[str, Path(min_length=1, max_length=200, description="Its name.")],
) -> Response[str]:
    """Return the picture."""
    request = asked(router)
    plan, run_id = request.plan(workload), unquote(run)
    if not is_run_id(run_id):
        raise ServiceProblemError(RUN_NOT_FOUND, f"{run_id[:64]!r} is not the id of a run")
    # not by its execution: Step Functions forgets it, and its files are kept
    key = f"{layout.run_prefix(plan.workload, run_id)}{CHARTS}{unquote(chart)}"
    uri = ObjectUri(request.effects.bucket, key)
    body = request.effects.objects.read(uri) if request.effects.objects.any_under(uri) else None
    if body is None:
        raise ServiceProblemError(CHART_NOT_FOUND, f"run {run_id} has no chart {unquote(chart)!r}")
    response = Response(HTTPStatus.OK, "image/png", base64.b64encode(body).decode())
    response.base64_encoded = True  # given as bytes, it would be taken for text when answers are validated
    return response


@router.get(
    _RELEASES,
    tags=[TAG],
    summary="List releases",
    responses=answers(ReleaseList, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_releases(workload: WorkloadName) -> ReleaseList:
    """Return the models that were published, or staged to be."""
    request = asked(router)
    plan, store = request.plan(workload), request.effects.releases
    rejected = request.effects.models.rejected(plan.workload)
    found = release_items(store.staged(plan.workload), store.live(plan.workload), plan, rejected)
    return ReleaseList(items=found)


@router.post(
    f"{_RELEASES}/<run>/roll-back",
    tags=[TAG],
    summary="Let an earlier release judge again",
    responses=answers(ReleaseList, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def roll_back(workload: WorkloadName, run: RunId, body: Annotated[RollBackBody, Body()]) -> ReleaseList:
    """Go back to the release of a run; the next training replaces it as any other."""
    request = asked(router)
    plan = request.plan(workload)
    if body.confirm != plan.workload:
        raise ServiceProblemError(
            INVALID_REQUEST, f"confirm is {body.confirm[:64]!r}: send the workload's name, {plan.workload!r}"
        )
    effects = request.effects
    rejected = effects.models.rejected(plan.workload)
    effects.go_back(earlier_release(effects.releases, plan.workload, unquote(run), rejected))
    return list_releases(workload)


def _found(request: Asked, workload: str, run: str) -> Run:
    plan = request.plan(workload)
    found = request.effects.runs.found(plan.workload, unquote(run))
    if found is None:
        raise ServiceProblemError(
            RUN_NOT_FOUND, f"workload {plan.workload} has no run {unquote(run)[:64]!r} that is still known"
        )
    return found
