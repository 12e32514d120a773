"""Serves the streaming detector in the SKLearn image: rows in, one anomaly_score a row, in order.

Requests are those of `containers.requests`. Lags beyond the model's context are not looked at, so that a
model goes on serving when the workload's newer plan has longer rows. The answer is
`{"scores":[{"score":…},…]}` (`application/json`), or one `{"score":…}` a line (`application/jsonlines`).
"""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from containers.replay import ReplayScorer
from containers.requests import JSON, JSONLINES, Refusal, accepted, read_lines, refuse
from containers.snapshots import load_snapshots
from watchkeeper.errors import InvalidInputError
from watchkeeper.rows import parse_rows

input_fn = read_lines


def model_fn(model_dir: str) -> ReplayScorer:
    """Load the model; a mismatch of its manifest keeps the endpoint from starting."""
    snapshots, plan = load_snapshots(Path(model_dir))
    return ReplayScorer(snapshots, interval_seconds=plan.interval_seconds, context=plan.features.shingle)


def predict_fn(lines: list[str] | Refusal, model: ReplayScorer) -> list[float] | Refusal:
    """Return the score of each row."""
    if isinstance(lines, Refusal):
        return lines
    try:
        return model.score(list(parse_rows(lines)))
    except InvalidInputError as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))


def output_fn(prediction: list[float] | Refusal, accept: str) -> Any:
    """Return the answer's body and content type, or the framework's own way of refusing a request."""
    if isinstance(prediction, Refusal):
        return refuse(prediction)
    answers = [{"score": score} for score in prediction]
    kind = accepted(accept, (JSON, JSONLINES), default=JSON)
    if kind == JSON:
        return json.dumps({"scores": answers}, separators=(",", ":"), allow_nan=False), JSON
    if kind == JSONLINES:
        # No newline at the end: batch transform joins the answers of its batches with one.
        lines = (json.dumps(answer, separators=(",", ":"), allow_nan=False) for answer in answers)
        return "\n".join(lines), JSONLINES
    return refuse(
        Refusal(HTTPStatus.NOT_ACCEPTABLE, f"accept {accept!r} is not supported; use {JSON} or {JSONLINES}")
    )
