"""Serves the regressor in the SKLearn image: rows in, one prediction a row, in order.

A row is a line of `text/csv` with the features in the plan's order, an instance of `application/json`
(`{"instances": [...]}`), or a line of `application/jsonlines`. An instance is an object with a value by
feature name, or with `features`, the list of a CSV line's cells. The answer is
`{"predictions":[{"score":…},…]}` (`application/json`, as SageMaker's own regressors answer), one
`{"score":…}` a line (`application/jsonlines`), or one number a line (`text/csv`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from containers.regression.estimator import Regressor, load_regressor
from containers.runtime.requests import (
    CSV,
    JSON,
    JSONLINES,
    Instances,
    Refusal,
    ServerContext,
    accepted,
    read_instances,
    refuse,
)
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import Features, cells_of, features_of
from watchkeeper.telemetry.rows import naming_record

input_fn = read_instances


def model_fn(model_dir: str) -> Regressor:
    """Load the model; a mismatch of its manifest keeps the endpoint from starting."""
    return load_regressor(Path(model_dir))


def predict_fn(instances: Instances | Refusal, model: Regressor) -> list[float] | Refusal:
    """Return the prediction of each instance; the pipeline gets them with their column names."""
    if isinstance(instances, Refusal):
        return instances
    try:
        predictions: list[float] = model.predict(_rows(instances, model.plan)).tolist()
    except InvalidInputError as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))
    return predictions


def output_fn(prediction: list[float] | Refusal, accept: str, context: ServerContext | None = None) -> Any:
    """Return the answer's body and content type, or the framework's own way of refusing a request."""
    if isinstance(prediction, Refusal):
        return refuse(prediction, context)
    kind = accepted(accept, _WRITERS, default=JSON)
    if kind is None:
        return refuse(
            Refusal(
                HTTPStatus.NOT_ACCEPTABLE, f"accept {accept!r} is not supported; use {', '.join(_WRITERS)}"
            ),
            context,
        )
    return _WRITERS[kind](prediction), kind


def _rows(instances: Instances, plan: RegressionPlan) -> list[Features]:
    rows = []
    for number, instance in enumerate(instances, start=1):
        with naming_record(number):
            rows.append(features_of(cells_of(instance, plan), plan))
    return rows


def _json(predictions: list[float]) -> str:
    answers = [{"score": prediction} for prediction in predictions]
    return json.dumps({"predictions": answers}, separators=(",", ":"), allow_nan=False)


def _jsonlines(predictions: list[float]) -> str:
    # No newline at the end: batch transform joins the answers of its batches with one.
    return "\n".join(
        json.dumps({"score": prediction}, separators=(",", ":"), allow_nan=False)
        for prediction in predictions
    )


def _csv(predictions: list[float]) -> str:
    return "\n".join(map(repr, predictions))


_WRITERS: dict[str, Callable[[list[float]], str]] = {JSON: _json, JSONLINES: _jsonlines, CSV: _csv}
