"""Plans that the tests here share."""

from __future__ import annotations

from watchkeeper.core.plan import FeaturePlan, MeasurePlan, SplitPlan, TimestampPlan, WorkloadPlan

HOUR = 3600


def hourly(**changes: object) -> WorkloadPlan:
    """A workload of one measure, `flow`, every hour."""
    settings: dict[str, object] = {
        "workload": "water",
        "timestamp": TimestampPlan("time"),
        "measures": (MeasurePlan("flow", "flow"),),
        "interval_seconds": HOUR,
        "features": FeaturePlan(shingle=3),
        "split": SplitPlan(0.6, 0.2),
        **changes,
    }
    return WorkloadPlan(**settings)  # type: ignore[arg-type]
