"""Why a model answers as it does: contributions of features to all predictions, and to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from watchkeeper.charts.quality import REPORT_WIDTH
from watchkeeper.charts.style import (
    ANOMALY,
    GRID,
    INK,
    LINE,
    OTHER,
    add_legend,
    bare,
    low_to_high,
    new_figure,
    tidy,
    write_beside,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_DOTS = 2_000
"""Rows of a beeswarm; more are thinned out evenly, by their order."""

FloatArray = npt.NDArray[np.float64]


def draw_beeswarm(
    names: Sequence[str], values: Sequence[FloatArray | None], contributions: Sequence[FloatArray], axis: str
) -> Figure:
    """Draw a dot for each row and feature, the first feature on top.

    Parameters
    ----------
    values
        Of each feature, shape (n_rows,), which colours the dots: NaN is a missing one; None of a feature that
        is not a number.
    contributions
        Of each feature, shape (n_rows,).
    """
    from matplotlib.cm import ScalarMappable

    figure = new_figure(REPORT_WIDTH, 1.1 + 0.46 * len(names))
    axes = figure.subplots()
    taken = slice(None, None, max(1, -(-len(contributions[0]) // MAX_DOTS)))
    limit = max(float(np.abs(one).max(initial=0.0)) for one in contributions) or 1.0
    for place, one, column in zip(range(len(names))[::-1], contributions, values, strict=True):
        shown = one[taken]
        color = OTHER if column is None else _colors(column[taken])
        axes.scatter(shown, place + _spread(shown, limit), s=7, c=color, linewidths=0, alpha=0.75)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    axes.set_ylim(-0.6, len(names) - 0.4)
    tidy(axes, x=axis, grid="y")
    bare(axes, list(names)[::-1])
    if any(column is not None for column in values):
        scale = figure.colorbar(
            ScalarMappable(cmap=low_to_high()), ax=axes, ticks=[0, 1], aspect=40, pad=0.01
        )
        scale.ax.set_yticklabels(["low", "high"])
        scale.set_label("feature's value", color=INK, fontsize=9)
        scale.ax.tick_params(length=0, labelsize=8.5, labelcolor=INK)
        scale.outline.set_visible(False)
    return figure


def draw_steps(
    title: str, steps: Sequence[tuple[str, float, str]], baseline: tuple[float, str], axis: str
) -> Figure:
    """Draw one prediction as steps from the baseline's to its own.

    Parameters
    ----------
    steps
        What it is, its size and the text of it: the first is drawn on top and ends at the prediction.
    baseline
        The prediction that the steps begin at, and the text of it.
    """
    figure = new_figure(REPORT_WIDTH, 1.5 + 0.36 * len(steps), title)
    axes = figure.subplots()
    position, text = baseline
    axes.axvline(position, color=OTHER, linewidth=0.9, linestyle=":")
    axes.annotate(
        text, (position, -0.55), (3, -1), textcoords="offset points", va="center", fontsize=8.5, color=INK
    )
    for index, (_, size, number) in enumerate(reversed(steps)):
        end = position + size
        axes.barh(index, size, left=position, color=ANOMALY if size >= 0 else LINE, height=0.66)
        write_beside(axes, number, max(position, end), index)
        axes.plot([end, end], [index - 0.33, index + 1.33], color=OTHER, linewidth=0.7)
        position = end
    axes.set_ylim(-0.9, len(steps) - 0.3)
    axes.margins(x=0.12)
    tidy(axes, x=axis, grid="x")
    bare(axes, [name for name, _, _ in reversed(steps)])
    return figure


def draw_dependence(
    feature: str,
    places: Sequence[float | str],
    predictions: dict[str, FloatArray],
    shares: Sequence[float],
) -> Figure:
    """Draw the mean prediction, by output, at each value of a feature, and the share of rows at each."""
    figure = new_figure(REPORT_WIDTH, 3.2)
    axes = figure.subplots()
    numerical = not isinstance(places[0], str)
    x = np.asarray(places, dtype=float) if numerical else np.arange(len(places))
    rows = axes.twinx()
    width = (x[1] - x[0]) * 0.9 if len(x) > 1 else 0.8
    rows.bar(x, shares, width=width, color=GRID, label="share of rows")
    rows.set_ylim(0.0, 3.0 * max(shares))
    rows.set_axis_off()
    axes.set_zorder(rows.get_zorder() + 1)
    axes.patch.set_visible(False)
    colors = (LINE, ANOMALY, INK)
    for color, (name, line) in zip(colors, predictions.items(), strict=False):
        label = name if len(predictions) > 1 else "mean prediction"
        axes.plot(x, line, marker="o", markersize=4, linewidth=1.6, color=color, label=label)
    if not numerical:
        axes.set_xticks(x, [str(value) for value in places])
    tidy(axes, x=feature, y="mean prediction", grid="")
    add_legend(figure)
    return figure


def _spread(values: FloatArray, limit: float) -> FloatArray:
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


def _colors(values: FloatArray) -> FloatArray:
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [5, 95]) if len(known) else (0.0, 1.0)
    scaled = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    colors = np.asarray(low_to_high()(np.nan_to_num(scaled, nan=0.5)), dtype=np.float64)
    colors[np.isnan(values)] = (0.6, 0.6, 0.6, 1.0)
    return colors
