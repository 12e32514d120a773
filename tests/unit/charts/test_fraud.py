"""What the charts of a fraud model show."""

from __future__ import annotations

import numpy as np

from watchkeeper.charts.fraud import draw_learning_curves, draw_precision_recall


def test_learning_curves_have_an_epoch_a_point() -> None:
    figure = draw_learning_curves("w", [0.3, 0.2, 0.1], [0.1, 0.2, 0.3], [0.2, 0.4, 0.6])
    loss, measures = figure.axes
    assert np.asarray(loss.lines[0].get_xdata()).tolist() == [1, 2, 3]
    assert {line.get_label(): np.asarray(line.get_ydata()).tolist() for line in measures.lines} == {
        "F1": [0.1, 0.2, 0.3],
        "PR-AUC": [0.2, 0.4, 0.6],
    }


def test_each_model_has_its_curve_and_the_prevalence_is_a_line() -> None:
    curves = {
        name: (np.array([0.5, 1.0]), np.array([0.9, height])) for name, height in (("a", 0.2), ("b", 0.3))
    }
    axes = draw_precision_recall("w", curves, 0.05).axes[0]
    drawn = {line.get_label(): np.asarray(line.get_ydata()).tolist() for line in axes.lines}
    assert list(drawn) == ["a", "b", "prevalence"]
    assert drawn["b"] == [0.9, 0.3]
    assert drawn["prevalence"] == [0.05, 0.05]
