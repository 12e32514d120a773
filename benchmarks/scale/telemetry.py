"""Telemetry of a fleet: objects as the delivery stream writes them, with late and repeated records."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from watchkeeper.core.plan import DetectorPlan, FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.severity import score_below
from watchkeeper.core.timestamps import EPOCH, format_instant
from watchkeeper.detectors.streaming.detector import DEFAULT_ALERT_RARITY
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import RARITY, Threshold
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.readings import Source

WORKLOAD = "fleet"
INTERVAL_SECONDS = 300
FIRST = 1_764_547_200  # 2025-12-01
PLAN = WorkloadPlan(
    WORKLOAD,
    TimestampPlan("t"),
    (MeasurePlan("load", "load"),),
    INTERVAL_SECONDS,
    dimensions=("device",),
    lateness_seconds=INTERVAL_SECONDS,
    record_id_field="id",
    features=FeaturePlan(shingle=1),
    detector=DetectorPlan("watchkeeper"),
)
RELEASE = Release(
    workload=WORKLOAD,
    run_id="20251201T000000Z",
    execution_arn="arn",
    endpoint="",
    endpoint_config="",
    model="",
    model_package_arn="",
    threshold=Threshold(RARITY, score_below(DEFAULT_ALERT_RARITY), {}, 0),
    severity=fit_severity([0.0, 1.0], 1.0),
    step_scales={},
    probe_row="",
    probe_score=0.0,
    metrics={},
    released_at="2025-12-01T00:00:00Z",
    stream=StreamModel({}, DEFAULT_ALERT_RARITY),
)
_PERIOD = 288
_SPIKE = 0.0005


def source_of(name: str, interval: int, bucket: str) -> tuple[str, Source]:
    """Return an object's key and what the step is told of it."""
    arrived = EPOCH + timedelta(seconds=FIRST + interval * INTERVAL_SECONDS)
    hour = arrived.strftime("%Y-%m-%dT%H")
    folder = arrived.strftime("year=%Y/month=%m/day=%d/hour=%H")
    key = f"raw/workload={WORKLOAD}/{folder}/{interval:08d}-{name}.gz"
    return key, Source(f"{key}#1", hour, key, f"s3://{bucket}/{key}", "1")


def interval_lines(
    series: int, interval: int, *, late: float = 0.0, repeated: float = 0.0, seed: int = 7
) -> list[bytes]:
    """Return the lines of an interval, one a series; some come twice, and some of three intervals before."""
    generator = np.random.default_rng([seed, interval])
    phase = np.random.default_rng(seed).uniform(0, _PERIOD, series)
    values = 50 + 20 * np.sin((interval + phase) * 2 * np.pi / _PERIOD) + generator.normal(0, 1, series)
    values[generator.random(series) < _SPIKE] += 40
    lines = [
        _line(device, interval, float(values[device]), "on_time")
        for device in generator.permutation(series).tolist()
    ]
    lines += [lines[place] for place in np.flatnonzero(generator.random(series) < repeated).tolist()]
    for device in np.flatnonzero(generator.random(series) < late).tolist():
        lines.append(_line(device, interval - 3, 0.0, f"late-{interval}"))
    return lines


def _line(device: int, interval: int, value: float, delivery: str) -> bytes:
    time = format_instant(FIRST + interval * INTERVAL_SECONDS + 10)
    record = {"t": time, "device": f"d{device:07d}", "load": round(value, 3)}
    return json.dumps({**record, "id": f"{device}-{interval}-{delivery}"}).encode()


def objects(lines: list[bytes], most: int) -> Iterator[bytes]:
    """Yield lines as gzipped objects of at most so many lines."""
    for first in range(0, len(lines), most):
        yield gzip.compress(b"\n".join(lines[first : first + most]) + b"\n", 1, mtime=0)
