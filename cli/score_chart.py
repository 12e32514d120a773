"""The picture of `watchkeeper score`: each value with its band, and below the severity of the rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.judgement.accuracy import windows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, LINE, BAND, SCORE = "#1f2933", "#7b8794", "#2563eb", "#93c5fd", "#475569"
ALARM, LABEL, GRID = "#dc2626", "#f59e0b", "#e4e7eb"
WIDTH_INCHES, VALUE_INCHES, SEVERITY_INCHES = 12.0, 2.6, 1.6
POINTS = 4000
MAX_COLUMNS = 8

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def draw(
    title: str,
    names: Sequence[str],
    seconds: FloatArray,
    values: FloatArray,
    scores: SeriesScores,
    labels: BoolArray | None,
    path: Path,
) -> None:
    """Write the picture as PNG; of more than eight values the first eight.

    A long series is drawn by the lowest and the highest value of each of `POINTS` / 2 pieces, so that no
    spike gets lost; every anomaly has its dot.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    shown = names[:MAX_COLUMNS]
    heights = [VALUE_INCHES] * len(shown) + [SEVERITY_INCHES]
    figure = Figure(figsize=(WIDTH_INCHES, sum(heights) + 0.5), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    times = (seconds * 1e6).astype("datetime64[us]")
    expected, lower, upper = (
        getattr(scores, band).reshape(len(times), -1) for band in ("expected", "lower", "upper")
    )
    for column, name in enumerate(shown):
        axes = panels[column]
        _band(axes, times, lower[:, column], upper[:, column])
        _line(axes, times, expected[:, column], MUTED, "expected", width=0.6)
        _line(axes, times, values[:, column], LINE, "value", width=0.9)
        dots = scores.is_anomaly
        axes.scatter(times[dots], values[dots, column], color=ALARM, s=16, zorder=3, label="anomaly")
        _limits(axes, values[:, column])
        axes.set_ylabel(name, color=INK, fontsize=9)
    _line(panels[-1], times, scores.severity, SCORE, "severity", width=0.8)
    panels[-1].set_ylabel("severity", color=INK, fontsize=9)
    panels[-1].set_ylim(0, 100)
    for axes in panels:
        _windows(axes, times, labels)
        _tidy(axes)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib has no types here
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    panels[0].legend(loc="lower right", bbox_to_anchor=(1, 0.99), fontsize=8, frameon=False, ncols=5)
    figure.suptitle(title, color=INK, fontsize=13, x=0.01, ha="left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def extremes(values: FloatArray, points: int = POINTS) -> npt.NDArray[np.int64]:
    """Return the rows, ascending, of the lowest and highest value in each of `points` / 2 equal pieces."""
    if len(values) <= points:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), points // 2 + 1).astype(np.int64)
    low, high = np.where(np.isnan(values), np.inf, values), np.where(np.isnan(values), -np.inf, values)
    chosen = [
        first + part
        for first, last in itertools.pairwise(edges)
        for part in (low[first:last].argmin(), high[first:last].argmax())
    ]
    return np.unique(np.array(chosen, dtype=np.int64))


def _line(
    axes: Axes, times: npt.NDArray[np.datetime64], values: FloatArray, color: str, label: str, *, width: float
) -> None:
    if not np.isnan(values).all():
        rows = extremes(values)
        axes.plot(times[rows], values[rows], color=color, linewidth=width, label=label)


def _band(axes: Axes, times: npt.NDArray[np.datetime64], lower: FloatArray, upper: FloatArray) -> None:
    if np.isnan(lower).all():
        return
    rows = np.unique(np.concatenate((extremes(lower), extremes(upper))))
    axes.fill_between(times[rows], lower[rows], upper[rows], color=BAND, alpha=0.4, linewidth=0, label="band")


def _limits(axes: Axes, values: FloatArray) -> None:
    """Let the values fill the panel: a band can be far wider."""
    if np.isnan(values).all():
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.08 * (high - low) or 1.0
    axes.set_ylim(low - margin, high + margin)


def _windows(axes: Axes, times: npt.NDArray[np.datetime64], labels: BoolArray | None) -> None:
    if labels is None:
        return
    for number, (first, last) in enumerate(windows_of(labels)):
        label = "labelled" if number == 0 else None
        axes.axvspan(times[first], times[last], color=LABEL, alpha=0.25, linewidth=0, label=label)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#cbd2d9")
    axes.tick_params(colors=MUTED, labelsize=8)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.margins(x=0.005)
