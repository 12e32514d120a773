"""The requests of the serving containers, and how they are refused.

A record is a line of `text/csv`, an instance of `application/json` (`{"instances": [...]}`), or a line of
`application/jsonlines`. An instance is an object whose fields the model names; or one with `features`, the
list of a CSV line's cells.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.rows import Instance, csv_records, instance_of, naming_record

CSV = "text/csv"
JSON = "application/json"
JSONLINES = "application/jsonlines"
Instances = list[Instance]
"""Records of a request."""

Record = TypeVar("Record")
Model = TypeVar("Model")
Predicted = TypeVar("Predicted")

MAX_PAYLOAD_BYTES = 6 * 1024**2

_ANYTHING = ("", "*/*", "application/*")


@dataclass(frozen=True)
class Refusal:
    """A bad request. It travels through the serving functions as a value.

    The image wraps every exception of these functions in one of its own, which becomes 500; only what
    `output_fn` gives back decides the status.
    """

    status: HTTPStatus
    message: str


class ServerContext(Protocol):
    """What sagemaker-inference lets a serving function say about its answer."""

    def set_response_status(self, code: int, phrase: str) -> None:
        """Set the status of the answer."""


def read_instances(body: str | bytes | None, content_type: str) -> Instances | Refusal:
    """Return the request's records, at least one."""
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
    except UnicodeDecodeError as error:
        return Refusal(
            HTTPStatus.BAD_REQUEST, f"the payload cannot be read: byte {error.start} is not text in UTF-8"
        )
    except RecursionError:
        return Refusal(HTTPStatus.BAD_REQUEST, "the payload cannot be read: nested too deeply")
    return instances or Refusal(HTTPStatus.BAD_REQUEST, "the payload has no record")


def read_each(records: Iterable[Any], read: Callable[[Any], Record]) -> list[Record]:
    """Read records; an error names its record, counting from 1."""
    found = []
    for number, record in enumerate(records, start=1):
        with naming_record(number):
            found.append(read(record))
    return found


def predicting(
    predict: Callable[[Instances, Model], Predicted],
) -> Callable[[Instances | Refusal, Model], Predicted | Refusal]:
    """Return a `predict_fn`: a refused request is passed on, and one with a wrong record refused."""

    def predict_fn(instances: Instances | Refusal, model: Model) -> Predicted | Refusal:
        if isinstance(instances, Refusal):
            return instances
        try:
            return predict(instances, model)
        except InvalidInputError as error:
            return Refusal(HTTPStatus.BAD_REQUEST, str(error))

    return predict_fn


def written(
    answers: Sequence[Mapping[str, Any]],
    accept: str,
    context: ServerContext | None,
    *,
    key: str = "scores",
    csv: bool = False,
) -> Any:
    """Return one answer a row as body and content type, or a refusal of what is not written.

    Parameters
    ----------
    key
        Of the answers in JSON.
    csv
        Whether the scores alone are written as CSV too, one a line.
    """
    offered = (JSON, JSONLINES, CSV) if csv else (JSON, JSONLINES)
    kind = accepted(accept, offered, default=JSON)
    if kind is None:
        text = f"accept {accept!r} is not supported; use {', '.join(offered)}"
        return refuse(Refusal(HTTPStatus.NOT_ACCEPTABLE, text), context)
    if kind == JSON:
        return json.dumps({key: answers}, separators=(",", ":"), allow_nan=False), JSON
    # No newline at the end: batch transform joins the answers of its batches with one.
    if kind == CSV:
        return "\n".join(repr(answer["score"]) for answer in answers), CSV
    lines = (json.dumps(answer, separators=(",", ":"), allow_nan=False) for answer in answers)
    return "\n".join(lines), JSONLINES


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


def refuse(refusal: Refusal, context: ServerContext | None) -> Any:
    """Return what makes the framework answer with a refusal's status and message, and nothing else.

    Parameters
    ----------
    context
        What sagemaker-inference gives to an `output_fn` that takes it; None in other frameworks.
    """
    # The image serves one model with Flask; its multi-model server, and others, with sagemaker-inference.
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return flask.Response(refusal.message, status=int(refusal.status), mimetype="text/plain")
    if context is not None:
        # an exception would do as well, but the framework answers it with its traceback
        context.set_response_status(int(refusal.status), refusal.status.phrase)
        return refusal.message, "text/plain"
    from sagemaker_inference.errors import BaseInferenceToolkitError

    raise BaseInferenceToolkitError(int(refusal.status), refusal.message, refusal.message)


def _csv(text: str) -> Instances:
    return list(csv_records(io.StringIO(text.rstrip("\r\n"), newline="")))


def _json(text: str) -> Instances:
    document = _parse(text)
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        raise InvalidInputError('the payload must be an object {"instances": [...]}')
    return read_each(instances, instance_of)


def _jsonlines(text: str) -> Instances:
    text = text.rstrip("\r\n")
    return read_each(text.split("\n") if text else [], lambda line: instance_of(_parse(line)))


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"not JSON (line {error.lineno}, column {error.colno})") from error


_READERS: dict[str, Callable[[str], Instances]] = {CSV: _csv, JSON: _json, JSONLINES: _jsonlines}
