"""Charts of the held-back rows: predicted against actual, and what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.runtime.plotting import prepare_matplotlib
from watchkeeper.regression.evaluation import RegressionEvaluation
from watchkeeper.regression.plan import RegressionPlan

_POINT, _LINE, _BAR = "#1f4e79", "#d62728", "#9dc3e6"
_DPI = 110


def draw_charts(
    targets: Sequence[float],
    predictions: Sequence[float],
    evaluation: RegressionEvaluation,
    plan: RegressionPlan,
    folder: Path,
) -> list[Path]:
    """Draw `predicted-vs-actual.png` and `residuals.png`.

    Returns
    -------
    list of Path
        The files.
    """
    prepare_matplotlib()
    folder.mkdir(parents=True, exist_ok=True)
    actual, predicted = np.array(targets), np.array(predictions)
    return [
        _predicted_vs_actual(actual, predicted, evaluation, plan, folder / "predicted-vs-actual.png"),
        _residuals(actual, predicted, evaluation, plan, folder / "residuals.png"),
    ]


def _predicted_vs_actual(
    actual: NDArray[np.float64],
    predicted: NDArray[np.float64],
    evaluation: RegressionEvaluation,
    plan: RegressionPlan,
    path: Path,
) -> Path:
    figure = _figure((7.5, 7.0))
    axes = figure.subplots()
    ends = [min(actual.min(), predicted.min()), max(actual.max(), predicted.max())]
    axes.plot(ends, ends, color=_LINE, linewidth=1, linestyle="--", label="as it was")
    axes.scatter(actual, predicted, s=10, color=_POINT, alpha=0.35, linewidths=0, label="held-back row")
    axes.set_xlabel(f"{plan.target}, actual")
    axes.set_ylabel(f"{plan.target}, predicted")
    axes.set_aspect("equal", adjustable="box")
    return _finish(figure, [axes], _title(evaluation), path)


def _residuals(
    actual: NDArray[np.float64],
    predicted: NDArray[np.float64],
    evaluation: RegressionEvaluation,
    plan: RegressionPlan,
    path: Path,
) -> Path:
    residuals = actual - predicted
    figure = _figure((12.0, 5.0))
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    left.axhline(0.0, color=_LINE, linewidth=1, linestyle="--")
    left.scatter(predicted, residuals, s=10, color=_POINT, alpha=0.35, linewidths=0, label="held-back row")
    left.set_xlabel(f"{plan.target}, predicted")
    left.set_ylabel("actual less predicted")
    right.hist(residuals, bins=40, color=_BAR, edgecolor="white", linewidth=0.4, label="held-back rows")
    right.axvline(
        residuals.mean(), color=_LINE, linewidth=1, linestyle="--", label=f"mean {residuals.mean():+.3g}"
    )
    right.set_xlabel("actual less predicted")
    right.set_ylabel("rows")
    return _finish(figure, [left, right], _title(evaluation), path)


def _figure(size: tuple[float, float]) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=size, dpi=_DPI, layout="constrained")


def _finish(figure: Any, panels: list[Any], title: str, path: Path) -> Path:
    for axes in panels:
        axes.grid(alpha=0.25, linewidth=0.5)
        axes.legend(loc="upper left", fontsize=8, framealpha=0.9)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    figure.savefig(path)
    return path


def _title(evaluation: RegressionEvaluation) -> str:
    metrics = evaluation.candidate
    parts = [evaluation.workload, f"RMSE {metrics.rmse:.3g}", f"MAE {metrics.mae:.3g}"]
    if metrics.r2 is not None:
        parts.append(f"R² {metrics.r2:.3f}")
    return "   ·   ".join([*parts, f"{metrics.n} held-back rows"])
