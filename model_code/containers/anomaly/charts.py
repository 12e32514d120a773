"""Charts of the held-back part: each series with its expected band, scores, threshold and labels."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from containers.runtime.plotting import prepare_matplotlib
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.judgement.adaptation import thresholds_of
from watchkeeper.judgement.evaluation import Evaluation
from watchkeeper.judgement.holdback import HoldbackRow
from watchkeeper.judgement.thresholds import ADAPTIVE, Threshold

MAX_CHARTS = 12
_LINE, _BAND, _ANOMALY, _LABEL, _THRESHOLD = "#1f4e79", "#9dc3e6", "#d62728", "#f6c544", "#d62728"
_SIZE_INCHES, _DPI = (13.0, 6.5), 110


@dataclass(frozen=True)
class ScoredSeries:
    """The held-back rows of one series."""

    series: str
    rows: list[HoldbackRow]
    scores: list[float]

    def limits(self, threshold: Threshold) -> list[float]:
        """Return the threshold of each row, which a moving one begins anew at the test part."""
        parts = itertools.groupby(zip(self.rows, self.scores, strict=True), key=lambda item: item[0].part)
        return [limit for _, part in parts for limit in _limits(list(part), threshold)]

    def anomalous(self, threshold: Threshold) -> list[bool]:
        """Which rows are anomalies."""
        return [score > limit for score, limit in zip(self.scores, self.limits(threshold), strict=True)]


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
    prepare_matplotlib()
    folder.mkdir(parents=True, exist_ok=True)
    threshold = evaluation.threshold
    series = sorted(
        _by_series(rows, scores),
        key=lambda item: (-_count_labels(item), -sum(item.anomalous(threshold)), item.series),
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


def _count_labels(item: ScoredSeries) -> int:
    return sum(bool(row.label) for row in item.rows)


def _draw(item: ScoredSeries, evaluation: Evaluation, plan: WorkloadPlan, folder: Path) -> Path:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    threshold = evaluation.threshold
    interval = timedelta(seconds=plan.interval_seconds)
    times = np.array([parse_instant(row.interval_start) for row in item.rows], dtype=object)
    values, lower, upper = (
        np.array([_number(getattr(row, name)) for row in item.rows]) for name in ("value", "lower", "upper")
    )
    anomalous = np.array(item.anomalous(threshold))
    # A gap is drawn as a gap: a line over it would claim readings that nobody has made.
    gaps = np.flatnonzero(np.diff(times) > interval) + 1
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])

    top.fill_between(
        *_broken(gaps, times, lower, upper), color=_BAND, alpha=0.5, linewidth=0, label="expected band"
    )
    top.plot(*_broken(gaps, times, values), color=_LINE, linewidth=0.9, label="value")
    top.scatter(
        times[anomalous],
        values[anomalous],
        s=12,
        color=_ANOMALY,
        zorder=3,
        label=f"anomaly ({anomalous.sum()})",
    )
    top.set_ylabel(item.series)
    bottom.plot(
        *_broken(gaps, times, np.array(item.scores)), color=_LINE, linewidth=0.8, label="anomaly_score"
    )
    bottom.scatter(times[anomalous], np.array(item.scores)[anomalous], s=9, color=_ANOMALY, zorder=3)
    bottom.plot(
        *_broken(gaps, times, np.array(item.limits(threshold))),
        color=_THRESHOLD,
        linewidth=1,
        linestyle="--",
        label=f"threshold {threshold.value:.3g}" + (", adaptive" if threshold.rule == ADAPTIVE else ""),
    )
    bottom.set_ylabel("anomaly_score")
    for axes in (top, bottom):
        _mark_parts_and_labels(axes, item.rows, times, interval)
        axes.grid(alpha=0.25, linewidth=0.5)
        axes.margins(x=0.01, y=0.16)
        axes.legend(loc="upper left", fontsize=8, framealpha=0.9, ncols=4)
    bottom.set_ylim(0.0, 1.3 * max(*item.scores, threshold.value))  # room for the legend
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib has no types here
    bottom.xaxis.set_major_locator(locator)
    bottom.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # the same
    top.set_title(_title(evaluation), fontsize=11, loc="left")
    path = folder / f"{_file_name(item.series)}.png"
    figure.savefig(path)
    return path


def _mark_parts_and_labels(axes: Any, rows: list[HoldbackRow], times: Any, interval: timedelta) -> None:
    for index, (first, last) in enumerate(_label_windows(rows, times)):
        axes.axvspan(
            first,
            last + interval,
            color=_LABEL,
            alpha=0.35,
            linewidth=0,
            zorder=0,
            label=None if index else "labelled",
        )
    first_test = next((time for row, time in zip(rows, times, strict=True) if row.part == "test"), None)
    if first_test is not None:
        axes.axvline(first_test, color="#555555", linewidth=0.8, linestyle=":", label="test part begins")


def _label_windows(rows: list[HoldbackRow], times: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    window: list[datetime] = []
    for row, time in zip(rows, times, strict=True):
        if row.label:
            window.append(time)
        elif window:
            yield window[0], window[-1]
            window = []
    if window:
        yield window[0], window[-1]


def _broken(gaps: np.ndarray, times: np.ndarray, *columns: np.ndarray) -> list[np.ndarray]:
    return [np.insert(times, gaps, times[gaps]), *(np.insert(column, gaps, np.nan) for column in columns)]


def _title(evaluation: Evaluation) -> str:
    metrics = evaluation.candidate
    parts = [evaluation.workload, f"{metrics.alerts_per_week:.1f} alerts a week in the test part"]
    if metrics.f1 is not None:
        parts.append(f"precision {metrics.precision:.2f}, recall {metrics.recall:.2f}, F1 {metrics.f1:.2f}")
    return "   ·   ".join(parts)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _file_name(series: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]+", "-", series).strip("-")[:80]
    return name if name == series else f"{name}-{short_hash(series, 6)}"
