"""The requests of the serving containers, and how they are refused.

A row of telemetry is a line of `text/csv`, an instance of `application/json` (`{"instances": [...]}`), or a
line of `application/jsonlines`. An instance is an object with `timestamp`, `value` and, where needed,
`series` and `lags`; or with `features`, the list of a CSV line's cells.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from watchkeeper.core.errors import InvalidInputError

CSV = "text/csv"
JSON = "application/json"
JSONLINES = "application/jsonlines"
Instances = list[str | dict[str, Any]]
"""Records of a request: lines of CSV, or objects."""

MAX_PAYLOAD_BYTES = 6 * 1024**2

_ANYTHING = ("", "*/*", "application/*")
_FIELDS = frozenset({"timestamp", "series", "value", "lags"})


@dataclass(frozen=True)
class Refusal:
    """A bad request. It travels through the serving functions as a value.

    The image wraps every exception of these functions in one of its own, which becomes 500; only what
    `output_fn` gives back decides the status.
    """

    status: HTTPStatus
    message: str


def read_lines(body: str | bytes | None, content_type: str) -> list[str] | Refusal:
    """Return the request's telemetry rows as CSV lines."""
    instances = read_instances(body, content_type)
    if isinstance(instances, Refusal):
        return instances
    try:
        return [_line(instance, number) for number, instance in enumerate(instances, start=1)]
    except InvalidInputError as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))


def read_instances(body: str | bytes | None, content_type: str) -> Instances | Refusal:
    """Return the request's records: the lines of CSV, or the objects of JSON; at least one."""
    text = body.encode() if isinstance(body, str) else body or b""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in _READERS:
        return Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"content type {content_type!r} is not supported; use {', '.join(_READERS)}",
        )
    if len(text) > MAX_PAYLOAD_BYTES:
        return Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the payload has {len(text)} bytes, the limit is {MAX_PAYLOAD_BYTES}: send fewer records",
        )
    try:
        instances = _READERS[kind](text.decode("utf-8-sig"))
    except InvalidInputError as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))
    except (UnicodeDecodeError, RecursionError) as error:
        return Refusal(HTTPStatus.BAD_REQUEST, f"the payload cannot be read: {error}")
    return instances or Refusal(HTTPStatus.BAD_REQUEST, "the payload has no record")


def accepted(accept: str, offered: Iterable[str], *, default: str) -> str | None:
    """Return the first content type of an `Accept` header that is offered; None if none is.

    Parameters
    ----------
    default
        What is meant by no header, or by one that takes anything.
    """
    for kind in (accept or "").split(","):
        wanted = kind.partition(";")[0].strip().lower()
        if wanted in _ANYTHING:
            return default
        if wanted in offered:
            return wanted
    return None


def refuse(refusal: Refusal) -> Any:
    """Return what makes the framework answer with a refusal's status and message."""
    # The image serves one model with Flask; its multi-model server, and others, with sagemaker-inference.
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return flask.Response(refusal.message, status=int(refusal.status), mimetype="text/plain")
    from sagemaker_inference.errors import BaseInferenceToolkitError

    raise BaseInferenceToolkitError(int(refusal.status), refusal.message, refusal.message)


def _csv(text: str) -> Instances:
    return list(_lines(text))


def _lines(text: str) -> list[str]:
    text = text.rstrip("\r\n")
    return text.split("\n") if text else []


def _json(text: str) -> Instances:
    document = _parse(text, "the payload")
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        raise InvalidInputError('the payload must be an object {"instances": [...]}')
    return [_object(instance, number) for number, instance in enumerate(instances, start=1)]


def _jsonlines(text: str) -> Instances:
    return [
        _object(_parse(line, f"record {number}"), number) for number, line in enumerate(_lines(text), start=1)
    ]


def _object(instance: Any, number: int) -> dict[str, Any]:
    if not isinstance(instance, dict):
        raise InvalidInputError(f"record {number} is not an object")
    return instance


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"{where} is not JSON: {error}") from error


def _line(instance: str | dict[str, Any], number: int) -> str:
    if isinstance(instance, str):
        return instance
    if "features" in instance:
        cells = instance["features"]
    else:
        unknown = sorted(set(instance) - _FIELDS)
        absent = sorted({"timestamp", "value"} - set(instance))
        if unknown or absent:
            wrong = f"unknown field {unknown[0]!r}" if unknown else f"no field {absent[0]!r}"
            raise InvalidInputError(f"record {number}: {wrong}; a record has {', '.join(sorted(_FIELDS))}")
        series = [instance["series"]] if instance.get("series") is not None else []
        lags = instance.get("lags", [])
        cells = [
            instance["timestamp"],
            *series,
            instance["value"],
            *(lags if isinstance(lags, list) else [lags]),
        ]
    if not isinstance(cells, list):
        raise InvalidInputError(f"record {number}: 'features' is not a list")
    return ",".join(_cell(cell, number) for cell in cells)


def _cell(cell: Any, number: int) -> str:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise InvalidInputError(f"record {number}: {cell!r} is neither a number nor text")
    text = str(cell)
    if any(separator in text for separator in ",\r\n"):
        raise InvalidInputError(f"record {number}: {cell!r} has a comma or a line break")
    return text


_READERS: dict[str, Callable[[str], Instances]] = {CSV: _csv, JSON: _json, JSONLINES: _jsonlines}
