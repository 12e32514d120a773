"""Thresholds: how high an anomaly_score must be to be an anomaly, fitted on scores of a held-back part."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import ThresholdPlan
from watchkeeper.core.severity import score_below

SECONDS_PER_WEEK = 7 * 86_400
ADAPTIVE = "adaptive"
"""The rule whose thresholds move; see `watchkeeper.judgement.adaptation`."""
RARITY = "rarity"
"""The rule of the streaming detector's own calibration: its value is the largest score that is no anomaly. It
is not fitted, and severities are the detector's."""
ALERT_BUDGET = "alert_budget"
"""The rule by the alerts of a week that are wanted: fitted where series and times are known, in
`watchkeeper.judgement.budget`."""
SMALL_SHAPE = 1e-9
"""Below it a generalised Pareto distribution is taken as the exponential one."""

Rule = Callable[[Sequence[float], ThresholdPlan], tuple[float, dict[str, float]]]
"""Scores and settings in; the threshold and what it was made from out. With a parameter `risk`, the rule
states that usual scores are above the threshold with this probability."""


@dataclass(frozen=True)
class Threshold:
    """A fitted threshold."""

    rule: str
    value: float
    """An anomaly_score above it is an anomaly; of the rule `adaptive`, where each series begins."""
    parameters: dict[str, float]
    """What the rule was given and found, such as `k`, `mean` and `sigma`."""
    n_scores: int
    """Number of scores that it was fitted on."""


def fit_threshold(scores: Sequence[float], plan: ThresholdPlan) -> Threshold:
    """Fit the plan's rule.

    Parameters
    ----------
    scores
        Anomaly scores of intervals that the model was not trained on; at least two.

    Raises
    ------
    InvalidInputError
        If there are fewer than two scores (reason `too_few_scores`), or one is not finite (`not_finite`).
    """
    if len(scores) < 2:
        raise InvalidInputError(
            f"a threshold needs at least 2 scores of held-back intervals, there are {len(scores)}: "
            "is the history long enough?",
            reason="too_few_scores",
        )
    for position, score in enumerate(scores):
        if not math.isfinite(score):
            raise InvalidInputError(f"score {position} is {score}", reason="not_finite")
    value, parameters = RULES[plan.rule](scores, plan)
    return Threshold(plan.rule, value, parameters, len(scores))


def expected_alerts_per_week(
    scores: Sequence[float], threshold: Threshold, interval_seconds: int, n_series: int = 1
) -> float:
    """Return how many alerts a week the threshold's rule expects if scores stay as they were.

    The share of intervals above the threshold, times the intervals of a week, times the series. The share is
    the rule's `risk` where it has one, else that of `scores`. Neighbouring anomalies are not merged (but by
    `adaptive`, which counts beginnings) and alerts are not throttled, so it is an upper estimate.
    """
    if not scores:
        return 0.0
    if threshold.rule == ALERT_BUDGET:
        return threshold.parameters["alerts"] / threshold.parameters["weeks"]
    above = sum(score > threshold.value for score in scores) / len(scores)
    share = threshold.parameters.get("risk", above)
    return share * SECONDS_PER_WEEK / interval_seconds * n_series


def quantile(ordered: Sequence[float], probability: float) -> float:
    """Return a quantile of ascending numbers, interpolated linearly (as `numpy.quantile` does).

    Parameters
    ----------
    ordered
        Ascending; not empty.
    probability
        In [0, 1].
    """
    position = probability * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def _mean_sigma(scores: Sequence[float], plan: ThresholdPlan) -> tuple[float, dict[str, float]]:
    mean, sigma = statistics.fmean(scores), statistics.pstdev(scores)
    return mean + plan.k * sigma, {"k": plan.k, "mean": mean, "sigma": sigma}


def _quantile(scores: Sequence[float], plan: ThresholdPlan) -> tuple[float, dict[str, float]]:
    return quantile(sorted(scores), plan.quantile), {"quantile": plan.quantile}


def _peaks_over_threshold(scores: Sequence[float], plan: ThresholdPlan) -> tuple[float, dict[str, float]]:
    """Extrapolate the tail: a generalised Pareto distribution of what is above a high quantile.

    The quantile of probability ``1 - risk`` is equation 1 of Siffer et al. (2017), "Anomaly detection in
    streams with extreme value theory"; shape and scale are estimated by probability-weighted moments (Hosking
    and Wallis, 1987). Where the excesses have no spread the tail's beginning is the threshold.
    """
    ordered = sorted(scores)
    begin = quantile(ordered, 1.0 - plan.tail)
    excesses = [score - begin for score in ordered if score > begin]
    shape, scale = _pareto(excesses)
    share = len(excesses) / len(ordered)
    value = begin
    if scale > 0.0 and share > plan.risk:
        growth = math.log(share / plan.risk)
        value += scale * (growth if abs(shape) < SMALL_SHAPE else math.expm1(shape * growth) / shape)
    return value, {
        **{"risk": plan.risk, "tail": plan.tail, "begin": begin, "excesses": float(len(excesses))},
        **{"shape": shape, "scale": scale},
    }


def _adaptive(scores: Sequence[float], plan: ThresholdPlan) -> tuple[float, dict[str, float]]:
    """Begin where peaks_over_threshold is, and set step and limits in distances from the median to there."""
    value, fitted = _peaks_over_threshold(scores, plan)
    from_median = value - quantile(sorted(scores), 0.5)
    # a fraction of anything smaller may vanish
    distance = next(each for each in (from_median, abs(value), 1.0) if each >= sys.float_info.min)
    return value, {
        **{name: fitted[name] for name in ("risk", "tail", "begin", "excesses", "shape", "scale")},
        **{"step": plan.step, "reach": plan.reach, "rise": plan.step * distance},
        **{"low": value - plan.reach * distance, "high": value + plan.reach * distance},
    }


def _rarity(scores: Sequence[float], plan: ThresholdPlan) -> tuple[float, dict[str, float]]:
    return score_below(plan.rarity), {"rarity": plan.rarity, "risk": 10.0**-plan.rarity}


def _alert_budget(scores: Sequence[float], plan: ThresholdPlan) -> tuple[float, dict[str, float]]:
    """Return where no score would be an anomaly: from there, the alerts that are wanted lower it."""
    return max(scores), {"per_week": plan.per_week}


def _pareto(excesses: Sequence[float]) -> tuple[float, float]:
    """Return shape and scale of the generalised Pareto distribution of ascending excesses."""
    n = len(excesses)
    if n < 2:
        return 0.0, 0.0
    mean = statistics.fmean(excesses)
    weighted = math.fsum(excess * (n - 1 - rank) / (n - 1) for rank, excess in enumerate(excesses)) / n
    spread = mean - 2.0 * weighted
    if spread <= 0.0:
        return 0.0, 0.0
    return 2.0 - mean / spread, 2.0 * mean * weighted / spread


RULES: dict[str, Rule] = {
    "mean_sigma": _mean_sigma,
    "quantile": _quantile,
    "peaks_over_threshold": _peaks_over_threshold,
    ADAPTIVE: _adaptive,
    RARITY: _rarity,
    ALERT_BUDGET: _alert_budget,
}
