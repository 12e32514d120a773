"""The analysis of recent traffic, derived from the one of the training: same method, same baseline."""

from __future__ import annotations

from typing import Any

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.plan import RegressionPlan


def drift_configuration(
    training: dict[str, Any], plan: RegressionPlan, *, baseline_uri: str
) -> dict[str, Any]:
    """Return the `analysis_config.json` by which rows without a target are explained as the training's were.

    Parameters
    ----------
    training
        `analysis_config.json` of the training run.
    plan
        The run's.
    baseline_uri
        The baseline that the training's analysis used: what a feature is compared with must not move with
        the traffic.

    Raises
    ------
    ContractViolationError
        If the training's analysis had no SHAP values.
    """
    shap = dict(training.get("methods", {}).get("shap") or {})
    if not shap:
        raise ContractViolationError("the analysis of the training run had no SHAP values")
    shap.pop("num_clusters", None)
    predictor = training.get("predictor", {})
    return {
        "dataset_type": training["dataset_type"],
        "headers": list(plan.feature_names),
        "methods": {"shap": {**shap, "baseline": baseline_uri, "save_local_shap_values": False}},
        "predictor": {
            key: predictor[key] for key in ("content_type", "accept_type", "label") if key in predictor
        },
    }
