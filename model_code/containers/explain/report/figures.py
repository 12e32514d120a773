"""Figures of the report: what of an analysis is drawn, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.io.dataset import is_number
from containers.explain.measures.attribution import AggregationMethod
from containers.explain.report.importance import Importance
from containers.explain.report.numbers import cell, number
from containers.explain.shap.partial_dependence import PartialDependence
from watchkeeper.charts.attribution import draw_beeswarm, draw_dependence, draw_steps
from watchkeeper.charts.quality import draw_bars

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from containers.explain.report.words import Example

MAX_FEATURES = 15
MAX_BARS = 9
_MEASURES = {
    "mean_abs": "mean |SHAP value|, in {}",
    "median": "median SHAP value, in {}",
    "mean_sq": "mean squared SHAP value, in {} squared",
}


def importance_bars(found: Sequence[Importance], method: AggregationMethod, unit: str) -> Figure:
    """Draw a bar for each feature."""
    shown = found[:MAX_FEATURES]
    return draw_bars(
        [item.feature for item in shown],
        [item.importance for item in shown],
        [item.text for item in shown],
        _MEASURES[method].format(unit),
    )


def beeswarm(
    found: Sequence[Importance], rows: pd.DataFrame, values: NDArray[np.float64], unit: str
) -> Figure:
    """Draw a dot for each row and feature."""
    shown = found[:MAX_FEATURES]
    columns = [rows[item.feature] for item in shown]
    return draw_beeswarm(
        [item.feature for item in shown],
        [column.to_numpy(dtype=np.float64) if is_number(column) else None for column in columns],
        [values[:, item.position] for item in shown],
        f"SHAP value, in {unit}",
    )


def example_steps(example: Example, unit: str) -> Figure:
    """Draw one prediction as steps from the baseline's prediction to its own: the largest are told apart."""
    order = np.argsort(-np.abs(example.values), kind="stable")
    steps = [
        (f"{example.features[index]} = {cell(example.cells[index])}", float(example.values[index]))
        for index in order[:MAX_BARS]
    ]
    rest = order[MAX_BARS:]
    if len(rest):
        steps.append((f"{len(rest)} other features", float(sum(example.values[index] for index in rest))))
    return draw_steps(
        f"Example {example.row}: prediction {number(example.score)}",
        [(name, size, number(size, signed=True)) for name, size in steps],
        (example.expected, f"baseline {number(example.expected)}"),
        f"prediction, in {unit}",
    )


def dependence(item: PartialDependence, labels: Sequence[str]) -> Figure:
    """Draw the mean prediction at each value, and how many rows have such a value."""
    places: list[float | str] = [float(value) if item.numerical else str(value) for value in item.values]
    lines = {label: item.scores[:, index] for index, label in enumerate(labels)}
    return draw_dependence(item.feature, places, lines, item.distribution)
