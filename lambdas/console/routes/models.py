"""The model registry of a workload."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import CursorParameter, WorkloadName, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.models import ModelDetail, ModelItem, ModelVerdictBody
from lambdas.console.models import detail_of, judge, listed
from lambdas.http.openapi import answers

router = new_router()
TAG = "Models"
_MODELS = f"{PREFIX}/workloads/<workload>/models"

Version = Annotated[int, Path(alias="version", ge=1, description="Its number in the registry.")]
ModelLimit = Annotated[int, Query(ge=1, le=50)]


class ModelList(Listed[ModelItem]):
    """Versions of a workload's model, the newest first."""


@router.get(
    _MODELS,
    tags=[TAG],
    summary="List the versions of a workload's model",
    responses=answers(ModelList, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_models(workload: WorkloadName, limit: ModelLimit = 20, cursor: CursorParameter = None) -> ModelList:
    """Return what trainings have registered: also what was never released."""
    request = asked(router)
    place = place_of(cursor, str) if cursor else None
    found, end = listed(request.plan(workload), request.effects, limit, place)
    return ModelList(items=found, next=None if end is None else cursor_of(end))


@router.get(
    f"{_MODELS}/<version>",
    tags=[TAG],
    summary="One version of a workload's model",
    responses=answers(ModelDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_model(workload: WorkloadName, version: Version) -> ModelDetail:
    """Return a version with its evaluation, as long as its run's files are kept."""
    request = asked(router)
    return detail_of(request.plan(workload), version, request.effects)


@router.post(
    f"{_MODELS}/<version>/approve",
    tags=[TAG],
    summary="Approve a version",
    responses=answers(ModelDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def approve_model(
    workload: WorkloadName, version: Version, body: Annotated[ModelVerdictBody, Body()]
) -> ModelDetail:
    """Let it be served by its number; what judges now stays."""
    return _judged(workload, version, body.note, approved=True)


@router.post(
    f"{_MODELS}/<version>/reject",
    tags=[TAG],
    summary="Reject a version",
    responses=answers(ModelDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, body=True),
)
def reject_model(
    workload: WorkloadName, version: Version, body: Annotated[ModelVerdictBody, Body()]
) -> ModelDetail:
    """Let nobody serve it, and its release not judge again; refused of the one that judges now."""
    return _judged(workload, version, body.note, approved=False)


def _judged(workload: str, version: int, note: str | None, *, approved: bool) -> ModelDetail:
    request = asked(router)
    plan, who = request.plan(workload), request.caller.user
    judge(plan, version, request.effects, who, note, approved=approved)
    return detail_of(plan, version, request.effects)
