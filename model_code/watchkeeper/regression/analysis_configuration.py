"""`analysis_config.json`: what the explain job is asked for, in the form of SageMaker Clarify.

The keys are those of "Analysis Configuration Files" in the SageMaker Developer Guide. Watchkeeper's own job
and Clarify's image take the same file. That of recent traffic is derived from the one of the training: same
method, same baseline.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.plan import BiasPlan, RegressionPlan, ShapPlan

BIAS_METHODS = ("pre_training_bias", "post_training_bias")
CSV = "text/csv"
FILE_NAME = "analysis_config.json"


def analysis_configuration(plan: RegressionPlan, *, model: str, instance_type: str) -> dict[str, Any]:
    """Return the configuration for a run's model.

    Parameters
    ----------
    model
        Name of the model in SageMaker, of which a shadow endpoint is made where the plan asks for one.
    instance_type
        Of the shadow endpoint.
    """
    explain = plan.explain
    bias = explain.bias
    configuration: dict[str, Any] = {
        "dataset_type": CSV,
        "headers": [plan.target, *plan.feature_names],
        "label": plan.target,
        "methods": {
            "shap": _shap(explain.shap),
            **(
                {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}
                if bias
                else {}
            ),
            "report": {"name": "report", "title": f"What {plan.workload} predicts {plan.target} from"},
        },
        "predictor": {"content_type": CSV, "accept_type": CSV},
    }
    if explain.predictor == "endpoint":
        configuration["predictor"] |= {
            "model_name": model,
            "instance_type": instance_type,
            "initial_instance_count": 1,
            "endpoint_name_prefix": layout.shadow_endpoint_prefix(plan.workload),
        }
    return configuration | (_bias(bias) if bias else {})


def _shap(shap: ShapPlan) -> dict[str, Any]:
    optional = {"num_samples": shap.num_samples, "seed": shap.seed, "num_clusters": shap.num_clusters}
    baseline: Any = shap.baseline_uri or [list(row) for row in shap.baseline_rows]
    return {
        **({"baseline": baseline} if baseline else {}),
        **{key: value for key, value in optional.items() if value is not None},
        "agg_method": shap.agg_method,
        "use_logit": shap.use_logit,
        "save_local_shap_values": shap.save_local_shap_values,
    }


def _bias(bias: BiasPlan) -> dict[str, Any]:
    return {
        "label_values_or_threshold": [bias.label_threshold],
        "facet": [{"name_or_index": bias.facet, "value_or_threshold": list(bias.facet_values_or_threshold)}],
        **({"group_variable": bias.group} if bias.group else {}),
    }


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
