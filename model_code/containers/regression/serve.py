"""Serves the regressor in the SKLearn image: rows in, one prediction a row, in order.

A row is a line of `text/csv` with the features in the plan's order, an instance of `application/json`
(`{"instances": [...]}`), or a line of `application/jsonlines`. An instance is an object with a value by
feature name, or with `features`, the list of a CSV line's cells. The answer is
`{"predictions":[{"score":…},…]}` (`application/json`, as SageMaker's own regressors answer), one
`{"score":…}` a line (`application/jsonlines`), or one number a line (`text/csv`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from containers.regression.estimator import Regressor, load_regressor
from containers.runtime.requests import (
    Instances,
    ServerContext,
    answering,
    predicting,
    read_instances,
    written,
)
from watchkeeper.regression.rows import cells_of, features_of
from watchkeeper.telemetry.payloads import read_each

input_fn = read_instances


def model_fn(model_dir: str) -> Regressor:
    """Load the model; a mismatch of its manifest keeps the endpoint from starting."""
    return load_regressor(Path(model_dir))


@predicting
def predict_fn(instances: Instances, model: Regressor) -> list[float]:
    """Return the prediction of each instance; the pipeline gets them with their column names."""
    plan = model.plan
    rows = read_each(instances, lambda instance: features_of(cells_of(instance, plan), plan))
    predictions: list[float] = model.predict(rows).tolist()
    return predictions


@answering
def output_fn(prediction: list[float], accept: str, context: ServerContext | None) -> Any:
    """Return the answer's body and content type."""
    return written([{"score": each} for each in prediction], accept, context, key="predictions", csv=True)
