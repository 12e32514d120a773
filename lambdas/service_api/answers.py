"""Items of the requests table as the answers that callers get."""

from __future__ import annotations

from typing import Any, TypeVar

from lambdas.http.problems import REQUEST_NOT_FOUND, ServiceProblemError
from lambdas.service_api.documents import (
    InferResults,
    RequestSummary,
    TaskStarted,
    TrainedModel,
    TrainResults,
    ValidResults,
)
from lambdas.service_api.effects import ServiceEffects
from lambdas.service_api.request_table import Item, document_of
from watchkeeper.service.request_item import Attribute, Status
from watchkeeper.service.tasks import MODEL_RESULT, Task, request_key_id

Results = TypeVar("Results", TrainResults, ValidResults, InferResults)


def started(item: Item) -> TaskStarted:
    """Return the answer of a POST."""
    return TaskStarted.model_validate(
        {
            "_id": item[Attribute.REQUEST_ID.value],
            "task": item[Attribute.TASK.value],
            "status": item[Attribute.STATUS.value],
            "task_id": item[Attribute.TASK_ID.value],
        }
    )


def find_request(effects: ServiceEffects, tenant: str, request: str, task: Task | None = None) -> Item:
    """Return a tenant's request by its `_id`.

    Raises
    ------
    ServiceProblemError
        If the tenant has no such request, or it is one of another task (`request_not_found`).
    """
    item = effects.requests.find(tenant, request_key_id(tenant, request))
    if item is None or (task is not None and item[Attribute.TASK.value] != task.value):
        kind = f"{task.value} request" if task else "request"
        raise ServiceProblemError(REQUEST_NOT_FOUND, f"there is no {kind} with _id {request!r}")
    return item


def results_of(item: Item, answer: type[Results]) -> Results:
    """Return the answer of a GET: its files are named when they are written."""
    status = Status(item[Attribute.STATUS.value])
    values: dict[str, Any] = {"_id": item[Attribute.REQUEST_ID.value], "task": item[Attribute.TASK.value]}
    if status is Status.SUCCEEDED:
        results = document_of(item, Attribute.RESULTS) or {}
        values |= {name: key for name, key in results.items() if name in answer.model_fields}
        if "metrics" in answer.model_fields:
            values["metrics"] = document_of(item, Attribute.METRICS)
    elif status is Status.FAILED:
        values["error"] = item.get(Attribute.ERROR.value)
    elif status is Status.RUNNING:
        values["progress"] = item.get(Attribute.PROGRESS.value)
    return answer.model_validate({**values, "status": status})


def summary_of(item: Item) -> RequestSummary:
    """Return everything that is known of a request."""
    return RequestSummary.model_validate(
        {
            "_id": item[Attribute.REQUEST_ID.value],
            **{
                name.value: item[name.value]
                for name in (
                    Attribute.TASK,
                    Attribute.STATUS,
                    Attribute.REQUEST_ID,
                    Attribute.TASK_ID,
                    Attribute.HISTORY,
                    Attribute.CREATED_AT,
                    Attribute.UPDATED_AT,
                )
            },
            Attribute.PARAMETERS.value: document_of(item, Attribute.PARAMETERS),
            Attribute.RESULTS.value: document_of(item, Attribute.RESULTS) or {},
            Attribute.METRICS.value: document_of(item, Attribute.METRICS),
            Attribute.PROGRESS.value: item.get(Attribute.PROGRESS.value),
            Attribute.ERROR.value: item.get(Attribute.ERROR.value),
        }
    )


def model_of(item: Item) -> TrainedModel:
    """Return the model that a succeeded train request made."""
    return TrainedModel(
        model_path=document_of(item, Attribute.RESULTS)[MODEL_RESULT],
        model_name=document_of(item, Attribute.PARAMETERS)["model_name"],
        metrics=document_of(item, Attribute.METRICS),
        request=item[Attribute.REQUEST_ID.value],
        created_at=item[Attribute.CREATED_AT.value],
    )
