"""Script mode's serving entry: rows in, scores out."""

from containers.anomaly.serve_detector import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
