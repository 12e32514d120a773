"""Telemetry without an end: the workload's live readings again and again, a calm, and spikes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import Any

from benchmarks.journey.laptop import Trained
from watchkeeper.core.plan import TimestampPlan, WorkloadPlan
from watchkeeper.telemetry.records import Record, parse_record

SPIKE = 10.0
"""A spike lies so many times the live readings' range above their maximum."""


@dataclass
class Source:
    """A sensor: one reading an interval, of the first measure of a workload without dimensions."""

    plan: WorkloadPlan
    values: tuple[float, ...]
    next_time: datetime
    calm: float
    spike: float
    sent: int = field(default=0, init=False)
    """Readings given so far."""

    def messages(self, count: int) -> Iterator[bytes]:
        """Give the next `count` readings, with the anomalies that are among the workload's live ones."""
        for _ in range(count):
            yield self._message(self.values[self.sent % len(self.values)])

    def calm_messages(self, count: int) -> list[bytes]:
        """Give readings in which nothing happens, so that the next alert is a spike's and not throttled."""
        return [self._message(self.calm) for _ in range(count)]

    def spike_message(self) -> bytes:
        """Give one reading that is far from anything that was ever seen."""
        return self._message(self.spike)

    def record(self, message: bytes) -> Record:
        """Read a message as the scoring loop does."""
        return parse_record(message, self.plan)

    def _message(self, value: float) -> bytes:
        when = self.next_time
        self.sent += 1
        self.next_time += timedelta(seconds=self.plan.interval_seconds)
        fields: dict[str, Any] = {
            self.plan.timestamp.field: _written(when, self.plan.timestamp),
            self.plan.measures[0].field: value,
        }
        return json.dumps(fields, separators=(",", ":")).encode()


def source_after_history(trained: Trained) -> Source:
    """Return a sensor that begins where the live readings do.

    Raises
    ------
    ValueError
        If the workload has dimensions or several measures.
    """
    plan = trained.spec.plan()
    if plan.dimensions or len(plan.measures) != 1:
        raise ValueError(f"{plan.workload}: the benchmark sends one series; this workload has more")
    live = trained.material.live
    measured = [reading.record.measures[plan.measures[0].name] for reading in live]
    values = tuple(value for value in measured if value is not None)
    seconds = plan.interval_seconds
    start = int(live[0].event_time.timestamp()) // seconds * seconds
    spike = max(values) + SPIKE * (max(values) - min(values))
    return Source(plan, values, datetime.fromtimestamp(start, timezone.utc), median(values), spike)


def _written(when: datetime, plan: TimestampPlan) -> str:
    return when.isoformat() if plan.format == "iso8601" else when.strftime(plan.format)
