"""Every key of Clarify's analysis configuration: which ones this job honours, and why it refuses the others.

The keys are those of `ANALYSIS_CONFIG_SCHEMA_V1_0` in `sagemaker.clarify`; a test compares the two.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.core.errors import InvalidInputError

CSV, JSONLINES, JSON = "text/csv", "application/jsonlines", "application/json"

HONOURED: Mapping[str, tuple[str, ...]] = {
    "": (
        *("version", "dataset_type", "headers", "label", "predicted_label", "label_values_or_threshold"),
        *("facet", "group_variable", "probability_threshold", "excluded_columns"),
        *("joinsource_name_or_index", "methods", "predictor"),
    ),
    "facet": ("name_or_index", "value_or_threshold"),
    "methods": ("shap", "pdp", "pre_training_bias", "post_training_bias", "report"),
    "methods.shap": (
        *("baseline", "num_clusters", "num_samples", "agg_method", "use_logit", "seed"),
        "save_local_shap_values",
    ),
    "methods.pdp": ("grid_resolution", "features", "top_k_features"),
    "methods.pre_training_bias": ("methods",),
    "methods.post_training_bias": ("methods",),
    "methods.report": ("name", "title"),
    "predictor": (
        *("endpoint_name", "endpoint_name_prefix", "model_name", "target_model", "instance_type"),
        *("initial_instance_count", "content_type", "accept_type", "label", "probability", "label_headers"),
        *("content_template", "record_template", "custom_attributes"),
    ),
}
"""By section; the empty name is the document itself."""

_ONLY_CSV = "this job reads text/csv only"
_OTHER_FILE = "this job reads one data set: add the column to it, and name it in {}"
REFUSED: Mapping[str, str] = {
    "dataset_uri": "this job reads its input channel `data`: give the data set there",
    "features": f"it locates features in JSON, and {_ONLY_CSV}",
    "facet_dataset_uri": _OTHER_FILE.format("`facet` and `excluded_columns`"),
    "facet_headers": _OTHER_FILE.format("`facet` and `excluded_columns`"),
    "predicted_label_dataset_uri": _OTHER_FILE.format("`predicted_label`"),
    "predicted_label_headers": _OTHER_FILE.format("`predicted_label`"),
    "segment_config": "metrics by segment are not computed: run the job on each segment's rows",
    "time_series_data_config": "explanations of forecasts are not computed",
    "methods.asymmetric_shapley_value": "explanations of forecasts are not computed",
    "methods.shap.text_config": "explanations of text are not computed; a column of categories is",
    "methods.shap.image_config": "explanations of images are not computed",
    "methods.shap.features_to_explain": "the values of some features do not add up to the prediction: all "
    "are explained; take the columns that you need from explanations_shap/out.csv",
    "predictor.accelerator_type": "AWS no longer sells Elastic Inference: choose an `instance_type`",
    "predictor.time_series_predictor_config": "explanations of forecasts are not computed",
}
"""By path, with the reason."""


@dataclass
class Problems:
    """What is wrong with a configuration: all of it is reported at once."""

    found: list[str] = field(default_factory=list)

    def add(self, key: str, message: str) -> None:
        """Note a problem."""
        self.found.append(f"{key}: {message}")

    def raise_if_any(self) -> None:
        """Raise what was noted.

        Raises
        ------
        InvalidInputError
            Reason `analysis_config`.
        """
        if self.found:
            raise InvalidInputError(
                f"analysis_config.json: {'; '.join(self.found)}", reason="analysis_config"
            )


def check_keys(section: str, document: Mapping[str, Any], problems: Problems) -> None:
    """Note the keys of a section that are not honoured: why, or what the nearest known one is."""
    honoured = HONOURED[section]
    for key in document:
        path = f"{section}.{key}" if section else key
        if key in honoured:
            continue
        if path in REFUSED:
            problems.add(path, f"not supported: {REFUSED[path]}")
        else:
            problems.add(path, f"unknown key; {_nearest(key, honoured)}")


def _nearest(key: str, allowed: Collection[str]) -> str:
    near = difflib.get_close_matches(key, allowed, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}"


def shown(value: Any) -> str:
    """Return a value as it stands in the file, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
