"""Explanations of models: attributions summed up and compared, and bias metrics. Pure functions.

Which rows and groups they are asked about is in `bias` and `shap`, how they are told in `report`.
"""
