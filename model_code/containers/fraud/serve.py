"""Serves the fraud model in the SKLearn image: ego rows in, one answer a row, in order.

A request is `application/x-npy` (what `numpy.save` writes of `EgoRows.to_flat`) or `text/csv` (a flat row a
line; an empty cell or `nan` is a missing value). An answer is `{"pred_prob": …, "model": "ensemble",
"threshold": …, "reasons": [what each relation adds to the log-odds], "moved": [[relation, place among its
latest, what that neighbour adds], …]}`: a line each (`application/jsonlines`), in `{"predictions": […]}`
(`application/json`), or the probabilities alone as `application/x-npy` or `text/csv`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.fraud.explain import Reasons, explain
from containers.fraud.model import FraudModel, load_model
from containers.runtime.requests import (
    MAX_PAYLOAD_BYTES,
    Refusal,
    ServerContext,
    accepted,
    answering,
    refuse,
    written,
)
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.ego import from_flat, shape_of
from watchkeeper.telemetry.payloads import CSV, JSON, JSONLINES

NPY = "application/x-npy"

Rows = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a request is answered with."""

    probabilities: NDArray[np.float64]
    model: FraudModel
    reasons: Sequence[Reasons]


def model_fn(model_dir: str) -> FraudModel:
    """Load the model; a mismatch of its manifest keeps the endpoint from starting."""
    return load_model(Path(model_dir))[0]


def input_fn(body: str | bytes | None, content_type: str) -> Rows | Refusal:
    """Return the request's flat rows, at least one."""
    payload = body.encode() if isinstance(body, str) else body or b""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the payload has {len(payload)} bytes, the limit is {MAX_PAYLOAD_BYTES}: send fewer rows",
        )
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (NPY, CSV):
        return Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content type {content_type!r}: send {NPY} or {CSV}"
        )
    try:
        rows = _read_npy(payload) if kind == NPY else _read_csv(payload)
    except (ValueError, EOFError) as error:
        return Refusal(HTTPStatus.BAD_REQUEST, f"the payload is not {kind}: {error}")
    return rows if len(rows) else Refusal(HTTPStatus.BAD_REQUEST, "the payload has no row")


def predict_fn(rows: Rows | Refusal, model: FraudModel) -> Answers | Refusal:
    """Return probabilities and reasons; a row of another width is refused."""
    if isinstance(rows, Refusal):
        return rows
    try:
        ego = from_flat(rows, shape_of(model.plan))
    except InvalidInputError as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))
    return Answers(model.probabilities(ego), model, explain(model, ego))


@answering
def output_fn(prediction: Answers, accept: str, context: ServerContext | None) -> Any:
    """Return the answer's body and content type."""
    kind = accepted(accept, (JSONLINES, JSON, NPY, CSV), default=JSONLINES)
    if kind is None:
        text = f"accept {accept!r} is not supported; use {JSONLINES}, {JSON}, {NPY}, {CSV}"
        return refuse(Refusal(HTTPStatus.NOT_ACCEPTABLE, text), context)
    if kind == NPY:
        content = io.BytesIO()
        np.save(content, prediction.probabilities, allow_pickle=False)
        return content.getvalue(), NPY
    if kind == CSV:
        return "\n".join(map(repr, prediction.probabilities.tolist())), CSV
    answers = [
        {
            "pred_prob": pred_prob,
            "model": prediction.model.choice,
            "threshold": prediction.model.threshold,
            "reasons": reasons.relations,
            "moved": reasons.moved,
        }
        for pred_prob, reasons in zip(prediction.probabilities.tolist(), prediction.reasons, strict=True)
    ]
    return written(answers, kind, context, key="predictions")


def _read_npy(payload: bytes) -> Rows:
    rows = np.load(io.BytesIO(payload), allow_pickle=False)
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.dtype.kind != "f":
        raise ValueError("expected one array of floats of shape (rows, numbers)")
    return rows


def _read_csv(payload: bytes) -> Rows:
    lines = [line for line in payload.decode().splitlines() if line.strip()]
    rows = [[float(cell or "nan") for cell in map(str.strip, line.split(","))] for line in lines]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise ValueError(f"lines have {min(widths)} to {max(widths)} cells")
    return np.array(rows, np.float64).reshape(len(rows), max(widths, default=0))
