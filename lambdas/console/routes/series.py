"""Series and their points."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import CursorParameter, WorkloadName, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.series import Points, SeriesItem
from lambdas.console.series import LAST, Chosen, listed, points_of
from lambdas.http.openapi import answers
from watchkeeper.core.timestamps import aware
from watchkeeper.stream.health import HealthName

router = new_router()
TAG = "Series"


class SeriesList(Listed[SeriesItem]):
    """Series by key."""

    total: int


@router.get(
    f"{PREFIX}/workloads/<workload>/series",
    tags=[TAG],
    summary="List series",
    responses=answers(SeriesList, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_series(
    workload: WorkloadName,
    prefix: Annotated[str, Query(max_length=1024, description="Beginning of the key.")] = "",
    contains: Annotated[
        str, Query(max_length=256, description="Anywhere in the key, whatever the case.")
    ] = "",
    measure: Annotated[str | None, Query(max_length=256, description="Only of this measure.")] = None,
    health: Annotated[HealthName | None, Query(description="Only those that are so.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: CursorParameter = None,
) -> SeriesList:
    """Return the series that telemetry has come of, and how each goes."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    after = place_of(cursor, str) if cursor else None
    chosen = Chosen(prefix, contains, measure, health)
    found, end, total = listed(plan, request.effects, chosen, limit, after)
    return SeriesList(items=found, next=None if end is None else cursor_of(end), total=total)


@router.get(
    f"{PREFIX}/workloads/<workload>/series/<series>/points",
    tags=[TAG],
    summary="Points of a series",
    responses=answers(Points, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_points(
    workload: WorkloadName,
    series: Annotated[
        str, Path(min_length=1, max_length=4096, description="Key, URL-encoded, such as `flow%7Cpump%3D7`.")
    ],
    since: Annotated[
        datetime | None, Query(alias="from", description="From this time on; a day before `to` without.")
    ] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Before this time; now without.")] = None,
    most: Annotated[int, Query(ge=1, le=20_000, description="Intervals in one answer.")] = 2000,
    cursor: CursorParameter = None,
) -> Points:
    """Return scored intervals as columns. Where some are missing, one row of nulls stands for them."""
    request = asked(router)
    plan = request.anomaly_plan(workload)
    end = aware(until) or request.effects.now()
    begin = aware(since) or end - LAST
    place = place_of(cursor, int) if cursor else None
    points, following = points_of(request.effects.scores, plan, unquote(series), (begin, end), most, place)
    return points if following is None else points.model_copy(update={"next": cursor_of(following)})
