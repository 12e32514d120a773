"""Charts of a task as PNG: scores over time or rows, histogram with threshold, projection, and, with labels,
confusion matrix and precision-recall curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.service.labels import Labels
from containers.service.picture import Picture, Sample, projection
from containers.service.quality import Quality, precision_recall
from watchkeeper.charts import quality as draw
from watchkeeper.charts.series import Panel, draw_series, labelled_windows, scores_panel
from watchkeeper.charts.style import save

MAX_PANELS = 6


def draw_charts(
    picture: Picture,
    folder: Path,
    *,
    title: str,
    quality: Quality | None = None,
    truth: Labels | None = None,
    raw: npt.NDArray[np.float64] | None = None,
) -> None:
    """Draw every chart that there is something for.

    Parameters
    ----------
    title
        One line that says what was judged by what.
    quality, truth, raw
        The measures, and labels and raw scores of all rows; None without labels.
    """
    sample = picture.sample()
    found = f"{title}   ·   {picture.anomalies:,} of {picture.rows:,} rows are anomalies"
    shown = _panels(sample, picture.threshold)
    x = "row" if sample.times is None else ""
    save(draw_series(f"{found}{_left_out(sample)}", shown, x=x), folder / "series.png")
    histogram = draw.draw_histogram(found, picture.bins, picture.threshold, labelled=picture.labelled)
    save(histogram, folder / "histogram.png")
    plane = projection(sample.values, sample.columns)
    if plane is not None:
        figure = draw.draw_projection(title, *plane, sample.scores.is_anomaly, sample.truth)
        save(figure, folder / "projection.png")
    if quality is None or truth is None or raw is None or not quality.anomalies:
        return
    assert quality.pr_auc is not None  # there are labelled anomalies
    assert quality.recall is not None
    assert quality.precision is not None
    measured = (
        f"{title}   ·   precision {quality.precision:.3f}, recall {quality.recall:.3f}, F1 {quality.f1:.3f}"
    )
    counts = [
        [quality.true_negatives, quality.false_positives],
        [quality.false_negatives, quality.true_positives],
    ]
    save(draw.draw_confusion(measured, np.array(counts)), folder / "confusion_matrix.png")
    curve = draw.draw_precision_recall(
        measured,
        *precision_recall(truth, raw),
        area=quality.pr_auc,
        chance=quality.anomalies / quality.n,
        at_threshold=(quality.recall, quality.precision),
    )
    save(curve, folder / "precision_recall.png")


def _panels(sample: Sample, threshold: float) -> list[Panel]:
    order = np.arange(len(sample)) if sample.times is None else np.argsort(sample.times, kind="stable")
    x = (sample.row if sample.times is None else (sample.times * 1e6).astype("datetime64[us]"))[order]
    known: dict[str, Any] = {"anomalous": sample.scores.is_anomaly[order]}
    if sample.truth is not None:
        known["windows"] = labelled_windows(x, sample.truth[order])
    columns = [
        Panel(title=name, x=x, values=column[order], **known)
        for name, column in zip(sample.columns[:MAX_PANELS], sample.values.T, strict=False)
    ]
    scores = sample.scores.anomaly_score[order]
    return [
        *columns,
        scores_panel("anomaly_score", x, scores, threshold=np.full(len(x), threshold), **known),
    ]


def _left_out(sample: Sample) -> str:
    columns = len(sample.columns)
    notes = f"   ·   the first {MAX_PANELS} of {columns} columns" if columns > MAX_PANELS else ""
    return notes + (f"   ·   one row in {sample.every}, and anomalies" if sample.every > 1 else "")
