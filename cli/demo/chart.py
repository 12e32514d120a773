"""The demo's picture: each series above its scores, with threshold, anomalies and labelled windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.demo.reasons import reason_of, strongest
from cli.demo.scores import Score
from cli.labels import Labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#1f2933"
MUTED = "#7b8794"
LINE = "#2563eb"
SCORE = "#475569"
ALARM = "#dc2626"
LABEL = "#f59e0b"

WIDTH_INCHES = 12.0
SERIES_INCHES = 3.4
MAX_SERIES = 6
SECONDS_PER_DAY = 86_400


def draw(title: str, scores: Sequence[Score], labels: Labels, path: Path) -> None:
    """Write the picture as PNG; of more than six series, those with the most anomalies."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    chosen = _chosen(scores)
    figure, grid = pyplot.subplots(
        2 * len(chosen),
        1,
        sharex=True,
        figsize=(WIDTH_INCHES, SERIES_INCHES * len(chosen)),
        gridspec_kw={"height_ratios": [3, 2] * len(chosen)},
        layout="constrained",
        squeeze=False,
    )
    axes = [row[0] for row in grid]
    for position, (series, items) in enumerate(chosen.items()):
        _draw_values(axes[2 * position], series, items, labels)
        _draw_scores(axes[2 * position + 1], items, labels, series)
    figure.suptitle(title, color=INK, fontsize=13, x=0.01, ha="left")
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 0.98), fontsize=8, frameon=False, ncols=3)
    axes[1].legend(loc="lower right", bbox_to_anchor=(1, 0.98), fontsize=8, frameon=False, ncols=3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _chosen(scores: Sequence[Score]) -> dict[str, list[Score]]:
    by_series: dict[str, list[Score]] = {}
    for score in scores:
        by_series.setdefault(score.series, []).append(score)
    ranked = sorted(by_series, key=lambda series: -sum(score.is_anomaly for score in by_series[series]))
    return {series: by_series[series] for series in ranked[:MAX_SERIES]}


def _draw_values(axes: Axes, series: str, scores: Sequence[Score], labels: Labels) -> None:
    _draw_windows(axes, series, scores, labels)
    axes.plot(_times(scores), [score.value for score in scores], color=LINE, linewidth=0.9, label="value")
    anomalies = [score for score in scores if score.is_anomaly]
    axes.scatter(
        _times(anomalies),
        [score.value for score in anomalies],
        color=ALARM,
        s=14,
        zorder=3,
        label="anomaly",
    )
    _tell_reason(axes, scores)
    axes.set_ylabel(series, color=INK, fontsize=9)
    _tidy(axes)


def _tell_reason(axes: Axes, scores: Sequence[Score]) -> None:
    """Circle the most severe anomaly, and write what it is made of."""
    worst = strongest(scores)
    if worst is None:
        return
    axes.scatter(_times([worst]), [worst.value], s=60, facecolors="none", edgecolors=INK, zorder=4)
    axes.set_title(
        f"circled: severity {worst.severity or 0.0:.0f}, {reason_of(worst)}",
        loc="left",
        fontsize=8,
        color=INK,
    )


def _draw_scores(axes: Axes, scores: Sequence[Score], labels: Labels, series: str) -> None:
    _draw_windows(axes, series, scores, labels)
    times = _times(scores)
    axes.plot(
        times, [score.score or 0.0 for score in scores], color=SCORE, linewidth=0.8, label="anomaly_score"
    )
    axes.plot(
        times,
        [score.threshold or 0.0 for score in scores],
        color=ALARM,
        linewidth=1.0,
        linestyle="--",
        label="threshold",
    )
    axes.set_ylabel("anomaly_score", color=MUTED, fontsize=8)
    axes.set_ylim(bottom=0)
    _tidy(axes)


def _draw_windows(axes: Axes, series: str, scores: Sequence[Score], labels: Labels) -> None:
    first, last = scores[0].start, scores[-1].start
    label: str | None = "labelled window"
    for begin, end in labels.windows(series):
        if end.timestamp() >= first and begin.timestamp() <= last:
            axes.axvspan(
                begin.timestamp() / SECONDS_PER_DAY,
                end.timestamp() / SECONDS_PER_DAY,
                color=LABEL,
                alpha=0.25,
                linewidth=0,
                label=label,
            )
            label = None


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#cbd2d9")
    axes.tick_params(colors=MUTED, labelsize=8)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.6)
    axes.margins(x=0.005)
    axes.xaxis_date()


def _times(scores: Sequence[Score]) -> list[float]:
    """Return interval starts in matplotlib's unit of dates, days since 1970."""
    return [score.start / SECONDS_PER_DAY for score in scores]
