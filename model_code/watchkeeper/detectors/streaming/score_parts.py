"""What a score of the streaming detector is made of: its channels and, within them, the rows.

The score is a rising function of the evidence, and evidence adds up (`kernel`): so a part's share of the
evidence is its share of the score. Where the score comes from an onset, the parts are the channels; where it
comes from the level, they are the course of the last hours and what an earlier onset left behind.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.protocol.calibration import is_news
from watchkeeper.detectors.streaming.kernel import constant, week_counts
from watchkeeper.detectors.streaming.state import (
    CALM,
    PATTERN,
    PROFILE,
    RECENT_ROWS,
    SHORT_ROWS,
    SMOOTHED_ROWS,
    VALUE,
)


class ScorePart(NamedTuple):
    """One part of a score."""

    feature: str
    """`range`, `profile`, `pattern`, `calm`, `level` or `aftermath`."""
    lag: int | None
    """Rows before the scored one; None where the part has no place in time."""
    score: float
    """Above 0."""


def score_parts(output: Any, p: Any, before: Any, after: Any, score: float) -> list[ScorePart]:
    """Return the parts of a row's score; they add up to it. No parts of a score of 0.

    Parameters
    ----------
    output : record of `kernel.OUTPUT`
        Of the row.
    p : array of PARAMETERS, shape (1,)
    before, after : array of `state.STATE`, shape (1,)
        The state that the row met, and the one that it left.
    score : float
        The row's anomaly_score.
    """
    news = is_news(output["onset"], output["level"])
    evidence = _onset(output, p, before, after) if news else _level(after[0])
    total = sum(part.score for part in evidence)
    if score <= 0 or total <= 0:
        return []
    return [part._replace(score=part.score / total * score) for part in evidence if part.score > 0]


def _onset(output: Any, p: Any, before: Any, after: Any) -> list[ScorePart]:
    channels = output["channels"][:CALM]
    strongest = int(np.argmax(channels))
    others = min(float(before[0]["rows"]) / constant("warm_rows"), 1.0)
    weights = [float(value) * (1.0 if at == strongest else others) for at, value in enumerate(channels)]
    if output["channels"][CALM] >= sum(weights):
        return [ScorePart("calm", None, float(output["channels"][CALM]))]
    return [
        ScorePart("range", 0, weights[VALUE]),
        *_by_row("profile", weights[PROFILE], _residuals(p, before, after)),
        *_by_row("pattern", weights[PATTERN], _differences(before[0], after[0])),
    ]


def _level(after: Any) -> list[ScorePart]:
    return [
        ScorePart("level", None, float(np.sqrt(after["held_distance"]))),
        ScorePart("aftermath", None, constant("aftermath_weight") * float(after["aftermath"])),
    ]


def _by_row(feature: str, weight: float, shares: Any) -> list[ScorePart]:
    """Share a channel's weight between rows, the newest first."""
    total = math.fsum(shares)  # the same in whatever order
    if total <= 0:
        return [ScorePart(feature, None, weight)]
    return [ScorePart(feature, lag, weight * float(share) / total) for lag, share in enumerate(shares)]


def _residuals(p: Any, before: Any, after: Any) -> Any:
    """Return how far each of the last rows pulls the smoothed residual in its direction."""
    ring, rows = ("week_residuals", "week_residuals_seen") if week_counts(after, p) else ("residuals", "rows")
    newest = int(before[0][rows])
    lags = np.arange(min(newest + 1, SMOOTHED_ROWS))
    residuals = after[0][ring][(newest - lags) % SMOOTHED_ROWS]
    return np.maximum(residuals * np.sign(math.fsum(residuals)), 0.0)


def _differences(before: Any, after: Any) -> Any:
    newest = int(before["slots"])
    return squared_differences(after["recent"], newest, min(newest + 1, RECENT_ROWS), SHORT_ROWS)


def squared_differences(ring: Any, newest: int, filled: int, length: int) -> npt.NDArray[np.float64]:
    """Return how far each element of the newest pattern is from its nearest earlier pattern, newest first.

    The kernel's `nearest_earlier_pattern` is the root of their mean.

    Parameters
    ----------
    ring : array of float32
    newest : int
        Position of the newest element; it may exceed the ring's size.
    filled : int
        How many elements the ring holds.
    length : int
        Elements a pattern.

    Returns
    -------
    ndarray of float64, shape (length,)
        All 0 when there is no earlier pattern without a gap.
    """
    ages = np.arange(length, filled - length + 1)
    offsets = np.arange(length)[:, np.newaxis]
    here = ring[(newest - offsets) % len(ring)].astype(np.float64)
    squares = (here - ring[(newest - ages - offsets) % len(ring)].astype(np.float64)) ** 2
    total = squares.sum(axis=0)
    if not len(ages) or np.isnan(total).all():
        return np.zeros(length)
    nearest: npt.NDArray[np.float64] = squares[:, np.nanargmin(total)]
    return nearest
