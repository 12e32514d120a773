"""Files that the job leaves, in the forms in which Clarify writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from containers.explain.bias.analysis import BiasAnalysis, FacetBias
from containers.explain.io.dataset import Dataset
from containers.explain.measures.bias import BiasMetric
from containers.explain.shap.analysis import ShapAnalysis
from containers.explain.shap.partial_dependence import PartialDependence
from watchkeeper.telemetry.cells import inert_text

VERSION = "1.0"
ANALYSIS, LOCAL, BASELINE = "analysis.json", "explanations_shap/out.csv", "explanations_shap/baseline.csv"


def output_names(n_outputs: int, headers: Sequence[str | int] | None) -> list[str]:
    """Return the names of the model's scores: the configured ones, or `label0` and so on."""
    if headers is not None and len(headers) == n_outputs:
        return [str(header) for header in headers]
    return [f"label{index}" for index in range(n_outputs)]


def analysis_document(
    dataset: Dataset,
    labels: Sequence[str],
    shap: ShapAnalysis | None,
    dependence: Sequence[PartialDependence],
    bias: BiasAnalysis | None,
) -> dict[str, Any]:
    """Return `analysis.json`."""
    document: dict[str, Any] = {"version": VERSION}
    explanations: dict[str, Any] = {}
    if shap is not None:
        explanations["kernel_shap"] = {
            label: {
                "global_shap_values": dict(
                    zip(dataset.features, shap.importance[:, index].tolist(), strict=True)
                ),
                "expected_value": float(shap.attribution.expected[index]),
            }
            for index, label in enumerate(labels)
        }
    if dependence:
        explanations["pdp"] = [item.to_dict() for item in dependence]
    if explanations:
        document["explanations"] = explanations
    if bias is not None:
        for section in ("pre_training", "post_training"):
            facets = _facets(bias.facets, section)
            if facets:
                document[f"{section}_bias_metrics"] = {
                    "label": bias.favourable.name,
                    "label_value_or_threshold": bias.favourable.text,
                    "facets": facets,
                }
    return document


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document; an infinite number as text, since JSON has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_finite(document), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_local_values(path: Path, dataset: Dataset, labels: Sequence[str], shap: ShapAnalysis) -> None:
    """Write the SHAP values of each row, in the order of the data set: a column `FEATURE_LABEL` for each."""
    columns = {}
    if dataset.join_source is not None:
        columns[dataset.join_source] = dataset.table[dataset.join_source].to_numpy()
    for index, label in enumerate(labels):
        for position, feature in enumerate(dataset.features):
            columns[f"{feature}_{label}"] = shap.attribution.values[:, position, index]
    _write_csv(path, pd.DataFrame(columns))


def write_baseline(path: Path, shap: ShapAnalysis) -> None:
    """Write the baseline; as `methods.shap.baseline` of another run it gives the same values."""
    _write_csv(path, shap.baseline)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.rename(columns=inert_text).to_csv(
        path, index=False, lineterminator="\n"
    )  # numbers are written so that they read back the same


def _facets(facets: Sequence[FacetBias], section: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for facet in facets:
        metrics: list[BiasMetric] | None = getattr(facet, section)
        if metrics is not None:
            found.setdefault(facet.group.name, []).append(
                {"value_or_threshold": facet.group.text, "metrics": [_metric(metric) for metric in metrics]}
            )
    return found


def _metric(metric: BiasMetric) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": metric.name,
        "description": metric.description,
        "value": metric.value,
    }
    return document if metric.error is None else {**document, "error": metric.error}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        return _finite(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
