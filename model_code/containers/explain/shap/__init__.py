"""SHAP values by the exact tree method or the kernel method, and partial dependence."""
