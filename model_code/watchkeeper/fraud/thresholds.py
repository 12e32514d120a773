"""From which probability on a transaction is flagged: a rule, fitted on the validation time."""

from __future__ import annotations

import math

import numpy as np

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.features import DAY_SECONDS, Floats
from watchkeeper.fraud.measures import Ranking, Truth, best_f1
from watchkeeper.fraud.plan import FraudThresholdPlan


def fit_threshold(
    plan: FraudThresholdPlan, fraud: Truth, scores: Floats, times: Floats, amounts: Floats
) -> float:
    """Return the threshold: a transaction whose probability is at least this high is flagged.

    Parameters
    ----------
    times, amounts
        Of the transactions: for a budget of alerts a day, and for the cost of a miss.

    Raises
    ------
    InvalidInputError
        If there is no fraud to fit on, or the rule lacks a number of its own.
    """
    if not fraud.any():
        raise InvalidInputError(
            f"no fraud among the {len(fraud)} labelled transactions of the validation time: give more "
            "history, or a larger history.split.validation",
            reason="too_few_rows",
        )
    if plan.rule == "alert_budget":
        return _within_budget(_needed(plan.alerts_per_day, "alerts_per_day", plan), scores, times)
    if plan.rule == "cost":
        alarm = _needed(plan.cost_of_alarm, "cost_of_alarm", plan)
        miss = np.abs(amounts) if plan.cost_of_miss is None else np.full(len(scores), plan.cost_of_miss)
        return _cheapest(fraud, scores, miss, alarm)
    return best_f1(fraud, scores)[1]


def _needed(value: float | None, name: str, plan: FraudThresholdPlan) -> float:
    if value is None:
        raise InvalidInputError(
            f"threshold.{name} is missing: the rule {plan.rule} needs it", reason="bad_plan"
        )
    return value


def _within_budget(alerts_per_day: float, scores: Floats, times: Floats) -> float:
    """Return the lowest threshold with at most so many flagged a day, on average."""
    days = max((times.max() - times.min()) / DAY_SECONDS, 1.0)
    allowed = int(alerts_per_day * days)
    ranked = -np.sort(-scores)
    if allowed >= len(ranked):
        return float(ranked[-1])
    # what has the probability of the first that is too many is not flagged either
    within = ranked[ranked > ranked[allowed]]
    return float(within[-1]) if len(within) else math.nextafter(float(ranked[0]), math.inf)


def _cheapest(fraud: Truth, scores: Floats, cost_of_miss: Floats, cost_of_alarm: float) -> float:
    ranking = Ranking.of(fraud, scores)
    _, alarms = ranking.counted()
    saved, _ = ranking.counted(cost_of_miss)
    gain = saved - cost_of_alarm * alarms
    best = int(np.argmax(gain))
    if gain[best] <= 0.0:  # every alert costs more than it saves
        return math.nextafter(float(ranking.scores[0]), math.inf)
    return float(ranking.scores[best])
