"""Serves a model of the service to a streaming workload: rows in, one anomaly_score a row, in order.

Requests and answers are those of `containers.anomaly.serve_detector`.
"""

from __future__ import annotations

from pathlib import Path

from containers.anomaly import serve_detector
from containers.anomaly.serve_detector import RowScorer, input_fn, output_fn, predict_fn
from containers.anomaly.snapshots import SNAPSHOTS_NAME
from containers.service.adoption import load_table_scorer

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]


def model_fn(model_dir: str) -> RowScorer:
    """Load the model; a mismatch of its manifest keeps the endpoint from starting."""
    if (Path(model_dir) / SNAPSHOTS_NAME).exists():
        return serve_detector.model_fn(model_dir)
    return load_table_scorer(Path(model_dir))
