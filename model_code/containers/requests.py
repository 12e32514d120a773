"""The requests of both serving containers, and how they are refused.

A row is a line of `text/csv`, an instance of `application/json` (`{"instances": [...]}`), or a line of
`application/jsonlines`. An instance is an object with `timestamp`, `value` and, where needed, `series` and
`lags`; or with `features`, the list of a CSV line's cells.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from watchkeeper.errors import InvalidInputError

CSV = "text/csv"
JSON = "application/json"
JSONLINES = "application/jsonlines"
MAX_PAYLOAD_BYTES = 6 * 1024**2

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
    """Return the request's rows as CSV lines."""
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
        lines = list(_READERS[kind](text.decode("utf-8-sig")))
    except InvalidInputError as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))
    except (UnicodeDecodeError, RecursionError) as error:
        return Refusal(HTTPStatus.BAD_REQUEST, f"the payload cannot be read: {error}")
    return lines or Refusal(HTTPStatus.BAD_REQUEST, "the payload has no record")


def refuse(refusal: Refusal) -> Any:
    """Return what makes the framework answer with a refusal's status and message."""
    # The image serves one model with Flask; its multi-model server, and others, with sagemaker-inference.
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return flask.Response(refusal.message, status=int(refusal.status), mimetype="text/plain")
    from sagemaker_inference.errors import BaseInferenceToolkitError

    raise BaseInferenceToolkitError(int(refusal.status), refusal.message, refusal.message)


def _lines(text: str) -> list[str]:
    text = text.rstrip("\r\n")
    return text.split("\n") if text else []


def _json(text: str) -> Iterable[str]:
    document = _parse(text, "the payload")
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        raise InvalidInputError('the payload must be an object {"instances": [...]}')
    return [_line(instance, number) for number, instance in enumerate(instances, start=1)]


def _jsonlines(text: str) -> Iterable[str]:
    for number, line in enumerate(_lines(text), start=1):
        yield _line(_parse(line, f"record {number}"), number)


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"{where} is not JSON: {error}") from error


def _line(instance: Any, number: int) -> str:
    if not isinstance(instance, dict):
        raise InvalidInputError(f"record {number} is not an object")
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


_READERS: dict[str, Callable[[str], Iterable[str]]] = {CSV: _lines, JSON: _json, JSONLINES: _jsonlines}
