"""Script mode's serving entry: rows in, feature vectors out."""

from containers.anomaly.serve_preprocessor import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
