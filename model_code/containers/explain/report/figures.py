"""Figures of the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from containers.explain.io.dataset import is_number
from containers.explain.measures.attribution import AggregationMethod
from containers.explain.report.importance import Importance
from containers.explain.report.numbers import cell, number
from containers.explain.shap.partial_dependence import PartialDependence
from watchkeeper.core.layout import short_hash

if TYPE_CHECKING:
    from containers.explain.report.words import Example

MAX_FEATURES = 15
MAX_BARS = 9
MAX_DOTS = 2_000
"""Rows of a beeswarm; more are thinned out evenly, by their order."""
_BLUE, _RED, _GREY, _INK = "#1f6fb2", "#d6453d", "#8a94a0", "#22303c"
_WIDTH = 8.6


def draw_importance(found: Sequence[Importance], method: AggregationMethod, unit: str) -> Figure:
    """Draw a bar for each feature, the most important on top."""
    shown = list(found[:MAX_FEATURES])[::-1]
    figure = Figure(figsize=(_WIDTH, 1.0 + 0.36 * len(shown)), layout="constrained")
    axes = figure.subplots()
    sizes = [item.importance for item in shown]
    axes.barh(range(len(shown)), sizes, color=_BLUE, height=0.66)
    axes.set_yticks(range(len(shown)), [item.feature for item in shown])
    for index, item in enumerate(shown):
        axes.annotate(
            item.text,
            (max(0.0, item.importance), index),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    names = {
        "mean_abs": "mean |SHAP value|",
        "median": "median SHAP value",
        "mean_sq": "mean squared SHAP value",
    }
    axes.set_xlabel(f"{names[method]}, in {unit}" + (" squared" if method == "mean_sq" else ""))
    axes.margins(x=0.12)
    _clean(axes)
    return figure


def draw_beeswarm(
    found: Sequence[Importance], rows: pd.DataFrame, values: NDArray[np.float64], unit: str
) -> Figure:
    """Draw a dot for each row and feature."""
    shown = list(found[:MAX_FEATURES])[::-1]
    figure = Figure(figsize=(_WIDTH, 1.1 + 0.46 * len(shown)), layout="constrained")
    axes = figure.subplots()
    taken = np.arange(len(rows))[:: max(1, -(-len(rows) // MAX_DOTS))]
    limit = float(np.abs(values).max()) or 1.0
    for index, item in enumerate(shown):
        shap = values[taken, item.position]
        color = _colors(rows[item.feature].iloc[taken])
        axes.scatter(
            shap, index + _spread(shap, limit), s=7, c=color, linewidths=0, alpha=0.75, rasterized=True
        )
    axes.axvline(0.0, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(shown)), [item.feature for item in shown])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlabel(f"SHAP value, in {unit}")
    axes.grid(axis="y", color="#e6e9ec", linewidth=0.7)
    axes.set_axisbelow(True)
    _clean(axes)
    return figure


def draw_example(example: Example, unit: str) -> Figure:
    """Draw one prediction as steps from the baseline's prediction to its own."""
    order = np.argsort(-np.abs(example.values), kind="stable")
    steps = [
        (f"{example.features[index]} = {cell(example.cells[index])}", example.values[index])
        for index in order[:MAX_BARS]
    ]
    rest = order[MAX_BARS:]
    if len(rest):
        steps.append(
            (f"{len(rest)} other features", float(np.sum([example.values[index] for index in rest])))
        )
    figure = Figure(figsize=(_WIDTH, 1.35 + 0.36 * len(steps)), layout="constrained")
    axes = figure.subplots()
    position = example.expected
    # The largest step ends at the prediction, as it is read from the top.
    for index, (_, value) in enumerate(reversed(steps)):
        color = _RED if value >= 0 else _BLUE
        axes.barh(index, value, left=position, color=color, height=0.66)
        end = position + value
        axes.annotate(
            number(value, signed=True),
            (max(position, end), index),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
        axes.plot([end, end], [index - 0.33, index + 1.33], color=_GREY, linewidth=0.7)
        position = end
    axes.set_yticks(range(len(steps)), [name for name, _ in reversed(steps)])
    axes.axvline(example.expected, color=_GREY, linewidth=0.9, linestyle=":")
    axes.annotate(
        f"baseline {number(example.expected)}",
        (example.expected, -0.55),
        (3, -1),
        textcoords="offset points",
        fontsize=8.5,
        color=_INK,
    )
    axes.set_title(f"Example {example.row}: prediction {number(example.score)}", loc="left", fontsize=11)
    axes.set_ylim(-0.9, len(steps) - 0.3)
    axes.set_xlabel(f"prediction, in {unit}")
    axes.margins(x=0.12)
    _clean(axes)
    return figure


def draw_dependence(item: PartialDependence, labels: Sequence[str]) -> Figure:
    """Draw the mean prediction at each value, and how many rows have such a value."""
    figure = Figure(figsize=(_WIDTH, 3.0), layout="constrained")
    axes = figure.subplots()
    places = np.asarray(item.values, dtype=float) if item.numerical else np.arange(len(item.values))
    shares = axes.twinx()
    width = (places[1] - places[0]) * 0.9 if len(places) > 1 else 0.8
    shares.bar(places, item.distribution, width=width, color="#e3e7eb")
    shares.set_ylim(0.0, 3.0 * max(item.distribution))
    shares.set_yticks([])
    axes.set_zorder(shares.get_zorder() + 1)
    axes.patch.set_visible(False)
    for index, label in enumerate(labels):
        axes.plot(places, item.scores[:, index], marker="o", markersize=4, linewidth=1.6, label=label)
    if not item.numerical:
        axes.set_xticks(places, [str(value) for value in item.values])
    if len(labels) > 1:
        axes.legend(fontsize=9, frameon=False)
    axes.set_xlabel(item.feature)
    axes.set_ylabel("mean prediction")
    _clean(axes)
    _clean(shares)
    return figure


def file_name(feature: str) -> str:
    """Return a feature's name as part of a file's name."""
    name = re.sub(r"[^A-Za-z0-9_]+", "-", feature).strip("-")[:60]
    return name if name == feature else f"{name}-{short_hash(feature, 6)}"


def _spread(values: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """Return heights that keep dots of like values apart: more where they are dense."""
    bins = np.round(values / limit * 60.0).astype(int)
    heights = np.zeros(len(values))
    _, counts = np.unique(bins, return_counts=True)
    densest = max(int(counts.max()), 12)
    for place in np.unique(bins):
        members = np.flatnonzero(bins == place)
        ranks = np.arange(len(members))
        signs = np.where(ranks % 2 == 0, 1.0, -1.0)
        heights[members] = signs * ((ranks + 1) // 2) / densest * 0.78
    return heights


def _colors(column: pd.Series) -> Any:
    if not is_number(column):
        return _GREY
    from matplotlib import colormaps

    values = column.to_numpy(dtype=np.float64)
    low, high = np.nanpercentile(values, [5, 95])
    scaled = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    colors = colormaps["coolwarm"](np.nan_to_num(scaled, nan=0.5))
    colors[np.isnan(values)] = (0.6, 0.6, 0.6, 1.0)
    return colors


def _clean(axes: Any) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, labelsize=9.5, colors=_INK)
    axes.xaxis.label.set(color=_INK, fontsize=9.5)
