"""What explanations cost beside shap's own, and how exact they are."""
