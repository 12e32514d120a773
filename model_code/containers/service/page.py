"""One page with the charts of a task that can be zoomed and asked; it needs nothing but itself."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.service.labels import Labels
from containers.service.picture import Picture, projection
from containers.service.quality import Quality, precision_recall

FloatArray = npt.NDArray[np.float64]

TEMPLATE = Path(__file__).with_name("page.html")
DIGITS = 6


def write_page(
    picture: Picture,
    path: Path,
    *,
    title: str,
    about: str,
    quality: Quality | None = None,
    truth: Labels | None = None,
    raw: FloatArray | None = None,
) -> None:
    """Write the page.

    Parameters
    ----------
    title, about
        The heading, and a sentence on what was judged by what.
    quality, truth, raw
        The measures, and labels and raw scores of all rows; None without labels.
    """
    sample = picture.sample()
    plane = projection(sample.values, sample.columns)
    scores = sample.scores
    document: dict[str, Any] = {
        "about": about if sample.every == 1 else f"{about} Shown: one row in {sample.every}, and anomalies.",
        "tiles": _tiles(picture, quality),
        "columns": sample.columns,
        "row": sample.row.tolist(),
        "times": None if sample.times is None else sample.times.tolist(),
        "values": [_rounded(column) for column in sample.values.T],
        "score": _rounded(scores.anomaly_score),
        "severity": _rounded(scores.severity),
        "label": scores.is_anomaly.astype(int).tolist(),
        "truth": None if sample.truth is None else sample.truth.astype(int).tolist(),
        "threshold": round(picture.threshold, DIGITS),
        "bins": picture.bins.tolist(),
        "plane": None if plane is None else [_rounded(point) for point in plane[0]],
        "axes": None if plane is None else plane[1],
        "quality": None if quality is None else quality.to_dict(),
        "curve": None,
    }
    if quality is not None and quality.anomalies and truth is not None and raw is not None:
        document["curve"] = [_rounded(line) for line in precision_recall(truth, raw)]
    data = json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    text = TEMPLATE.read_text(encoding="utf-8").replace("__TITLE__", html.escape(title))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("__DATA__", data), encoding="utf-8")


def _tiles(picture: Picture, quality: Quality | None) -> list[tuple[str, float | int | str | None]]:
    tiles: list[tuple[str, float | int | str | None]] = [
        ("rows", picture.rows),
        ("anomalies found", picture.anomalies),
        ("threshold", round(picture.threshold, DIGITS)),
    ]
    if quality is not None and quality.anomalies:
        tiles += [
            ("labelled anomalies", quality.anomalies),
            ("precision", quality.precision),
            ("recall", quality.recall),
            ("F1", quality.f1),
            ("PR-AUC", quality.pr_auc),
            ("ROC-AUC", quality.roc_auc),
        ]
    return tiles


def _rounded(values: FloatArray) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values.tolist()]
