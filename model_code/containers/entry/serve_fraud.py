"""Script mode's serving entry: ego rows in, probabilities of fraud and reasons out."""

from containers.fraud.serve import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
