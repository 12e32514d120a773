"""A POST: find what it reads, write it down once, start its workflow once.

A function that ends between the two leaves a request whose workflow was never started, and no answer to its
caller: whoever looks at it starts it. The item has the execution's input and names the execution, so that any
number of starts are one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from lambdas.http.problems import REQUEST_CONFLICT, ServiceProblemError
from lambdas.service_api.documents import (
    MultivariateBody,
    TrainBody,
    UnivariateBody,
    ValidBody,
)
from lambdas.service_api.effects import ServiceEffects
from lambdas.service_api.file_search import find_model, find_table
from lambdas.service_api.open_tasks import take_place
from lambdas.service_api.request_table import Item
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import Dialect
from watchkeeper.core.timestamps import format_instant, parse_iso8601
from watchkeeper.service.request_item import OPEN, REQUEST_DAYS, Attribute, Status, item_key
from watchkeeper.service.tasks import Task, TaskFiles, TaskInput, request_key_id, task_input

TaskBody = TrainBody | ValidBody | UnivariateBody | MultivariateBody


@dataclass(frozen=True)
class Accepted:
    """A request that is in the table, and whether it was before."""

    item: Item
    repeated: bool


def submit(task: Task, body: TaskBody, tenant: str, effects: ServiceEffects) -> Accepted:
    """Write a request down and start its workflow; a repetition changes nothing.

    A crash between the two leaves a request that has not started: its repetition starts it, or whoever looks
    at it (`start_if_lost`).

    Raises
    ------
    ServiceProblemError
        If there is another request with this id (`request_conflict`), all places of the tenant are taken
        (`too_many_tasks`), or a file is not as it must be.
    InvalidInputError
        If a file's content is not as it must be.
    """
    request = request_key_id(tenant, str(body.request_id))
    digest = _digest(task, body)
    item = effects.requests.find(tenant, request)
    repeated = item is not None
    if item is None:
        item = _new_item(_input_of(task, body, tenant, request, effects), digest, effects)
        take_place(tenant, request, effects)
        if not effects.requests.add(item):
            repeated = True
            item = effects.requests.find(tenant, request)
            if item is None:
                raise ContractViolationError(f"request {request} is neither new nor there")
    if item[Attribute.BODY_HASH.value] != digest:
        raise ServiceProblemError(
            REQUEST_CONFLICT,
            f"request_id {body.request_id} was used for another {item[Attribute.TASK.value]} request: use a "
            "new request_id",
        )
    if item[Attribute.STATUS.value] == Status.QUEUED.value:
        effects.workflows.start(task, request, item[Attribute.INPUT.value])
    return Accepted(item, repeated)


def _input_of(task: Task, body: TaskBody, tenant: str, request: str, effects: ServiceEffects) -> TaskInput:
    labels = model = None
    charts = False
    find = partial(find_table, effects, tenant, dialect=Dialect(decimal=body.decimal))
    if isinstance(body, TrainBody):
        charts = body.save_charts
        features = find("train_feature_file", body.train_feature_file)
        if body.train_label_file is not None:
            labels = find("train_label_file", body.train_label_file)
    elif isinstance(body, ValidBody):
        charts = body.save_charts
        model = find_model(effects, tenant, body.model_path)
        features = find("valid_feature_file", body.valid_feature_file)
        labels = find("valid_label_file", body.valid_label_file)
    else:
        if isinstance(body, MultivariateBody):
            model = find_model(effects, tenant, body.model_path)
        features = find("feature_file", body.feature_file)
    return task_input(
        tenant=tenant,
        request=request,
        task=task,
        bucket=effects.files.name,
        parameters=body.model_dump(mode="json"),
        files=TaskFiles(features=features, labels=labels, model=model),
        charts=charts,
    )


def _new_item(document: TaskInput, digest: str, effects: ServiceEffects) -> Item:
    now = effects.now()
    at = format_instant(now)
    return {
        **item_key(document.tenant, document.id),
        Attribute.TASK.value: document.task.value,
        Attribute.REQUEST_ID.value: document.parameters["request_id"],
        Attribute.BODY_HASH.value: digest,
        Attribute.PARAMETERS.value: _json(document.parameters),
        Attribute.INPUT.value: document.to_json(),
        Attribute.STATUS.value: OPEN[0].value,
        Attribute.HISTORY.value: [{"status": OPEN[0].value, "at": at}],
        Attribute.TASK_ID.value: effects.workflows.execution_arn(document.task, document.id),
        Attribute.CREATED_AT.value: at,
        Attribute.UPDATED_AT.value: at,
        Attribute.EXPIRES_AT.value: int((now + timedelta(days=REQUEST_DAYS)).timestamp()),
    }


def _digest(task: Task, body: TaskBody) -> str:
    text = _json({"task": task.value, "body": body.model_dump(mode="json")})
    return hashlib.sha256(text.encode()).hexdigest()


def _json(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


LOST_AFTER = timedelta(seconds=30)
"""The function that wrote the item has ended by then, one way or the other: API Gateway waits no longer."""


def start_if_lost(item: Item, effects: ServiceEffects) -> None:
    """Start the workflow of a request that has been `queued` for longer than a start can take.

    Raises
    ------
    UnavailableError
        If it cannot be started now: the caller looks again.
    """
    if item[Attribute.STATUS.value] != Status.QUEUED.value:
        return
    if effects.now() - parse_iso8601(item[Attribute.CREATED_AT.value]) < LOST_AFTER:
        return
    effects.workflows.start(
        Task(item[Attribute.TASK.value]), item[Attribute.SK.value], item[Attribute.INPUT.value]
    )
