"""From what a user writes to what the running parts know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchkeeper.core.plan import (
    AlertPlan,
    AlertRoute,
    DetectorPlan,
    FeaturePlan,
    GatePlan,
    MeasurePlan,
    SplitPlan,
    ThresholdPlan,
    TimestampPlan,
    WorkloadPlan,
)
from watchkeeper.spec.detection import RegisteredDetector, WatchkeeperDetector

if TYPE_CHECKING:
    from datetime import timedelta

    from watchkeeper.spec.types import AnomalyWorkload


def plan_of(spec: AnomalyWorkload) -> WorkloadPlan:
    """Return the detection plan of a spec."""
    return WorkloadPlan(
        workload=spec.name,
        timestamp=TimestampPlan(**spec.source.timestamp.model_dump()),
        record_id_field=spec.source.record_id,
        measures=tuple(MeasurePlan(**measure.model_dump()) for measure in spec.measures),
        dimensions=tuple(spec.dimensions),
        interval_seconds=_seconds(spec.interval),
        lateness_seconds=_seconds(spec.lateness),
        max_gap_intervals=spec.max_gap_intervals,
        history_seconds=None if spec.history.window is None else _seconds(spec.history.window),
        split=SplitPlan(**spec.history.split.model_dump()),
        features=_features(spec),
        detector=_detector(spec),
        threshold=ThresholdPlan(**spec.threshold.model_dump()),
        gate=GatePlan(**spec.gate.model_dump()),
        alerts=AlertPlan(
            routes=tuple(AlertRoute(route.channel, route.severity_at_least) for route in spec.alerts.routes),
            throttle_seconds=_seconds(spec.alerts.throttle),
        ),
    )


def _detector(spec: AnomalyWorkload) -> DetectorPlan:
    if isinstance(spec.detector, RegisteredDetector):
        return DetectorPlan(spec.detector.algorithm, {"version": spec.detector.version})
    return DetectorPlan(**spec.detector.model_dump())


def _features(spec: AnomalyWorkload) -> FeaturePlan:
    if isinstance(spec.detector, WatchkeeperDetector):
        # the rows' lags are what it replays: docs/adr/0005
        return FeaturePlan(shingle=spec.detector.hyperparameters.context, differences=False)
    return FeaturePlan(**spec.features.model_dump())


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
