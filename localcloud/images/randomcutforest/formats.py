"""Request and response formats of the built-in algorithm.

Every request is a sequence of records of `feature_dim` numbers; every answer has one score a record, in
order. Features and scores are 32-bit, as the algorithm's are, so a record has the same score whatever format
it came in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .recordio import MalformedRecordError, read_records, write_scores

CSV = "text/csv"
JSON = "application/json"
JSONLINES = "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"


class RequestError(ValueError):
    """A request that is refused: an HTTP status and a text that names the record."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def decode(body: bytes, content_type: str, feature_dim: int) -> NDArray[np.float32]:
    """Return the records of a request, of shape (n_records, feature_dim).

    Raises
    ------
    RequestError
        415 for an unknown content type; 400 for an empty body, a record that does not parse or has another
        width, and a value that is not finite. Records are counted from 1.
    """
    kind = media_type(content_type)
    if kind not in _DECODERS:
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"content type {content_type!r} is not supported; use {', '.join(_DECODERS)}",
        )
    rows: list[Any] = []
    try:
        rows.extend(_DECODERS[kind](body))
    except (MalformedRecordError, ValueError, TypeError, KeyError, RecursionError) as error:
        # The decoders are generators: the record that does not parse is the one after those that did.
        raise _unreadable(f"record {len(rows) + 1} does not parse: {_reason(error)}") from error
    if not rows:
        raise _unreadable("there is no record in it")
    for number, row in enumerate(rows, start=1):
        if len(row) != feature_dim:
            raise _unreadable(
                f"record {number} has {len(row)} features, the model has feature_dim={feature_dim}"
            )
    with np.errstate(over="ignore"):  # what is too large for 32 bits becomes infinite, and is refused
        records = np.array(rows, dtype=np.float64).astype(np.float32)
    finite = np.isfinite(records)
    if not finite.all():
        number, feature = (int(index) + 1 for index in np.argwhere(~finite)[0])
        raise _unreadable(f"record {number}, feature {feature} is not a finite 32-bit number")
    return records


def encode(scores: NDArray[np.float32], accept: str | None) -> tuple[bytes, str]:
    """Return the answer and its content type: the first acceptable one, JSON when nothing is asked for.

    The algorithm has no answer in CSV: asked for `text/csv`, AWS answers `{"scores":[{"score":0.90694374}]}`.

    Raises
    ------
    RequestError
        406 when no acceptable type can be given.
    """
    wanted = [media_type(part) for part in (accept or JSON).split(",")]
    for kind in wanted:
        if kind in ("*/*", "application/*", JSON, CSV):
            return json.dumps({"scores": [{"score": float(score)} for score in scores]}).encode(), JSON
        if kind == JSONLINES:
            return "\n".join(json.dumps({"score": float(score)}) for score in scores).encode(), JSONLINES
        if kind == RECORDIO:
            return write_scores(scores), RECORDIO
    raise RequestError(
        HTTPStatus.NOT_ACCEPTABLE, f"accept {accept!r} cannot be given; use {JSON}, {JSONLINES} or {RECORDIO}"
    )


def media_type(header: str) -> str:
    """A content type without its parameters."""
    return header.partition(";")[0].strip().lower()


def _csv(body: bytes) -> Iterable[list[float]]:
    for line in body.decode().splitlines():
        if line.strip():
            yield [float(cell) for cell in line.split(",")]


def _json(body: bytes) -> Iterable[list[float]]:
    for instance in json.loads(body)["instances"]:
        yield _features(instance)


def _jsonlines(body: bytes) -> Iterable[list[float]]:
    for line in body.decode().splitlines():
        if line.strip():
            yield _features(json.loads(line))


def _recordio(body: bytes) -> Iterable[NDArray[np.float64]]:
    for features, _ in read_records(body):
        yield features


def _features(instance: dict[str, Any]) -> list[float]:
    """Read `{"features": [...]}`, or the long form `{"data": {"features": {"values": [...]}}}`."""
    values = instance["features"] if "features" in instance else instance["data"]["features"]["values"]
    if not isinstance(values, list):
        raise TypeError("'features' must be a list of numbers")
    return [_number(value) for value in values]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{value!r} is too large") from error


def _reason(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _unreadable(message: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, f"unable to evaluate the payload provided: {message}")


_DECODERS: dict[str, Callable[[bytes], Iterable[Any]]] = {
    CSV: _csv,
    JSON: _json,
    JSONLINES: _jsonlines,
    RECORDIO: _recordio,
}
