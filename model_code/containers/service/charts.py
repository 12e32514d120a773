"""Charts of a task as PNG: scores over time or rows, histogram with threshold, projection, and, with labels,
confusion matrix and precision-recall curve."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.runtime.vendored import use_vendored
from containers.service.labels import Labels
from containers.service.picture import BINS, Picture, Sample, projection
from containers.service.quality import Quality

FloatArray = npt.NDArray[np.float64]

LINE, ANOMALY, LABEL, MUTED = "#1f4e79", "#d62728", "#f6a800", "#9aa5b1"
DPI = 110
MAX_PANELS = 6


def draw_charts(
    picture: Picture,
    folder: Path,
    *,
    title: str,
    quality: Quality | None = None,
    truth: Labels | None = None,
    raw: FloatArray | None = None,
) -> list[Path]:
    """Draw every chart that there is something for.

    Parameters
    ----------
    title
        One line that says what was judged by what.
    quality, truth, raw
        The measures, and labels and raw scores of all rows; None without labels.

    Returns
    -------
    list of Path
        The files.
    """
    # matplotlib keeps its font list in a folder that it must be able to write.
    os.environ.setdefault("MPLCONFIGDIR", tempfile.mkdtemp(prefix="matplotlib-"))
    use_vendored()
    folder.mkdir(parents=True, exist_ok=True)
    sample = picture.sample()
    paths = [
        _series(sample, picture, folder / "series.png", title),
        _histogram(picture, folder / "histogram.png", title),
    ]
    if sample.values.shape[1] > 1:
        paths.append(_projection(sample, folder / "projection.png", title))
    if quality is not None and truth is not None and raw is not None and quality.anomalies:
        paths.append(_confusion(quality, folder / "confusion_matrix.png", title))
        paths.append(_curve(quality, truth, raw, folder / "precision_recall.png", title))
    return paths


def _series(sample: Sample, picture: Picture, path: Path, title: str) -> Path:
    shown = list(range(min(len(sample.columns), MAX_PANELS)))
    figure = _figure(13.0, 2.2 + 1.35 * len(shown))
    panels = figure.subplots(len(shown) + 1, 1, sharex=True, squeeze=False)[:, 0]
    order = np.arange(len(sample)) if sample.times is None else np.argsort(sample.times, kind="stable")
    x = _axis(sample)[order]
    flagged = sample.judgement.label[order]
    for panel, column in zip(panels, shown, strict=False):
        values = sample.values[order, column]
        panel.plot(x, values, color=LINE, linewidth=0.7)
        panel.scatter(x[flagged], values[flagged], s=10, color=ANOMALY, zorder=3)
        panel.set_ylabel(sample.columns[column][:24], fontsize=8)
    scores = sample.judgement.anomaly_score[order]
    panels[-1].plot(x, scores, color=LINE, linewidth=0.6)
    panels[-1].scatter(
        x[flagged], scores[flagged], s=10, color=ANOMALY, zorder=3, label=f"anomaly ({picture.anomalies})"
    )
    panels[-1].axhline(
        picture.threshold,
        color=ANOMALY,
        linewidth=1,
        linestyle="--",
        label=f"threshold {picture.threshold:.3g}",
    )
    panels[-1].set_ylabel("anomaly_score", fontsize=8)
    panels[-1].set_xlabel("row" if sample.times is None else "time (UTC)")
    if sample.truth is not None and sample.truth.any():
        for index, panel in enumerate(panels):
            ticks = x[sample.truth[order]]
            panel.plot(
                ticks,
                np.zeros(len(ticks)),
                "|",
                color=LABEL,
                markersize=7,
                transform=panel.get_xaxis_transform(),
                clip_on=False,
                label="labelled" if index == len(panels) - 1 else None,
            )
    for panel in panels:
        panel.grid(alpha=0.25, linewidth=0.5)
        panel.margins(x=0.01)
        panel.tick_params(labelsize=8)
    panels[-1].set_ylim(0.0, max(1.35 * picture.threshold, 1.35 * float(scores.max(initial=0.0)), 0.1))
    panels[-1].legend(loc="upper left", fontsize=8, ncols=3, framealpha=0.9)
    panels[0].set_title(_full_title(title, sample, len(shown)), fontsize=10, loc="left")
    return _saved(figure, path)


def _histogram(picture: Picture, path: Path, title: str) -> Path:
    figure = _figure(8.0, 4.2)
    axes = figure.subplots()
    edges = np.linspace(0.0, 1.0, BINS + 1)
    ordinary, anomalous = picture.bins
    names = ("labelled 0", "labelled 1") if picture.labelled else ("rows", None)
    axes.bar(edges[:-1], ordinary, width=1 / BINS, align="edge", color=LINE, label=names[0])
    if picture.labelled:
        axes.bar(
            edges[:-1], anomalous, width=1 / BINS, align="edge", color=LABEL, bottom=ordinary, label=names[1]
        )
    axes.axvline(
        picture.threshold,
        color=ANOMALY,
        linestyle="--",
        linewidth=1.2,
        label=f"threshold {picture.threshold:.3g}",
    )
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, 1.6 * max(int((ordinary + anomalous).max()), 1))
    axes.set_xlim(
        0, max(float(edges[np.flatnonzero(ordinary + anomalous).max() + 1]), picture.threshold) + 0.02
    )
    axes.set_xlabel("anomaly_score")
    axes.set_ylabel("rows")
    axes.set_title(
        f"{title}\n{picture.anomalies} of {picture.rows} rows are anomalies", fontsize=10, loc="left"
    )
    axes.grid(alpha=0.25, linewidth=0.5, axis="y")
    axes.legend(fontsize=8)
    return _saved(figure, path)


def _projection(sample: Sample, path: Path, title: str) -> Path:
    found = projection(sample.values)
    assert found is not None
    points, names = found
    names = names if any(names) else (sample.columns[0], sample.columns[1])
    figure = _figure(7.0, 6.0)
    axes = figure.subplots()
    flagged = sample.judgement.label
    axes.scatter(*points[~flagged].T, s=7, color=LINE, alpha=0.45, linewidth=0, label="ordinary")
    axes.scatter(*points[flagged].T, s=16, color=ANOMALY, alpha=0.85, linewidth=0, label="anomaly")
    if sample.truth is not None and sample.truth.any():
        axes.scatter(
            *points[sample.truth].T,
            s=42,
            facecolors="none",
            edgecolors=LABEL,
            linewidths=1.2,
            label="labelled 1",
        )
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.legend(fontsize=8)
    return _saved(figure, path)


def _confusion(quality: Quality, path: Path, title: str) -> Path:
    counts = np.array(
        [
            [quality.true_negatives, quality.false_positives],
            [quality.false_negatives, quality.true_positives],
        ]
    )
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _figure(5.4, 4.8)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column,
            row,
            f"{count}\n{shares[row, column]:.1%}",
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.5 else "black",
        )
    axes.set_xticks([0, 1], ["ordinary", "anomaly"])
    axes.set_yticks([0, 1], ["0", "1"])
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    axes.set_title(f"{title}\n{_measures(quality)}", fontsize=10, loc="left")
    return _saved(figure, path)


def _curve(quality: Quality, truth: Labels, raw: FloatArray, path: Path, title: str) -> Path:
    precision, recall = precision_recall(truth, raw)
    figure = _figure(6.4, 5.2)
    axes = figure.subplots()
    axes.step(recall, precision, where="post", color=LINE, label=f"PR-AUC {quality.pr_auc:.3f}")
    share = quality.anomalies / quality.n
    axes.axhline(share, color=MUTED, linestyle=":", label=f"chance ({share:.3f})")
    if quality.precision is not None and quality.recall is not None:
        axes.scatter(
            [quality.recall],
            [quality.precision],
            color=ANOMALY,
            zorder=3,
            label=f"threshold, F1 {quality.f1:.3f}",
        )
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(0.0, 1.05)
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.legend(fontsize=8)
    return _saved(figure, path)


def precision_recall(truth: Labels, raw: FloatArray, points: int = 400) -> tuple[FloatArray, FloatArray]:
    """Return precision and recall along the curve, from high recall to low, thinned to so many points."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(truth, raw, drop_intermediate=True)
    chosen = np.unique(np.linspace(0, len(precision) - 1, min(points, len(precision))).astype(int))
    return precision[chosen], recall[chosen]


def _axis(sample: Sample) -> npt.NDArray[Any]:
    if sample.times is None:
        return sample.row
    return np.array([datetime.fromtimestamp(moment, timezone.utc) for moment in sample.times], dtype=object)


def _full_title(title: str, sample: Sample, shown: int) -> str:
    notes = [title]
    if shown < len(sample.columns):
        notes.append(f"the first {shown} of {len(sample.columns)} columns")
    if sample.every > 1:
        notes.append(f"one row in {sample.every}, and anomalies")
    return " · ".join(notes)


def _measures(quality: Quality) -> str:
    return f"precision {quality.precision:.3f}, recall {quality.recall:.3f}, F1 {quality.f1:.3f}"


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path)
    return path
