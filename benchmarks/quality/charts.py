"""The charts of `docs/benchmarks.md`."""

from __future__ import annotations

import csv
import logging
import os
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.quality.corpus import LabelledSeries, load_json
from benchmarks.quality.measurements import CorpusScores
from benchmarks.quality.tables import MACHINE_TEMPERATURE, PUBLISHED
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.detectors.streaming.scores import SeriesScores

mpl.use("Agg")
_INK, _BAND, _ALERT, _WINDOW, _OURS, _THEIRS = (
    "#1f2a44",
    "#c9d3e6",
    "#c62828",
    "#ffe3b3",
    "#2a6fdb",
    "#9aa5b8",
)
_LOG = logging.getLogger(__name__)


def draw_leaderboard(measured: dict[str, CorpusScores], destination: Path) -> None:
    """Draw the standard score of the measured and the published detectors."""
    bars = [(f"{name}*", scores.by_profile()[0], _OURS) for name, scores in measured.items()]
    for key, result in load_json("results/final_results.json").items():
        if key in PUBLISHED:
            name, causal = PUBLISHED[key]
            bars.append((name if causal == "yes" else f"{name} (looks ahead)", result["standard"], _THEIRS))
    bars.sort(key=lambda bar: bar[1])
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    axes.barh([bar[0] for bar in bars], [bar[1] for bar in bars], color=[bar[2] for bar in bars])
    for row, (_, value, _) in enumerate(bars):
        axes.text(value + 0.6, row, f"{value:.1f}", va="center", fontsize=8)
    axes.set(xlim=(0, 82), xlabel="NAB, standard profile, threshold chosen on the corpus   (* measured here)")
    _save(figure, destination)


def draw_series(series: LabelledSeries, destination: Path, *, title: str) -> None:
    """Draw a labelled series with its band, its severity, its alerts and its windows."""
    scores = score_series(series.timestamps, series.values)
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(11, 4.8), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    for first, last in series.windows:
        for axes in (top, bottom):
            axes.axvspan(series.timestamps[first], series.timestamps[last], color=_WINDOW, lw=0)
    _draw_scores(top, bottom, series.timestamps, series.values, scores)
    top.set_title(f"{title}: labelled windows shaded, alerts in red", loc="left", fontsize=10)
    _save(figure, destination)


def draw_machine_temperature(scores: CorpusScores, destination: Path) -> None:
    """Draw the showcase of the benchmark."""
    series = next(one for one in scores.corpus if one.name == MACHINE_TEMPERATURE)
    draw_series(series, destination, title="machine_temperature_system_failure, default settings")


def draw_air_quality(destination: Path) -> bool:
    """Draw CO, SO2 and NO2 of the air-quality data with their alerts; False when the data is not on this
    machine."""
    folder = Path(os.environ.get("WATCHKEEPER_DATA_DIR", "")) / "air-quality"
    if not (folder / "live" / "live_data_sample.csv").is_file():
        _LOG.warning("air-quality/ is not in $WATCHKEEPER_DATA_DIR: its picture stays as it is")
        return False
    with (folder / "history" / "historic_data.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))[1:]
    with (folder / "live" / "live_data_sample.csv").open(encoding="utf-8-sig") as file:
        rows += list(csv.reader(file))
    rows = [row for row in rows if row and row[0] != "TIMESTAMP"]
    timestamps = np.array([row[0] for row in rows], dtype="datetime64[s]")
    order = np.argsort(timestamps, kind="stable")
    figure, axes = plt.subplots(3, 1, figsize=(11, 6), sharex=True, layout="constrained")
    for column, (name, axis) in enumerate(zip(("CO", "SO2", "NO2"), axes, strict=True), start=2):
        values = np.array([float(row[column]) for row in rows])[order]
        scores = score_series(timestamps[order], values)
        _draw_values(axis, timestamps[order], values, scores)
        axis.set_ylabel(name)
    axes[0].set_title(
        "Air quality, every 5 minutes, default settings: alerts in red", loc="left", fontsize=10
    )
    _save(figure, destination)
    return True


def _draw_scores(
    top: Axes,
    bottom: Axes,
    timestamps: npt.NDArray[np.datetime64],
    values: npt.NDArray[np.float64],
    scores: SeriesScores,
) -> None:
    _draw_values(top, timestamps, values, scores)
    bottom.plot(timestamps, scores.severity, color=_INK, lw=0.5)
    bottom.plot(timestamps[scores.is_anomaly], scores.severity[scores.is_anomaly], "o", color=_ALERT, ms=4)
    bottom.set(ylim=(0, 105), ylabel="severity")


def _draw_values(
    axes: Axes,
    timestamps: npt.NDArray[np.datetime64],
    values: npt.NDArray[np.float64],
    scores: SeriesScores,
) -> None:
    axes.fill_between(timestamps, scores.lower, scores.upper, color=_BAND, lw=0)
    axes.plot(timestamps, values, color=_INK, lw=0.5)
    axes.plot(timestamps[scores.is_anomaly], values[scores.is_anomaly], "o", color=_ALERT, ms=4)
    margin = 0.05 * (values.max() - values.min())
    axes.set_ylim(values.min() - margin, values.max() + margin)


def _save(figure: Figure, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(destination, dpi=120, metadata={"Software": None})
    plt.close(figure)
