"""Where telemetry comes from and which of its numbers are watched."""

from __future__ import annotations

import dataclasses
from typing import Literal

from watchkeeper.core.plan import Aggregate, MeasurePlan, MeasureRules
from watchkeeper.spec.fields import Missing, Name, RecordField, TimestampFormat, TimeZone, TopicFilter
from watchkeeper.spec.rules import Allowed, IgnoreBelow
from watchkeeper.spec.section import Section


class Timestamp(Section):
    """Where a record's event time is and how it is written."""

    field: RecordField = "timestamp"
    """Field of the record."""
    format: TimestampFormat = "iso8601"
    """iso8601, epoch_seconds, epoch_milliseconds, or a strptime format."""
    timezone: TimeZone = "UTC"
    """IANA zone of timestamps that carry none."""


class Source(Section):
    """Where telemetry comes from."""

    topic: TopicFilter
    """MQTT topic filter; + is one level, # the rest."""
    basic_ingest: bool = False
    """Whether devices publish to $aws/rules/watchkeeper_NAME/TOPIC, which saves the price of messages."""
    timestamp: Timestamp = Timestamp()
    """Where a record's event time is and how it is written."""
    record_id: RecordField | None = None
    """Field that identifies a record; without one, its whole content does."""


class Measure(Section):
    """One number that is watched."""

    field: RecordField
    """Field of the record."""
    name: Name
    """What the measure is called in series keys, charts and alerts."""
    aggregate: Aggregate = "avg"
    """How an interval's readings become one value."""
    missing: Missing | None = None
    """What an interval without readings has, from a series' first one on: ignore is no value, zero 0,
    previous the one before; or a number. Without it, 0 for count and sum, no value for the others."""
    direction: Literal["above", "below", "both"] = "both"
    """On which side of the expected value an anomaly may be; on the other side there is none."""
    ignore_below: IgnoreBelow = IgnoreBelow()
    """Deviations from the expected value that are too small to be an anomaly."""
    allowed: Allowed | None = None
    """What a value may be at all: outside it is an anomaly, from the first reading on."""

    def plan(self) -> MeasurePlan:
        """Return what the running parts know of it."""
        rules = dataclasses.replace(
            MeasureRules() if self.allowed is None else self.allowed.plan(),
            direction=self.direction,
            ignore_absolute=self.ignore_below.absolute,
            ignore_relative=self.ignore_below.relative,
        )
        return MeasurePlan(
            name=self.name,
            field=self.field,
            aggregate=self.aggregate,
            missing=self.missing,
            rules=None if rules == MeasureRules() else rules,
        )
