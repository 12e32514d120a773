"""The demo's picture: each series above its scores, with threshold, anomalies and labelled windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cli.demo.scores import reason_of, strongest
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.charts.series import Panel, draw_series, scores_panel
from watchkeeper.charts.style import save
from watchkeeper.core.severity import severity_text
from watchkeeper.telemetry.labels import Labels

MAX_SERIES = 6


def draw(title: str, scores: Sequence[ScoreLine], labels: Labels, path: Path, timezone: str) -> None:
    """Write the picture as PNG; of more than six series, those with the most anomalies."""
    panels = [panel for series, items in _chosen(scores).items() for panel in _panels(series, items, labels)]
    save(draw_series(title, panels, timezone=timezone), path)


def _chosen(scores: Sequence[ScoreLine]) -> dict[str, list[ScoreLine]]:
    by_series: dict[str, list[ScoreLine]] = {}
    for score in scores:
        by_series.setdefault(score.series, []).append(score)
    ranked = sorted(by_series, key=lambda series: -sum(score.is_anomaly for score in by_series[series]))
    return {series: by_series[series] for series in ranked[:MAX_SERIES]}


def _panels(series: str, scores: Sequence[ScoreLine], labels: Labels) -> list[Panel]:
    times = np.array([score.start for score in scores], dtype="datetime64[s]")
    windows = [
        (np.datetime64(begin.replace(tzinfo=None)), np.datetime64(end.replace(tzinfo=None)))
        for begin, end in labels.instants_of(series)
    ]
    known: dict[str, Any] = {
        "windows": [(begin, end) for begin, end in windows if end >= times[0] and begin <= times[-1]],
        "anomalous": np.array([score.is_anomaly for score in scores]),
    }
    worst = strongest(scores)
    title = series
    if worst is not None:  # the most severe anomaly, and what it is made of
        severity = severity_text(worst.severity or 0.0, worst.severity_threshold)
        title += f"      circled: severity {severity}, {reason_of(worst)}"
        known["circled"] = scores.index(worst)
    values, found, thresholds = (
        np.array([getattr(score, name) or 0.0 for score in scores])
        for name in ("value", "anomaly_score", "threshold")
    )
    return [
        Panel(title=title, x=times, values=values, **known),
        scores_panel("anomaly_score", times, found, threshold=thresholds, **known),
    ]
