"""Partial dependence: how the model's mean score moves when one feature is set for all rows alike.

References
----------
Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29(5), 2001.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.io.configuration import PartialDependenceSettings, resolve_column
from containers.explain.io.dataset import Dataset, is_number
from containers.explain.io.model import Model
from containers.explain.shap.analysis import ShapAnalysis
from watchkeeper.core.errors import InvalidInputError

MAX_CATEGORIES = 30


@dataclass(frozen=True)
class PartialDependence:
    """The mean score at each value of a feature."""

    feature: str
    numerical: bool
    values: list[Any]
    """Middles of the buckets of a number's range, or categories."""
    distribution: list[float]
    """Share of the rows in each; they add up to 1, missing cells aside."""
    scores: NDArray[np.float64]
    """Shape (n_values, n_outputs)."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as Clarify writes it: one list of predictions for each output."""
        return {
            "feature_name": self.feature,
            "data_type": "numerical" if self.numerical else "categorical",
            "feature_values": self.values,
            "data_distribution": self.distribution,
            "model_predictions": self.scores.T.tolist(),
        }


def analyse_dependence(
    settings: PartialDependenceSettings, dataset: Dataset, model: Model, shap: ShapAnalysis | None
) -> list[PartialDependence]:
    """Compute the dependence on the configured features, or on those with the largest SHAP values.

    Raises
    ------
    InvalidInputError
        If a configured column is none of the features.
    """
    if settings.features is not None:
        names = [resolve_column("methods.pdp.features", item, dataset.names) for item in settings.features]
        for name in names:
            if name not in dataset.features:
                raise InvalidInputError(f"methods.pdp.features: {name} is not given to the model")
    elif shap is not None:
        order = np.argsort(-np.abs(shap.importance).sum(axis=1), kind="stable")
        names = [dataset.features[index] for index in order[: settings.top_k_features]]
    else:
        names = []
    return [_dependence(name, dataset.rows, model, settings.grid_resolution) for name in names]


def _dependence(name: str, rows: pd.DataFrame, model: Model, resolution: int) -> PartialDependence:
    column = rows[name]
    present = column.dropna()
    if is_number(column) and present.nunique() > 1:
        counts, edges = np.histogram(present.to_numpy(dtype=np.float64), bins=resolution)
        values: list[Any] = ((edges[:-1] + edges[1:]) / 2.0).tolist()
        shares = (counts / len(rows)).tolist()
    else:
        frequent = present.value_counts(normalize=False)[:MAX_CATEGORIES]
        values, shares = frequent.index.tolist(), (frequent / len(rows)).tolist()
    scores = _mean_scores(name, values, rows, model)
    return PartialDependence(name, is_number(column), values, shares, scores)


def _mean_scores(name: str, values: Sequence[Any], rows: pd.DataFrame, model: Model) -> NDArray[np.float64]:
    means = []
    for value in values:
        table = rows.copy()
        table[name] = value
        means.append(model.predict(table).scores.mean(axis=0))
    return np.array(means)
