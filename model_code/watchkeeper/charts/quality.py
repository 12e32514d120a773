"""How good a model is: its scores by label, what it finds, what it predicts, and who does better."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from watchkeeper.charts.style import (
    ANOMALY,
    INK,
    LABEL,
    LINE,
    OTHER,
    add_legend,
    bare,
    new_figure,
    tidy,
    write_beside,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

REPORT_WIDTH = 8.6
_DOT: dict[str, Any] = {"s": 12, "color": LINE, "alpha": 0.4, "linewidths": 0}
_DASHED: dict[str, Any] = {"color": ANOMALY, "linewidth": 1.2, "linestyle": (0, (4, 2))}


def draw_bars(
    names: Sequence[str],
    sizes: Sequence[float],
    texts: Sequence[str],
    axis: str,
    *,
    others: Collection[int] = (),
    width: float = REPORT_WIDTH,
) -> Figure:
    """Draw a horizontal bar for each name, the first on top, with a text at its end; some are not ours."""
    figure = new_figure(width, 1.0 + 0.33 * len(names))
    axes = figure.subplots()
    places = range(len(names))[::-1]
    colors = [OTHER if index in others else LINE for index in range(len(names))]
    axes.barh(places, sizes, color=colors, height=0.66)
    for place, size, text in zip(places, sizes, texts, strict=True):
        write_beside(axes, text, max(0.0, size), place)
    axes.margins(x=0.12, y=0.02)
    tidy(axes, x=axis, grid="x")
    bare(axes, list(names)[::-1])
    return figure


def draw_histogram(title: str, bins: Counts, threshold: float, *, labelled: bool) -> Figure:
    """Draw how many rows have which anomaly_score.

    Parameters
    ----------
    bins : ndarray of int, shape (2, n_bins)
        Rows by score from 0 to 1; the second line those that are labelled as anomalies.
    """
    ordinary, anomalous = bins
    figure = new_figure(8.0, 4.4, title)
    axes = figure.subplots()
    edges = np.linspace(0.0, 1.0, len(ordinary) + 1)
    width = edges[1]
    name = "labelled 0" if labelled else "rows"
    axes.bar(edges[:-1], ordinary, width=0.92 * width, align="edge", color=LINE, label=name)
    if labelled:  # in front and not on top: a scale of powers shows no sum
        middles = edges[:-1] + 0.46 * width
        axes.bar(middles, anomalous, width=0.5 * width, color=LABEL, label="labelled 1")
    axes.axvline(threshold, **_DASHED, label=f"threshold {threshold:.3g}")
    counts = bins.sum(axis=0)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, 1.6 * max(int(counts.max()), 1))
    axes.set_xlim(0, max(float(edges[np.flatnonzero(counts).max(initial=0) + 1]), threshold) + 0.02)
    tidy(axes, x="anomaly_score", y="rows", grid="y")
    add_legend(figure)
    return figure


def draw_projection(
    title: str,
    points: FloatArray,
    names: tuple[str, str],
    anomalous: BoolArray,
    labelled: BoolArray | None,
) -> Figure:
    """Draw rows in two dimensions, shape (n_rows, 2)."""
    figure = new_figure(7.0, 6.2, title)
    axes = figure.subplots()
    axes.scatter(points[~anomalous, 0], points[~anomalous, 1], **_DOT, label="ordinary")
    axes.scatter(
        points[anomalous, 0],
        points[anomalous, 1],
        s=22,
        color=ANOMALY,
        marker="D",
        edgecolors="white",
        linewidths=0.4,
        label="anomaly",
    )
    if labelled is not None and labelled.any():
        axes.scatter(
            points[labelled, 0],
            points[labelled, 1],
            s=60,
            facecolors="none",
            edgecolors=LABEL,
            linewidths=1.3,
            label="labelled 1",
        )
    tidy(axes, x=names[0], y=names[1])
    add_legend(figure)
    return figure


def draw_confusion(title: str, counts: Counts) -> Figure:
    """Draw labels against predictions, shape (2, 2): the first row and column are the ordinary ones."""
    from matplotlib.colors import LinearSegmentedColormap

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new_figure(5.6, 5.2, title)
    axes = figure.subplots()
    shades = LinearSegmentedColormap.from_list("shares", ["#f3f6f9", LINE])
    axes.imshow(shares, cmap=shades, vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column,
            row,
            f"{count:,}\n{shares[row, column]:.1%}",
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.5 else INK,
        )
    axes.set_xticks([0, 1], ["ordinary", "anomaly"])
    axes.set_yticks([0, 1], ["0", "1"])
    tidy(axes, x="predicted", y="label", grid="")
    return figure


def draw_precision_recall(
    title: str,
    precision: FloatArray,
    recall: FloatArray,
    *,
    area: float,
    chance: float,
    at_threshold: tuple[float, float] | None,
) -> Figure:
    """Draw the curve, shape (n_points,), and its point at the threshold: recall and precision."""
    figure = new_figure(6.4, 5.4, title)
    axes = figure.subplots()
    axes.step(recall, precision, where="post", color=LINE, label=f"PR-AUC {area:.3f}")
    axes.axhline(chance, color=OTHER, linestyle=":", label=f"chance {chance:.3f}")
    if at_threshold is not None:
        axes.plot(*at_threshold, "o", color=ANOMALY, label="at the threshold")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(0.0, 1.05)
    tidy(axes, x="recall", y="precision")
    add_legend(figure)
    return figure


def draw_predictions(title: str, target: str, actual: FloatArray, predicted: FloatArray) -> Figure:
    """Draw predicted against actual values, shape (n_rows,)."""
    figure = new_figure(7.5, 7.2, title)
    axes = figure.subplots()
    ends = [min(actual.min(), predicted.min()), max(actual.max(), predicted.max())]
    axes.plot(ends, ends, **_DASHED, label="as it was")
    axes.scatter(actual, predicted, **_DOT, label="held-back row")
    axes.set_aspect("equal", adjustable="box")
    tidy(axes, x=f"{target}, actual", y=f"{target}, predicted")
    add_legend(figure)
    return figure


def draw_residuals(title: str, target: str, actual: FloatArray, predicted: FloatArray) -> Figure:
    """Draw what is left over against the prediction, and how it is distributed; shape (n_rows,)."""
    residuals = actual - predicted
    figure = new_figure(12.0, 5.0, title)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    left.axhline(0.0, **_DASHED, label="as it was")
    left.scatter(predicted, residuals, **_DOT, label="held-back row")
    tidy(left, x=f"{target}, predicted", y="actual less predicted")
    right.hist(residuals, bins=40, color=LINE, edgecolor="white", linewidth=0.4)
    right.axvline(
        residuals.mean(), color=INK, linewidth=1.0, linestyle=":", label=f"mean {residuals.mean():+.3g}"
    )
    tidy(right, x="actual less predicted", y="held-back rows", grid="y")
    add_legend(figure)
    return figure
