"""Anomalies to group."""

from __future__ import annotations

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.timestamps import format_instant
from watchkeeper.features.contributions import Contribution, Explanation

INTERVAL = 300
EPOCH = 1_700_000_100
"""Start of interval 0."""


def anomaly(
    series: str, interval: int, *, severity: float = 80.0, score: float = 2.0, observed: float | None = 12.0
) -> AnomalyEvent:
    """Return the anomaly of an interval, counted from `EPOCH`."""
    return AnomalyEvent(
        workload="air",
        series=series,
        interval_start=format_instant(EPOCH + interval * INTERVAL),
        interval_seconds=INTERVAL,
        observed=observed,
        expected=10.0,
        lower=9.0,
        upper=11.0,
        score=score,
        threshold=1.0,
        severity=severity,
        run_id="run-1",
        execution_arn="arn",
        model_package_arn="",
        contributions=(
            Contribution("value", "no2", 0, score / 3),
            Contribution("range", "no2", None, score / 1.5),
        ),
        explanation=Explanation("detector"),
    )
