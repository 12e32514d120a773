"""Serves a model of the service in the SKLearn image: feature vectors in, one anomaly_score a row, in order.

A line of `text/csv` has the numbers of the model's columns in their order; an instance of JSON is
`{"features": […]}`. An empty cell is a missing value, and its row scores 0. The answer is that of
`containers.anomaly.serve_detector`, so that a model of the service can stand behind a workload's
preprocessor. A
streaming detector scores each row of a request as the one that follows its training rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.runtime.requests import (
    Instances,
    ServerContext,
    answering,
    predicting,
    read_instances,
    written,
)
from containers.service.artifact import ServiceModel, load_model
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.scorer import scorer_of
from watchkeeper.telemetry.cells import is_missing, parse_number
from watchkeeper.telemetry.payloads import Instance, read_each

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]

input_fn = read_instances


def model_fn(model_dir: str) -> ServiceModel:
    """Load the model."""
    return load_model(Path(model_dir))


@predicting
def predict_fn(instances: Instances, model: ServiceModel) -> list[float]:
    """Return the score of each vector."""
    columns = model.manifest.columns
    rows = read_each(instances, lambda instance: _vector(instance, columns))
    values: npt.NDArray[np.float64] = np.array(rows)
    scores: list[float] = scorer_of(model.detector)(values, None).anomaly_score.tolist()
    return scores


@answering
def output_fn(scores: list[float], accept: str, context: ServerContext | None) -> Any:
    """Return the answer's body and content type."""
    return written([{"score": score} for score in scores], accept, context)


def _vector(instance: Instance, columns: Sequence[str]) -> list[float]:
    cells = [] if isinstance(instance, Mapping) else instance
    if len(cells) != len(columns):
        raise InvalidInputError(
            f"{len(cells)} cells; the model takes {', '.join(columns)}, as a line of CSV or as the list "
            "'features'"
        )
    return [
        np.nan if is_missing(cell) else parse_number(cell, f"column {name!r}")
        for name, cell in zip(columns, cells, strict=True)
    ]
