"""Days of workloads."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import asked, new_router
from lambdas.console.digests import day_digest
from lambdas.console.documents.digests import DayDigest
from lambdas.http.openapi import answers
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.core.plan import WorkloadPlan

router = new_router()


@router.get(
    f"{PREFIX}/digests/<date>",
    tags=["Digests"],
    summary="A day of workloads",
    responses=answers(DayDigest, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_digest(
    day: Annotated[
        str,
        Path(alias="date", min_length=10, max_length=10, description="By each zone: YYYY-MM-DD."),
    ],
    workload: Annotated[
        str | None, Query(min_length=1, max_length=64, description="Only this one; all that watch telemetry.")
    ] = None,
) -> DayDigest:
    """Return what opened, was open and ended, alerts beside the budget, silence and how telemetry came."""
    request = asked(router)
    try:
        wanted = date.fromisoformat(day)
    except ValueError as error:
        raise ServiceProblemError(
            INVALID_REQUEST, f"date {day!r} is no day: write it as 2026-11-30"
        ) from error
    every = request.readable().values()
    plans = (
        [plan for plan in every if isinstance(plan, WorkloadPlan)]
        if workload is None
        else [request.anomaly_plan(workload)]
    )
    return day_digest(wanted, plans, request.effects)
