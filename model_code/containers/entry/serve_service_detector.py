"""Script mode's serving entry: feature vectors in, scores out."""

from containers.service.serve import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
