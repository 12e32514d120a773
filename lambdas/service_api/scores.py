"""Scores of a workload's series: who may read them, and a page of them."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from lambdas.adapters.plan_store import PlanStore
from lambdas.adapters.score_reader import ScoreReader
from lambdas.http.callers import let_only_readers
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from lambdas.service_api.documents import ScorePage
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant, parse_instant


def scores_page(
    reader: ScoreReader,
    plans: PlanStore,
    tenant: str,
    workload: str,
    series: str,
    times: tuple[datetime, datetime],
    page: tuple[int, str | None],
) -> ScorePage:
    """Return a page of the scores of a series.

    Parameters
    ----------
    times
        From the one until before the other.
    page
        How many at most, and the token of the page before.

    Raises
    ------
    ServiceProblemError
        If the times are in the wrong order, or the token is none; if the workload does not name the tenant
        among its readers: whether there is such a workload is not told to others.
    """
    _let_only_readers(plans, tenant, workload)
    limit, token = page
    since, until = times
    if since >= until:
        raise ServiceProblemError(INVALID_REQUEST, "`from` must be before `to`")
    answer = reader.read(
        {
            "workload": workload,
            "series": series,
            "since": format_instant(since) if token is None else _start_of(token),
            "until": format_instant(until),
            "limit": limit,
        }
    )
    following = answer["next"]
    return ScorePage(
        scores=answer["scores"],
        next_page_token=None if following is None else base64.urlsafe_b64encode(following.encode()).decode(),
    )


def _let_only_readers(plans: PlanStore, tenant: str, workload: str) -> None:
    try:
        readers: tuple[str, ...] = plans.plan_of(workload).readers
    except InvalidInputError:
        readers = ()
    let_only_readers(tenant, readers, workload)


def _start_of(token: str) -> str:
    try:
        return format_instant(parse_instant(base64.b64decode(token, altchars=b"-_", validate=True).decode()))
    except (binascii.Error, ValueError, InvalidInputError) as error:
        raise ServiceProblemError(
            INVALID_REQUEST, f"page_token {token[:40]!r} is not the next_page_token of an answer"
        ) from error
