"""The Numenta Anomaly Benchmark's scoring.

Source: Lavin & Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", ICMLA 2015, and the benchmark's
own scorer, whose published results this one reproduces (`tests/unit/detectors/test_nab_scoring.py`).

A detection inside a window earns up to `tpWeight`, more the earlier it is; only the best of a window
counts, and a window without one costs `fnWeight`. A detection outside costs up to `fpWeight`, less just
after a window. The total of the corpus is stated on a scale where detecting nothing is 0 and detecting
every window at its first row, without a false alarm, is 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality.corpus import LabelledSeries

FloatArray = npt.NDArray[np.float64]
NEVER = float("inf")


@dataclass(frozen=True)
class Profile:
    """What a detection, a miss and a false alarm weigh."""

    name: str
    tp_weight: float
    fp_weight: float
    fn_weight: float


PROFILES = (
    Profile("standard", 1.0, 0.11, 1.0),
    Profile("reward_low_FP_rate", 1.0, 0.22, 1.0),
    Profile("reward_low_FN_rate", 1.0, 0.11, 2.0),
)


@dataclass(frozen=True)
class GainCurve:
    """What a series gains when the threshold falls past each of its scores.

    Attributes
    ----------
    levels : ndarray, shape (n_steps,)
        Scores, highest first. A row counts as detected when its score is at least the threshold.
    gains : ndarray, shape (n_steps,)
        Change of the raw total when the threshold falls to `levels[i]`.
    start : float
        Raw total of detecting nothing.
    windows : int
    tp_weight : float
    """

    levels: FloatArray
    gains: FloatArray
    start: float
    windows: int
    tp_weight: float

    def at(self, threshold: float) -> float:
        """Return the raw total of the series with this threshold."""
        return self.start + float(self.gains[self.levels >= threshold].sum())


def gain_curve(series: LabelledSeries, scores: FloatArray, profile: Profile) -> GainCurve:
    """Return how the raw total of a series depends on the threshold.

    Parameters
    ----------
    series : LabelledSeries
    scores : ndarray, shape (n_rows,)
        Higher is more anomalous.
    profile : Profile

    Raises
    ------
    ValueError
        Not one finite score a row.
    """
    if scores.shape != series.values.shape or not np.isfinite(scores).all():
        raise ValueError(f"{series.name}: expected {len(series.values)} finite scores")
    worth, window_of = _worth_of_rows(series, profile)
    scored = np.arange(len(scores)) >= series.probation_rows
    outside = scored & (window_of < 0)
    levels, gains = [scores[outside]], [worth[outside]]
    for number in range(len(series.windows)):
        rows = np.flatnonzero(scored & (window_of == number))
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        best = np.maximum.accumulate(np.concatenate(([-profile.fn_weight], worth[rows])))
        steps = np.diff(best)
        levels.append(scores[rows][steps > 0])
        gains.append(steps[steps > 0])
    level, gain = np.concatenate(levels), np.concatenate(gains)
    order = np.argsort(-level, kind="stable")
    counted = sum(bool((scored & (window_of == number)).any()) for number in range(len(series.windows)))
    return GainCurve(
        level[order], gain[order], -profile.fn_weight * counted, len(series.windows), profile.tp_weight
    )


def best_threshold(curves: Sequence[GainCurve]) -> float:
    """Return the threshold with the highest total over these series; the highest of equals."""
    level = np.concatenate([curve.levels for curve in curves])
    order = np.argsort(-level, kind="stable")
    level = level[order]
    total = np.cumsum(np.concatenate([curve.gains for curve in curves])[order])
    last_of_ties = np.append(np.diff(level) != 0, True)
    total, level = total[last_of_ties], level[last_of_ties]
    if not len(total) or total.max() <= 0:
        return NEVER
    return float(level[np.argmax(total)])


def normalized_score(curves: Sequence[GainCurve], thresholds: Sequence[float], profile: Profile) -> float:
    """Return the score of these series, each with its own threshold: 0 is detecting nothing, 100 is
    perfect."""
    raw = sum(curve.at(threshold) for curve, threshold in zip(curves, thresholds, strict=True))
    windows = sum(curve.windows for curve in curves)
    null = -profile.fn_weight * windows
    return 100.0 * (raw - null) / (profile.tp_weight * windows - null)


def score_corpus(
    corpus: Sequence[LabelledSeries], scores: Sequence[FloatArray], profile: Profile
) -> tuple[float, float]:
    """Return (normalized score, threshold) with the threshold that is best on the whole corpus, as the
    leaderboard does."""
    curves = [gain_curve(series, score, profile) for series, score in zip(corpus, scores, strict=True)]
    threshold = best_threshold(curves)
    return normalized_score(curves, [threshold] * len(curves), profile), threshold


def score_with_threshold_from_other_files(
    corpus: Sequence[LabelledSeries],
    scores: Sequence[FloatArray],
    profile: Profile,
    *,
    draws: int = 200,
    random_state: int = 0,
) -> FloatArray:
    """Return the score of each of `draws` random halvings of the corpus, shape (draws,).

    In each draw, every half is scored with the threshold that is best on the other half: no file takes part
    in choosing the threshold that it is scored with.
    """
    curves = [gain_curve(series, score, profile) for series, score in zip(corpus, scores, strict=True)]
    generator = np.random.default_rng(random_state)
    results = np.empty(draws)
    for draw in range(draws):
        first = generator.permutation(len(curves)) < len(curves) // 2
        of_first = best_threshold([curve for curve, member in zip(curves, first, strict=True) if member])
        of_second = best_threshold([curve for curve, member in zip(curves, first, strict=True) if not member])
        results[draw] = normalized_score(curves, np.where(first, of_second, of_first).tolist(), profile)
    return results


def _worth_of_rows(series: LabelledSeries, profile: Profile) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return what a detection on each row is worth, and the number of the row's window (-1 outside)."""
    rows = np.arange(len(series.values))
    worth = np.full(len(rows), -profile.fp_weight)
    window_of = np.full(len(rows), -1, dtype=np.int64)
    at_first_row = _scaled_sigmoid(np.array(-1.0))
    for number, (first, last) in enumerate(series.windows):
        width = last - first + 1
        inside = slice(first, last + 1)
        worth[inside] = profile.tp_weight * _scaled_sigmoid(-(last - rows[inside] + 1) / width) / at_first_row
        window_of[inside] = number
        after = slice(last + 1, len(rows))
        worth[after] = profile.fp_weight * _scaled_sigmoid((rows[after] - last) / (width - 1))
    return worth, window_of


def _scaled_sigmoid(position: FloatArray) -> FloatArray:
    """Return 1 long before the end of a window (position 0), falling to -1 three widths past it."""
    return np.where(position > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(position, 3.0))) - 1.0)
