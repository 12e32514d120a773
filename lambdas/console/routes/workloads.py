"""Workloads and how they go."""

from __future__ import annotations

from http import HTTPStatus

from lambdas.console.access import PREFIX
from lambdas.console.asking import WorkloadName, asked, new_router
from lambdas.console.documents.answer import Listed
from lambdas.console.documents.workloads import WorkloadDetail, WorkloadItem
from lambdas.console.workloads import detail_of, items_of
from lambdas.http.openapi import answers

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
