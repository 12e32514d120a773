"""Which operation of which service an HTTP request is, and its parameters."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import botocore.session

from localcloud.authorization.needs import UnknownNeedError

Query = Mapping[str, list[str]]

# Names of ministack's router that IAM and botocore do not have.
_IAM_NAMES = {"monitoring": "cloudwatch", "dynamodbstreams": "dynamodb", "iot-data": "iot"}
_MODELS = {"apigateway": "apigatewayv2", "states": "stepfunctions"}
_ENDPOINT = re.compile(r"/endpoints/([^/]+)/(invocations|async-invocations)")
_SMITHY = re.compile(r"/service/[^/]+/operation/([^/]+)")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation and its parameters by the API's names."""

    service: str
    name: str
    parameters: Mapping[str, Any]


def operation_of(
    service: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    query: Query,
) -> Operation:
    """Read a request of any service but S3.

    Parameters
    ----------
    service
        As the router found it.
    query
        Parameters of the query string, and of a form in the body.

    Raises
    ------
    UnknownNeedError
        When it is no operation that AWS documents.
    """
    name = _IAM_NAMES.get(service, service)
    endpoint = _ENDPOINT.fullmatch(path)
    if endpoint:
        asynchronous = endpoint[2] == "async-invocations"
        operation = "InvokeEndpointAsync" if asynchronous else "InvokeEndpoint"
        return Operation("sagemaker", operation, {"EndpointName": unquote(endpoint[1])})
    target = headers.get("x-amz-target", "")
    if target:
        return Operation(name, target.rpartition(".")[2], _document(body))
    smithy = _SMITHY.fullmatch(path)
    if smithy:
        return Operation(name, smithy[1], _document(body))
    if "Action" in query:
        return Operation(name, query["Action"][0], _form(query))
    return _rest(service, name, method, path, body, query)


def needs_no_caller(service: str, operation: str) -> bool:
    """Whether an operation is for those without credentials, such as a user's sign-in."""
    try:
        model = _model(_MODELS.get(service, service)).operation_model(operation)
    except (botocore.exceptions.UnknownServiceError, botocore.model.OperationNotFoundError):
        return False
    return bool(model.auth_type == "none")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}  # the service itself refuses it
    return document if isinstance(document, dict) else {}


def _form(query: Query) -> dict[str, Any]:
    """Return the parameters of the query protocol; lists of texts (`Names.member.1`) as lists."""
    found: dict[str, Any] = {}
    for name, values in query.items():
        stem, member, _ = name.partition(".member.")
        if member and name.count(".") == 2:
            found.setdefault(stem, []).append(values[0])
        else:
            found[name] = values[0]
    return found


def _rest(service: str, name: str, method: str, path: str, body: bytes, query: Query) -> Operation:
    best: tuple[int, Operation] | None = None
    for route in _routes(_MODELS.get(service, service)):
        found = route.pattern.fullmatch(path.rstrip("/") or "/") if route.method == method else None
        if found is None or not all(query.get(key, [""])[0] == value for key, value in route.query.items()):
            continue
        weight = route.literals + len(route.query)
        if best is None or weight > best[0]:
            labels = dict(zip(route.labels, map(unquote, found.groups()), strict=True))
            best = weight, Operation(name, route.operation, {**_document(body), **labels})
    if best is None:
        raise UnknownNeedError(name, f"{method} {path}")
    return best[1]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    query: Mapping[str, str]
    literals: int
    operation: str


@functools.lru_cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@functools.lru_cache
def _routes(service: str) -> tuple[_Route, ...]:
    try:
        model = _model(service)
    except botocore.exceptions.UnknownServiceError:
        return ()
    return tuple(_route(model.operation_model(name)) for name in model.operation_names)


def _route(operation: Any) -> _Route:
    uri, _, fixed = operation.http["requestUri"].partition("?")
    parts: list[str] = re.split(r"\{([^}]+?)\+?\}", uri.rstrip("/") or "/")
    pattern = "".join("(.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    members = operation.input_shape.members if operation.input_shape else {}
    by_location = {shape.serialization.get("name", name): name for name, shape in members.items()}
    return _Route(
        method=operation.http["method"],
        pattern=re.compile(pattern),
        labels=tuple(by_location.get(label, label) for label in parts[1::2]),
        query=dict(pair.partition("=")[::2] for pair in fixed.split("&") if pair),
        literals=sum(bool(part) for part in re.sub(r"\{[^}]+\}", "", uri).split("/")),
        operation=operation.name,
    )
