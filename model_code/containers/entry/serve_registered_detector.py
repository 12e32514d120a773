"""Script mode's serving entry: rows in, scores of a model that the anomaly service trained out."""

from containers.service.serve_rows import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
