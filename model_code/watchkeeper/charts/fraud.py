"""How a fraud model was fitted, and how it finds fraud beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from watchkeeper.charts.style import ANOMALY, BAND, INK, LABEL, LINE, OTHER, add_legend, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]

_COLORS = (LINE, ANOMALY, LABEL, BAND, OTHER)


def draw_learning_curves(
    title: str, loss: Sequence[float], f1: Sequence[float], pr_auc: Sequence[float]
) -> Figure:
    """Draw the training's loss, and F1 and PR-AUC on the validation time, epoch by epoch."""
    figure = new_figure(8.6, 3.4, title)
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(loss) + 1)
    left.plot(epochs, loss, color=INK, marker="o", markersize=3)
    left.set_ylim(bottom=0.0)
    tidy(left, x="epoch", y="loss of the training (nats)")
    right.plot(epochs, f1, color=LINE, marker="o", markersize=3, label="F1")
    right.plot(epochs, pr_auc, color=ANOMALY, marker="o", markersize=3, label="PR-AUC")
    right.set_ylim(0.0, 1.0)
    tidy(right, x="epoch", y="on the validation time")
    for axes in (left, right):
        axes.locator_params(axis="x", integer=True)
    add_legend(figure)
    return figure


def draw_precision_recall(
    title: str, curves: Mapping[str, tuple[FloatArray, FloatArray]], prevalence: float
) -> Figure:
    """Draw the precision that each model has at each recall.

    Parameters
    ----------
    curves
        Recall and precision by the model's name; at most five.
    prevalence
        Share of fraud: what a model that knows nothing has.
    """
    figure = new_figure(6.4, 5.0, title)
    axes = figure.subplots()
    for (name, (recall, precision)), color in zip(curves.items(), _COLORS, strict=False):
        axes.step(recall, precision, where="post", color=color, linewidth=1.4, label=name)
    axes.axhline(prevalence, color=OTHER, linewidth=1.0, linestyle=(0, (4, 2)), label="prevalence")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    tidy(axes, x="recall", y="precision")
    add_legend(figure)
    return figure
