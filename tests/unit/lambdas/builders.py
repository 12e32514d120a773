"""Plans, releases, runs and telemetry for tests of the Lambda functions."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from lambdas.scoring.telemetry_object import TelemetryObject
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.plan import (
    AlertPlan,
    AlertRoute,
    FeaturePlan,
    MeasurePlan,
    TimestampPlan,
    WorkloadPlan,
)
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.notice import IncidentNotice, Told, notice_of
from watchkeeper.judgement.evaluation import Evaluation, Metrics
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.lifecycle.release import Release
from watchkeeper.lifecycle.run import TrainingRun, training_run

BUCKET = "telemetry-bucket"
WORKLOAD = "pump"
BEGIN = datetime(2024, 1, 1, tzinfo=timezone.utc)
INTERVAL_SECONDS = 60
LATENESS_SECONDS = 300
THRESHOLD = 5.0
CALIBRATION_SCORES = tuple(float(score) for score in range(6))


def make_plan(**changes: Any) -> WorkloadPlan:
    """A plan of one measure and one dimension."""
    plan = WorkloadPlan(
        workload=WORKLOAD,
        timestamp=TimestampPlan(field="time"),
        measures=(MeasurePlan("pressure", "pressure"),),
        interval_seconds=INTERVAL_SECONDS,
        dimensions=("device",),
        lateness_seconds=LATENESS_SECONDS,
        features=FeaturePlan(shingle=3),
        alerts=AlertPlan(
            routes=(AlertRoute("operations", 70.0), AlertRoute("oncall", 90.0)), throttle_seconds=3600
        ),
    )
    return dataclasses.replace(plan, **changes)


def make_run(minute: int = 0, workload: str = WORKLOAD) -> TrainingRun:
    """The run of an execution that was started so many minutes after `BEGIN`."""
    return training_run(
        workload=workload,
        bucket=BUCKET,
        execution_arn=f"arn:aws:states:us-east-1:123456789012:execution:train:{minute}",
        started_at=BEGIN + timedelta(minutes=minute),
        reason="manual",
    )


def make_release(minute: int = 0, **changes: Any) -> Release:
    """The release of `make_run(minute)`; its threshold is `THRESHOLD`."""
    run = make_run(minute)
    release = Release(
        workload=run.workload,
        run_id=run.run_id,
        execution_arn=run.execution_arn,
        endpoint=run.names.endpoint,
        endpoint_config=run.names.endpoint_config,
        model=run.names.model,
        model_package_arn=f"arn:aws:sagemaker:us-east-1:123456789012:model-package/pump/{minute}",
        threshold=make_threshold(),
        severity=fit_severity(CALIBRATION_SCORES, THRESHOLD),
        step_scales={"pressure|device=a": 1.0, "pressure|device=b": 2.0},
        probe_row=f"2024-01-01T00:00:00Z,pressure|device=a,{minute}.25",
        probe_score=1000.0 + minute,
        metrics={"alerts_per_week": 1.0},
        released_at="2024-01-01T00:00:00Z",
    )
    return dataclasses.replace(release, **changes)


def make_threshold() -> Threshold:
    """A threshold of 5."""
    return Threshold("mean_sigma", THRESHOLD, {"k": 3.0, "mean": 2.0, "sigma": 1.0}, len(CALIBRATION_SCORES))


def make_moving_threshold() -> Threshold:
    """A threshold that begins at 5, and moves from 3 to 8."""
    return Threshold("adaptive", THRESHOLD, {"risk": 0.1, "rise": 2.0, "low": 3.0, "high": 8.0}, 6)


def make_metrics(**changes: Any) -> Metrics:
    """Metrics of a good candidate without labels."""
    metrics = Metrics(threshold=THRESHOLD, n=100, anomalies=1, alerts_per_week=1.0, distinct_scores=90)
    return dataclasses.replace(metrics, **changes)


def make_evaluation(run: TrainingRun, **changes: Any) -> Evaluation:
    """An evaluation that the gate approves."""
    evaluation = Evaluation(
        workload=run.workload,
        run_id=run.run_id,
        labelled=False,
        threshold=make_threshold(),
        severity=fit_severity(CALIBRATION_SCORES, THRESHOLD),
        candidate=make_metrics(),
        baseline=make_metrics(alerts_per_week=3.0),
        champion=None,
        step_scales={"pressure|device=a": 1.0},
        n_calibrate=len(CALIBRATION_SCORES),
    )
    return dataclasses.replace(evaluation, **changes)


def run_payload(run: TrainingRun, **more: Any) -> dict[str, Any]:
    """What a state of a run passes to its function."""
    return {"workload": WORKLOAD, "run": json.loads(json.dumps(run.to_dict())), **more}


def make_event(minute: int = 0, severity: float = 80.0, device: str = "a", **changes: Any) -> AnomalyEvent:
    """An anomaly of the interval that begins so many minutes after `BEGIN`."""
    start = BEGIN + timedelta(minutes=minute)
    event = AnomalyEvent(
        workload=WORKLOAD,
        series=f"pressure|device={device}",
        interval_start=start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        interval_seconds=INTERVAL_SECONDS,
        observed=90.0,
        expected=10.0,
        lower=7.0,
        upper=13.0,
        score=9.0,
        threshold=THRESHOLD,
        severity=severity,
        run_id="1",
        execution_arn="arn:aws:states:us-east-1:123456789012:execution:train:1",
        model_package_arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/pump/1",
    )
    return dataclasses.replace(event, **changes)


def make_notice(
    minute: int = 0, severity: float = 80.0, device: str = "a", what: Told = "opened", **changes: Any
) -> IncidentNotice:
    """What is told of the incident that an anomaly makes; see `make_event`."""
    event = make_event(minute, severity, device, **changes)
    [incident] = incidents_of([event], GroupingRule(gap_seconds=3 * INTERVAL_SECONDS))
    return notice_of(what, incident, None if what == "closed" else event)


def reading(second: float, value: Any, device: str = "a", **fields: Any) -> str:
    """A line of telemetry, so many seconds after `BEGIN`."""
    time = (BEGIN + timedelta(seconds=second)).isoformat()
    return json.dumps({"time": time, "device": device, "pressure": value, "workload": WORKLOAD, **fields})


def raw_object(name: str) -> TelemetryObject:
    """An object as the delivery stream names it."""
    hour = "year=2024/month=01/day=01/hour=00"
    return TelemetryObject(
        bucket=BUCKET, key=f"raw/workload={WORKLOAD}/{hour}/{name}.gz", version=f"v-{name}"
    )


def packed_lines(lines: Sequence[str]) -> bytes:
    """Gzipped JSON lines."""
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
