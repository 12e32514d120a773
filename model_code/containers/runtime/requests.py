"""The requests of the serving containers (`watchkeeper.telemetry.payloads`), and how they are refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.csv_rows import DELIMITERS
from watchkeeper.telemetry.payloads import CSV, JSON, JSONLINES, Instance, read_payload

Instances = list[Instance]
"""Records of a request."""

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
    payload = body.encode() if isinstance(body, str) else body or b""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the payload has {len(payload)} bytes, the limit is {MAX_PAYLOAD_BYTES}: send fewer records",
        )
    try:
        instances = read_payload(payload, content_type)
    except InvalidInputError as error:
        unsupported = error.reason == "unsupported_content_type"
        return Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE if unsupported else HTTPStatus.BAD_REQUEST, str(error)
        )
    return instances or Refusal(HTTPStatus.BAD_REQUEST, "the payload has no record")


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
            hint = _hint(instances[0]) if str(error).startswith("record 1:") else ""
            return Refusal(HTTPStatus.BAD_REQUEST, f"{error}{hint}")

    return predict_fn


def answering(
    answer: Callable[[Predicted, str, ServerContext | None], Any],
) -> Callable[..., Any]:
    """Return an `output_fn`: a refused request is answered in the framework's own way of refusing."""

    def output_fn(prediction: Predicted | Refusal, accept: str, context: ServerContext | None = None) -> Any:
        if isinstance(prediction, Refusal):
            return refuse(prediction, context)
        return answer(prediction, accept, context)

    return output_fn


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
        Whether `text/csv` is answered with the scores alone, one a line. Otherwise it is answered with JSON,
        as SageMaker's Random Cut Forest does, so that a client need not know which detector serves.
    """
    kind = accepted(accept, (JSON, JSONLINES, CSV), default=JSON)
    if kind is None:
        text = f"accept {accept!r} is not supported; use {JSON}, {JSONLINES}{f', {CSV}' if csv else ''}"
        return refuse(Refusal(HTTPStatus.NOT_ACCEPTABLE, text), context)
    if kind == JSON or (kind == CSV and not csv):
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


def _hint(instance: Instance) -> str:
    """Return what a first line that is refused may be meant as."""
    cells = [] if isinstance(instance, Mapping) else [str(cell).strip() for cell in instance]
    if len(cells) == 1 and any(delimiter in cells[0] for delimiter in DELIMITERS):
        return ". Cells are separated by commas"
    if cells and all(cell[:1].isalpha() for cell in cells):
        return ". Is it a header line? A request has rows only"
    return ""
