"""SHAP values by the exact tree method or the kernel method, and partial dependence.

They take tables and functions that predict: which model that is, and where it comes from, is in `io`.
"""
