"""Explanations of models: attributions summed up and compared, and bias metrics. Pure functions."""
