"""Script mode's serving entry: rows in, predictions out."""

from containers.regression.serve import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
