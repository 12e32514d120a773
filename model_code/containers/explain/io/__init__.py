"""What the explain job is told and reads: configuration, tables, and the model, in process or behind an
endpoint.

What it computes is in `measures`, `shap` and `bias`; what it writes in `report`.
"""
