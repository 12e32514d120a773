"""Thresholds that move with a series: where one stands, and how the next score moves it.

A threshold of the rule `adaptive` begins at its fitted value for each series. An interval that begins an
anomaly raises it by `rise`, and each ordinary one lowers it by as much as makes the two cancel when the share
`risk` of intervals begins one; an anomaly that goes on does not move it, so a failure that lasts does not
hide itself. It stays between `low` and `high`. This is adaptive conformal inference (Gibbs and Candès, 2021)
for the alerts of a series: between the limits, n intervals begin `n * risk + (moved / rise)` anomalies,
whatever the scores are.

Each interval is judged by the threshold that the intervals before it left. The other rules do not move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.judgement.thresholds import ADAPTIVE, Threshold


@dataclass(frozen=True)
class Adaptation:
    """Where the threshold of one series stands."""

    run_id: str
    """The training run whose threshold it began at: that of another model begins anew."""
    value: float
    alerting: bool = False
    """Whether the interval before was an anomaly."""


def threshold_now(threshold: Threshold, run_id: str, adaptation: Adaptation | None) -> float:
    """Return the score above which the next interval is an anomaly."""
    if threshold.rule != ADAPTIVE or adaptation is None or adaptation.run_id != run_id:
        return threshold.value
    return adaptation.value


def adapted(
    threshold: Threshold, run_id: str, adaptation: Adaptation | None, score: float
) -> Adaptation | None:
    """Return where the threshold stands after the next score; None of a rule that does not move."""
    if threshold.rule != ADAPTIVE:
        return None
    value = threshold_now(threshold, run_id, adaptation)
    alerting = adaptation is not None and adaptation.run_id == run_id and adaptation.alerting
    rise, risk = threshold.parameters["rise"], threshold.parameters["risk"]
    if score > value:
        moved = value if alerting else value + rise * (1.0 - risk)
        return Adaptation(run_id, min(moved, threshold.parameters["high"]), alerting=True)
    return Adaptation(run_id, max(value - rise * risk, threshold.parameters["low"]))


def thresholds_of(series: Sequence[str], scores: Sequence[float], threshold: Threshold) -> list[float]:
    """Return the threshold that judges each score, as the scoring loop would have it from the first row on.

    Parameters
    ----------
    series
        The series of each score; in time order in every series.
    """
    standing: dict[str, Adaptation | None] = {}
    found = []
    for name, score in zip(series, scores, strict=True):
        found.append(threshold_now(threshold, "", standing.get(name)))
        standing[name] = adapted(threshold, "", standing.get(name), score)
    return found
