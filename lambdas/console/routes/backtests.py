"""Backtests of workloads."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from lambdas.console.access import PREFIX
from lambdas.console.asking import WorkloadName, asked, new_router
from lambdas.console.backtests import asked as ask_for
from lambdas.console.backtests import detail_of, draft_of, listed
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.backtests import (
    BacktestBody,
    BacktestDetail,
    BacktestItem,
    DraftBody,
    SpecDraft,
)
from lambdas.http.openapi import answers

router = new_router()
TAG = "Backtests"
JSON = "application/json"
_WORKLOAD = f"{PREFIX}/workloads/<workload>"
_BACKTESTS = f"{_WORKLOAD}/backtests"


class BacktestList(Listed[BacktestItem]):
    """The latest backtests of a workload, the newest first."""


@router.post(
    f"{_WORKLOAD}/spec/draft",
    tags=[TAG],
    summary="A workload's file with other values",
    responses=answers(SpecDraft, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def draft_spec(workload: WorkloadName, body: Annotated[DraftBody, Body()]) -> SpecDraft:
    """Return a version of a workload's file, its fields, and what it would change; nothing is kept."""
    request = asked(router)
    return draft_of(request.anomaly_plan(workload), body.text, body.settings, request.effects)


@router.post(
    _BACKTESTS,
    tags=[TAG],
    summary="Ask for a backtest",
    responses=answers(BacktestItem, HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND, body=True),
)
def start_backtest(workload: WorkloadName, body: Annotated[BacktestBody, Body()]) -> Response[BacktestItem]:
    """Judge what the workload's telemetry was as it is deployed, and by another version of its file."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    item = ask_for(plan, body.text, body.days, request.caller, request.effects)
    where = f"{PREFIX}/workloads/{plan.workload}/backtests/{item.backtest_id}"
    return Response(HTTPStatus.ACCEPTED, JSON, item, headers={"Location": where})


@router.get(
    _BACKTESTS,
    tags=[TAG],
    summary="List backtests",
    responses=answers(BacktestList, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_backtests(workload: WorkloadName) -> BacktestList:
    """Return the latest backtests of a workload; they are kept for a month."""
    request = asked(router)
    return BacktestList(items=listed(request.anomaly_plan(workload), request.effects))


@router.get(
    f"{_BACKTESTS}/<backtest>",
    tags=[TAG],
    summary="One backtest",
    responses=answers(BacktestDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_backtest(
    workload: WorkloadName,
    backtest: Annotated[str, Path(min_length=1, max_length=64, description="Its id.")],
) -> BacktestDetail:
    """Return how far a backtest is, and what came of it."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    return detail_of(plan, unquote(backtest), request.caller, request.effects)
