"""A threshold by the alerts that are wanted: the lowest with which held-back scores raise no more of them.

An alert is an anomaly that is not within the plan's throttle of its series' alert before it. Taken over all
series, the most alerts that a set of anomalies can raise grows with the set, so that a search by halves finds
the threshold. Rules of a measure are not asked: with them there are fewer alerts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.thresholds import ALERT_BUDGET, SECONDS_PER_WEEK, Threshold, fit_threshold

Case = tuple[str, int, float]
"""Series key, start of the interval in seconds since 1970, and anomaly_score."""


def alerts_among(anomalies: Sequence[tuple[str, int]], throttle_seconds: int) -> list[int]:
    """Return the positions of the anomalies that alert: a series alerts again after the throttle time only.

    Parameters
    ----------
    anomalies
        Series key and start, in seconds since 1970; in the order of time.
    """
    raised: dict[str, int] = {}
    alerts = []
    for position, (series, start) in enumerate(anomalies):
        if series not in raised or start - raised[series] >= throttle_seconds:
            raised[series] = start
            alerts.append(position)
    return alerts


def fit_plan_threshold(cases: Sequence[Case], plan: WorkloadPlan) -> Threshold:
    """Fit the threshold of a plan on held-back intervals.

    Parameters
    ----------
    cases
        Intervals that are not labelled as anomalies, in any order; at least two.

    Raises
    ------
    InvalidInputError
        As `fit_threshold`.
    """
    fitted = fit_threshold([score for _, _, score in cases], plan.threshold)
    if fitted.rule != ALERT_BUDGET:
        return fitted
    starts = [start for _, start, _ in cases]
    weeks = (max(starts) - min(starts) + plan.interval_seconds) / SECONDS_PER_WEEK
    wanted = math.floor(plan.threshold.per_week * weeks)
    ordered = sorted(cases, key=lambda case: (-case[2], case[0], case[1]))

    def alerts(highest: int) -> int:
        anomalies = sorted((start, series) for series, start, _ in ordered[:highest])
        return len(
            alerts_among([(series, start) for start, series in anomalies], plan.alerts.throttle_seconds)
        )

    few, many = 0, 1  # with the highest `few` scores, alerts are not too many
    while many < len(ordered) and alerts(many) <= wanted:
        few, many = many, 2 * many
    many = min(many, len(ordered))
    while few < many:
        middle = (few + many + 1) // 2
        few, many = (middle, many) if alerts(middle) <= wanted else (few, middle - 1)
    value = ordered[min(few, len(ordered) - 1)][2]  # a score is an anomaly above it
    above = sum(score > value for _, _, score in ordered[:few])
    found = {"per_week": plan.threshold.per_week, "weeks": weeks, "alerts": float(alerts(above))}
    return Threshold(ALERT_BUDGET, value, found, len(cases))
