"""The routes of the service. Each reads the caller's tenant, calls the domain, and answers a document."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import BaseModel

from lambdas.http.callers import tenant_of
from lambdas.http.openapi import OF_A_TASK, answers
from lambdas.service_api.answers import find_request, model_of, results_of, started, summary_of
from lambdas.service_api.documents import (
    Download,
    InferBody,
    InferResults,
    ModelPage,
    RequestPage,
    RequestSummary,
    ScorePage,
    TaskStarted,
    TrainBody,
    TrainResults,
    Upload,
    UploadBody,
    ValidBody,
    ValidResults,
)
from lambdas.service_api.effects import ServiceEffects
from lambdas.service_api.environment import ServiceApiEnvironment
from lambdas.service_api.presigned_urls import presign_download, presign_upload
from lambdas.service_api.request_table import Item, Listing, page_start, page_token
from lambdas.service_api.scores import scores_page
from lambdas.service_api.submit import TaskBody, start_if_lost, submit
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.timestamps import aware
from watchkeeper.service.request_item import Status
from watchkeeper.service.tasks import Task

JSON = "application/json"

Route = TypeVar("Route", bound=Callable[..., Any])

app = APIGatewayHttpResolver(enable_validation=True)

_PATHS = (
    (re.compile(r"/anomaly_detection/(train|valid|infer)/"), ("GET", "POST")),
    (re.compile(r"/files"), ("POST",)),
    (re.compile(r"/files/[^/]+|/requests(/[^/]+)?|/models|/docs|/openapi\.json"), ("GET",)),
    (re.compile(r"/workloads/[^/]+/scores"), ("GET",)),
)

RequestKey = Annotated[
    str,
    Query(
        alias="_id",
        min_length=1,
        max_length=64,
        description="`request_id` of the POST, which is `_id` of its answer.",
    ),
]


PageLimit = Annotated[int, Query(ge=1, le=100)]
PageToken = Annotated[str | None, Query(alias="page_token", min_length=1, max_length=1024)]


@functools.cache
def effects() -> ServiceEffects:
    """Return the effects of this process."""
    try:
        environment = ServiceApiEnvironment.from_environ()
    except InvalidInputError as error:  # the deployment's fault, not the caller's
        raise ContractViolationError(str(error)) from error
    return ServiceEffects.in_aws(environment)


def _starts(task: Task, summary: str) -> Callable[[Route], Route]:
    responses = answers(TaskStarted, HTTPStatus.OK, *OF_A_TASK, body=True)
    return app.post(_path(task), tags=["Tasks"], summary=summary, responses=responses)


def _shows(task: Task, summary: str, document: type[BaseModel]) -> Callable[[Route], Route]:
    responses = answers(document, HTTPStatus.OK, HTTPStatus.NOT_FOUND)
    return app.get(_path(task), tags=["Tasks"], summary=summary, responses=responses)


def _path(task: Task) -> str:
    return f"/anomaly_detection/{task.value}/"


@_starts(Task.TRAIN, "Train a detector")
def start_training(body: Annotated[TrainBody, Body()]) -> Response[TaskStarted]:
    """Start training; with labels, hyperparameters are searched for the best F1."""
    return _start(Task.TRAIN, body)


@_shows(Task.TRAIN, "Status and results of a training", TrainResults)
def show_training(request: RequestKey) -> TrainResults:
    """Return status and results."""
    return results_of(_found(request, Task.TRAIN), TrainResults)


@_starts(Task.VALID, "Measure a model on labelled data")
def start_validation(body: Annotated[ValidBody, Body()]) -> Response[TaskStarted]:
    """Start a validation."""
    return _start(Task.VALID, body)


@_shows(Task.VALID, "Status, metrics and results of a validation", ValidResults)
def show_validation(request: RequestKey) -> ValidResults:
    """Return status, metrics and results."""
    return results_of(_found(request, Task.VALID), ValidResults)


@_starts(Task.INFER, "Find anomalies")
def start_inference(body: Annotated[InferBody, Body()]) -> Response[TaskStarted]:
    """Start an inference."""
    return _start(Task.INFER, body)


@_shows(Task.INFER, "Status and results of an inference", InferResults)
def show_inference(request: RequestKey) -> InferResults:
    """Return status and results."""
    return results_of(_found(request, Task.INFER), InferResults)


@app.post(
    "/files",
    tags=["Files"],
    summary="Ask for an upload",
    responses=answers(Upload, HTTPStatus.CREATED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body=True),
)
def ask_for_upload(body: Annotated[UploadBody, Body()]) -> Response[Upload]:
    """Return where and how to upload a file."""
    return Response(HTTPStatus.CREATED, JSON, presign_upload(effects(), _tenant(), body.key, body.size_bytes))


@app.get(
    "/files/<key>",
    tags=["Files"],
    summary="Ask for a download",
    responses=answers(Download, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def ask_for_download(
    key: Annotated[str, Path(min_length=1, max_length=1024, description="Key of a file, `/` included.")],
) -> Download:
    """Return where to download a file: one that was uploaded, or a result."""
    return presign_download(effects(), _tenant(), unquote(key))


@app.get(
    "/requests",
    tags=["Requests"],
    summary="List requests",
    responses=answers(RequestPage, HTTPStatus.OK),
)
def list_requests(
    task: Annotated[Task | None, Query(description="Only those of this task.")] = None,
    status: Annotated[Status | None, Query(description="Only those with this status.")] = None,
    limit: PageLimit = 20,
    token: PageToken = None,
) -> RequestPage:
    """Return the caller's requests, the newest first."""
    listing = _listed(task, status, limit, token)
    return RequestPage(
        requests=[summary_of(item) for item in listing.items],
        next_page_token=page_token(listing.next_start) if listing.next_start else None,
    )


@app.get(
    "/models",
    tags=["Models"],
    summary="List models",
    responses=answers(ModelPage, HTTPStatus.OK),
)
def list_models(limit: PageLimit = 20, token: PageToken = None) -> ModelPage:
    """Return the models that the caller's tenant trained, the newest first."""
    listing = _listed(Task.TRAIN, Status.SUCCEEDED, limit, token)
    return ModelPage(
        models=[model_of(item) for item in listing.items],
        next_page_token=page_token(listing.next_start) if listing.next_start else None,
    )


@app.get(
    "/workloads/<workload>/scores",
    tags=["Workloads"],
    summary="Scores of a series",
    responses=answers(ScorePage, HTTPStatus.OK),
)
def list_scores(
    workload: Annotated[str, Path(min_length=1, max_length=64, description="Name of a workload.")],
    series: Annotated[
        str, Query(min_length=1, max_length=4096, description="Key of a series, such as `flow|pump=7`.")
    ],
    since: Annotated[datetime, Query(alias="from", description="From this time on.")],
    until: Annotated[datetime, Query(alias="to", description="Before this time.")],
    limit: Annotated[int, Query(ge=1, le=1000)] = 300,
    token: PageToken = None,
) -> ScorePage:
    """Return what was scored of a series of a workload that names the caller's tenant among its readers."""
    asked, tools = unquote(workload), effects()
    return scores_page(
        tools.scores, tools.plans, _tenant(), asked, series, (aware(since), aware(until)), (limit, token)
    )


@app.get(
    "/requests/<request>",
    tags=["Requests"],
    summary="Everything that is known of a request",
    responses=answers(RequestSummary, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_request(
    request: Annotated[str, Path(min_length=1, max_length=64, description="`_id` of the request.")],
) -> RequestSummary:
    """Return a request with its history, progress, results, metrics and error."""
    return summary_of(_found(unquote(request)))


def methods_of(path: str) -> list[str]:
    """Return the methods that a path has; none if it is unknown."""
    return sorted(method for pattern, methods in _PATHS for method in methods if pattern.fullmatch(path))


def takes_body(method: str, path: str) -> bool:
    """Return whether a method of a path takes a body."""
    return method.upper() == "POST" and "POST" in methods_of(path)


def _start(task: Task, body: TaskBody) -> Response[TaskStarted]:
    accepted = submit(task, body, _tenant(), effects())
    answer = started(accepted.item)
    where = f"{_path(task)}?_id={answer.id}"
    return Response(HTTPStatus.OK, JSON, answer, headers={"Location": where})


def _listed(task: Task | None, status: Status | None, limit: int, token: str | None) -> Listing:
    tenant = _tenant()
    start = page_start(token, tenant) if token else None
    return effects().requests.newest(tenant, task=task, status=status, limit=limit, start=start)


def _found(request: str, task: Task | None = None) -> Item:
    item = find_request(effects(), _tenant(), request, task)
    start_if_lost(item, effects())
    return item


def _tenant() -> str:
    return tenant_of(app.current_event.raw_event)
