"""Features in the order of their importance, and in words how each acts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.io.dataset import Dataset, is_number
from containers.explain.report.numbers import number, percent
from containers.explain.shap.analysis import ShapAnalysis

CLEAR_RANK_CORRELATION = 0.5


@dataclass(frozen=True)
class Importance:
    """A feature of the report."""

    feature: str
    position: int
    """Among the data set's features."""
    importance: float
    mean_absolute: float
    share: float
    """Of the sum of all features' mean absolute SHAP values."""
    direction: str

    @property
    def text(self) -> str:
        """The importance."""
        return number(self.importance)

    @property
    def share_text(self) -> str:
        """The share."""
        return percent(self.share)


def importances(dataset: Dataset, shap: ShapAnalysis, output: int) -> list[Importance]:
    """Return the features, the most important first."""
    values = shap.attribution.values[:, :, output]
    mean_absolute = np.abs(values).mean(axis=0)
    total = float(mean_absolute.sum()) or 1.0
    order = np.argsort(-np.abs(shap.importance[:, output]), kind="stable")
    return [
        Importance(
            feature=dataset.features[index],
            position=int(index),
            importance=float(shap.importance[index, output]),
            mean_absolute=float(mean_absolute[index]),
            share=float(mean_absolute[index]) / total,
            direction=_direction(dataset.table[dataset.features[index]], values[:, index]),
        )
        for index in order
    ]


def _direction(column: pd.Series, values: NDArray[np.float64]) -> str:
    if not np.any(values):
        return "does not act"
    if is_number(column):
        table = pd.DataFrame({"value": column, "shap": values}).dropna()
        if table["value"].nunique() < 2:
            return "has one value"
        ranks = table.rank()
        correlation = float(ranks["value"].corr(ranks["shap"]))
        if correlation > CLEAR_RANK_CORRELATION:
            return "higher values raise the prediction"
        if correlation < -CLEAR_RANK_CORRELATION:
            return "higher values lower the prediction"
        return "depends on its value and on other features"
    means = pd.Series(values).groupby(column.fillna("missing").to_numpy()).mean().sort_values()
    if len(means) == 1:
        return "has one value"
    (lowest, low), *_, (highest, high) = means.items()
    return f"{highest} highest ({number(high, signed=True)}), {lowest} lowest ({number(low, signed=True)})"
