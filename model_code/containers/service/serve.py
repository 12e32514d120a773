"""Serves a model of the service in the SKLearn image: feature vectors in, one anomaly_score a row, in order.

A line of `text/csv` has the numbers of the model's columns in their order; an instance of JSON is
`{"features": […]}`. An empty cell is a missing value, and its row scores 0. The answer is that of
`containers.anomaly.serve_detector`, so that a model of the service can stand behind a workload's
preprocessor. A
streaming detector scores each row of a request as the one that follows its training rows.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.anomaly.serve_detector import written
from containers.runtime.requests import Refusal, read_lines, refuse
from containers.service.artifact import ServiceModel, load_model
from containers.service.detection import scorer_of
from containers.service.tables import Part

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]

input_fn = read_lines


def model_fn(model_dir: str) -> ServiceModel:
    """Load the model."""
    return load_model(Path(model_dir))


def predict_fn(lines: list[str] | Refusal, model: ServiceModel) -> list[float] | Refusal:
    """Return the score of each vector."""
    if isinstance(lines, Refusal):
        return lines
    columns = model.manifest.columns
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        cells = line.split(",")
        if len(cells) != len(columns):
            return _refused(number, f"{len(cells)} cells; the model takes {', '.join(columns)}")
        try:
            rows.append([float(cell) if cell.strip() else np.nan for cell in cells])
        except ValueError as error:
            return _refused(number, str(error))
    values: npt.NDArray[np.float64] = np.array(rows)
    if np.isinf(values).any():
        return _refused(int(np.isinf(values).any(axis=1).argmax()) + 1, "an infinite number")
    judge = scorer_of(model.detector)
    scores: list[float] = judge(Part(0, tuple(columns), values, None)).anomaly_score.tolist()
    return scores


def output_fn(scores: list[float] | Refusal, accept: str) -> Any:
    """Return the answer's body and content type, or the framework's own way of refusing a request."""
    if isinstance(scores, Refusal):
        return refuse(scores)
    return written([{"score": score} for score in scores], accept)


def _refused(record: int, why: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, f"record {record}: {why}")
