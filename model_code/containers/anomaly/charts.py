"""Charts of the held-back part: each series with its expected band, scores, threshold and labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.charts.series import Panel, draw_series, labelled_windows, scores_panel
from watchkeeper.charts.style import file_name, save
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.adaptation import thresholds_of
from watchkeeper.judgement.evaluation import Evaluation, HoldbackRow
from watchkeeper.judgement.rules import ruled
from watchkeeper.judgement.thresholds import Threshold

MAX_CHARTS = 12


@dataclass(frozen=True)
class ScoredSeries:
    """The held-back rows of one series."""

    series: str
    rows: list[HoldbackRow]
    scores: list[float]

    def limits(self, threshold: Threshold) -> npt.NDArray[np.float64]:
        """Return the threshold of each row, which a moving one begins anew at the test part."""
        parts = itertools.groupby(zip(self.rows, self.scores, strict=True), key=lambda item: item[0].part)
        return np.array([limit for _, part in parts for limit in _limits(list(part), threshold)])

    def anomalous(self, threshold: Threshold, plan: WorkloadPlan) -> npt.NDArray[np.bool_]:
        """Which rows are anomalies."""
        by_score = (np.array(self.scores) > self.limits(threshold)).tolist()
        return np.array(ruled(self.rows, by_score, plan), dtype=np.bool_)

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Which rows are labelled as anomalous."""
        return np.array([bool(row.label) for row in self.rows])


def draw_charts(
    rows: Sequence[HoldbackRow],
    scores: Sequence[float],
    evaluation: Evaluation,
    plan: WorkloadPlan,
    folder: Path,
) -> list[Path]:
    """Draw a PNG of each series, of at most `MAX_CHARTS`: those with labels and anomalies first.

    Returns
    -------
    list of Path
        The files.
    """
    threshold = evaluation.threshold
    series = sorted(
        _by_series(rows, scores),
        key=lambda item: (-item.labelled.sum(), -item.anomalous(threshold, plan).sum(), item.series),
    )
    return [_draw(item, evaluation, plan, folder) for item in series[:MAX_CHARTS]]


def _limits(part: Sequence[tuple[HoldbackRow, float]], threshold: Threshold) -> list[float]:
    return thresholds_of([row.series for row, _ in part], [score for _, score in part], threshold)


def _by_series(rows: Sequence[HoldbackRow], scores: Sequence[float]) -> list[ScoredSeries]:
    found: dict[str, ScoredSeries] = {}
    for row, score in zip(rows, scores, strict=True):
        item = found.setdefault(row.series, ScoredSeries(row.series, [], []))
        item.rows.append(row)
        item.scores.append(score)
    return list(found.values())


def _draw(item: ScoredSeries, evaluation: Evaluation, plan: WorkloadPlan, folder: Path) -> Path:
    times = np.array([row.interval_start.removesuffix("Z") for row in item.rows], dtype="datetime64[us]")
    interval = np.timedelta64(timedelta(seconds=plan.interval_seconds))
    values, expected, lower, upper = (
        np.array([np.nan if (cell := getattr(row, name)) is None else cell for row in item.rows])
        for name in ("value", "expected", "lower", "upper")
    )
    test = [time for row, time in zip(item.rows, times, strict=True) if row.part == "test"]
    threshold = evaluation.threshold
    known: dict[str, Any] = {
        "anomalous": item.anomalous(threshold, plan),
        "windows": [(first, last + interval) for first, last in labelled_windows(times, item.labelled)],
        "marks": {"test part begins": test[0]} if test else {},
        "step": interval,
    }
    bands: dict[str, Any] = {"expected": expected, "lower": lower, "upper": upper}
    limits, scores = item.limits(threshold), np.array(item.scores)
    panels = [
        Panel(title=item.series, x=times, values=values, **bands, **known),
        scores_panel("anomaly_score", times, scores, threshold=limits, **known),
    ]
    figure = draw_series(_title(evaluation), panels, timezone=plan.timestamp.timezone)
    return save(figure, folder / f"{file_name(item.series)}.png")


def _title(evaluation: Evaluation) -> str:
    metrics, threshold = evaluation.candidate, evaluation.threshold
    parts = [
        evaluation.workload,
        f"threshold {threshold.value:.3g} ({threshold.rule})",
        f"{metrics.alerts_per_week:.1f} alerts a week in the test part",
    ]
    if metrics.f1 is not None:
        parts.append(f"precision {metrics.precision:.2f}, recall {metrics.recall:.2f}, F1 {metrics.f1:.2f}")
    return "   ·   ".join(parts)
