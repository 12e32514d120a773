"""Histories with anomalies in known places, as files and as what devices send."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.unit.watchkeeper.shelves import PLAN
from watchkeeper.backtest.outcome import Version
from watchkeeper.backtest.scores import closed_intervals
from watchkeeper.core.plan import MeasurePlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.telemetry.columns import intervals_of, read_columns
from watchkeeper.telemetry.labels import Labels

MINUTES = 1600
FAULTS = {"a": (1300, 1301, 1302), "b": (700, 1400)}
Reading = tuple[int, str, float, float | None]
"""Minute, device, and the values of two measures."""


def plan_of_two(**changes: Any) -> WorkloadPlan:
    measures = (MeasurePlan("m", "m"), MeasurePlan("n", "n", "sum", missing="previous"))
    return replace(PLAN, **{"measures": measures, **changes})


def readings_of(devices: str = "abc", minutes: int = MINUTES, seed: int = 1) -> list[Reading]:
    """Noise, with faults of 12 standard deviations; device c is silent for a while."""
    chooser = random.Random(seed)
    found: list[Reading] = []
    for minute in range(minutes):
        for device in devices:
            value, other = chooser.gauss(10, 1), chooser.gauss(0, 0.1)
            if device == "c" and 500 <= minute < 520:
                continue
            if minute in FAULTS.get(device, ()):
                value, other = value + 12, other - 1.5
            found.append((minute, device, round(value, 3), None if minute % 97 == 5 else round(other, 4)))
    return found


def csv_of(readings: list[Reading]) -> bytes:
    lines = ["t,device,m,n"]
    for minute, device, value, other in readings:
        time = (EPOCH + timedelta(minutes=minute)).isoformat()
        lines.append(f"{time},{device},{value},{'' if other is None else other}")
    return "\n".join(lines).encode() + b"\n"


def version_of(
    content: bytes, plan: WorkloadPlan, name: str = "new", labels: Labels | None = None
) -> Version:
    columns = read_columns(io.BytesIO(content), plan, "h.csv")
    return Version(name, plan, closed_intervals(intervals_of([columns], plan), plan), labels)
