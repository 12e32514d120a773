"""The charts of `docs/benchmarks.md`."""

from __future__ import annotations

import csv
import logging
import os
from pathlib import Path

import numpy as np

from benchmarks.quality.corpus import LabelledSeries, load_json
from benchmarks.quality.measurements import CorpusScores
from benchmarks.quality.tables import MACHINE_TEMPERATURE, PUBLISHED
from watchkeeper.charts.quality import draw_bars
from watchkeeper.charts.series import Panel, detector_panels, draw_series
from watchkeeper.charts.style import save
from watchkeeper.detectors.streaming.detector import score_series

_LOG = logging.getLogger(__name__)


def draw_leaderboard(measured: dict[str, CorpusScores], destination: Path) -> None:
    """Draw the standard score of the measured and the published detectors."""
    bars = [(f"{name}*", scores.by_profile()[0], True) for name, scores in measured.items()]
    for key, result in load_json("results/final_results.json").items():
        if key in PUBLISHED:
            name, causal = PUBLISHED[key]
            bars.append((name if causal == "yes" else f"{name} (looks ahead)", result["standard"], False))
    names, scores, ours = zip(*sorted(bars, key=lambda bar: -bar[1]), strict=True)
    figure = draw_bars(
        names,
        scores,
        [f"{score:.1f}" for score in scores],
        "NAB, standard profile, threshold chosen on the corpus   (* measured here)",
        others={row for row, is_ours in enumerate(ours) if not is_ours},
    )
    save(figure, destination)


def draw_machine_temperature(scores: CorpusScores, destination: Path) -> None:
    """Draw the showcase of the benchmark with its band, its severity, its alerts and its windows."""
    series = next(one for one in scores.corpus if one.name == MACHINE_TEMPERATURE)
    save(draw_series("machine_temperature_system_failure, default settings", _panels(series)), destination)


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
    rows = sorted((row for row in rows if row and row[0] != "TIMESTAMP"), key=lambda row: row[0])
    timestamps = np.array([row[0] for row in rows], dtype="datetime64[s]")
    panels = [
        _panels(LabelledSeries(name, timestamps, np.array([float(row[column]) for row in rows]), ()))[0]
        for column, name in enumerate(("CO", "SO2", "NO2"), start=2)
    ]
    save(draw_series("Air quality, every 5 minutes, default settings", panels), destination)
    return True


def _panels(series: LabelledSeries) -> list[Panel]:
    x = series.timestamps
    windows = [(x[first], x[last]) for first, last in series.windows]
    return detector_panels([series.name], x, series.values, score_series(x, series.values), windows)
