"""Where telemetry comes from and which of its numbers are watched."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from watchkeeper.core.plan import Aggregate, MeasurePlan, MeasureRules, SeriesSelection
from watchkeeper.spec.feeds import AthenaQuery, CloudWatch, Folders, KinesisStream
from watchkeeper.spec.fields import Missing, Name, RecordField, TimestampFormat, TimeZone, TopicFilter
from watchkeeper.spec.rules import Allowed, IgnoreBelow
from watchkeeper.spec.section import Section
from watchkeeper.spec.selecting import Values

_PLACES = ("topic", "folders", "cloudwatch", "kinesis", "athena")
"""Where telemetry can come from, by the keys of a source."""


class Timestamp(Section):
    """Where a record's event time is and how it is written."""

    field: RecordField = "timestamp"
    """Field of the record."""
    format: TimestampFormat = "iso8601"
    """iso8601, epoch_seconds, epoch_milliseconds, or a strptime format."""
    timezone: TimeZone = "UTC"
    """IANA zone of timestamps that carry none."""


class Source(Section):
    """Where telemetry comes from: a topic of devices, or where it is already."""

    topic: TopicFilter | None = None
    """MQTT topic filter; + is one level, # the rest."""
    folders: Folders | None = None
    """A bucket in which each interval has a folder."""
    cloudwatch: CloudWatch | None = None
    """Metrics of CloudWatch, asked for after each interval."""
    kinesis: KinesisStream | None = None
    """A data stream of Kinesis whose records are JSON objects."""
    athena: AthenaQuery | None = Field(default=None, validate_default=True)
    """A query of Athena, asked after each interval."""
    basic_ingest: bool = False
    """Whether devices publish to $aws/rules/watchkeeper_NAME/TOPIC, which saves the price of messages."""
    where: dict[str, Values] = Field(default_factory=dict)
    """Dimensions, each with the values that are watched; without it, all."""
    timestamp: Timestamp = Field(default=Timestamp(), validate_default=True)
    """Where a record's event time is and how it is written."""
    record_id: RecordField | None = None
    """Field that identifies a record; without one, its whole content does."""

    @field_validator(*_PLACES[1:])
    @classmethod
    def _is_the_only_place(cls, place: Any, info: ValidationInfo) -> Any:
        earlier = [name for name in _PLACES if info.data.get(name) is not None]
        if place is not None and earlier:
            raise ValueError(f"the source has {earlier[0]} already: telemetry comes from one of them")
        is_last = info.field_name == _PLACES[-1]
        if is_last and place is None and not earlier and info.data.keys() >= set(_PLACES[:-1]):
            raise ValueError(
                "no source: name topic, the MQTT topic filter of devices; folders, of a bucket; cloudwatch; "
                "kinesis; or athena"
            )
        return place

    @field_validator("basic_ingest")
    @classmethod
    def _is_of_a_topic(cls, basic_ingest: bool, info: ValidationInfo) -> bool:
        others = [name for name in _PLACES[1:] if info.data.get(name) is not None]
        if basic_ingest and others:
            raise ValueError(f"is of a topic, and the source has {others[0]}: leave it out")
        return basic_ingest

    @field_validator("timestamp")
    @classmethod
    def _is_as_metrics_have_it(cls, timestamp: Timestamp, info: ValidationInfo) -> Timestamp:
        if info.data.get("cloudwatch") is not None and timestamp.format != "iso8601":
            raise ValueError("times of CloudWatch are written in iso8601: leave format out")
        return timestamp

    @property
    def place(self) -> str:
        """The key that says where telemetry comes from, such as `topic`."""
        return next(name for name in _PLACES if getattr(self, name) is not None)

    @property
    def scheduled(self) -> Folders | CloudWatch | AthenaQuery | None:
        """What is asked for telemetry after each interval; None where telemetry comes by itself."""
        if self.folders is not None and self.folders.offset is not None:
            return self.folders
        return self.cloudwatch or self.athena

    @property
    def offset(self) -> timedelta | None:
        """How long after an interval's end what is scheduled is asked."""
        return None if self.scheduled is None else self.scheduled.offset

    def kept(self) -> SeriesSelection:
        """Return the series that are watched."""
        return SeriesSelection(where={name: tuple(values) for name, values in self.where.items()})


class Measure(Section):
    """One number that is watched."""

    field: RecordField
    """Field of the record."""
    name: Name
    """What the measure is called in series keys, charts and alerts."""
    aggregate: Aggregate = "avg"
    """How an interval's readings become one value: of count and distinct the field may be any value, and
    they count readings that have it, or its different values."""
    missing: Missing | None = None
    """What an interval without readings has, from a series' first one on: ignore is no value, zero 0,
    previous the one before; or a number. Without it, 0 for count, distinct and sum, no value for the
    others."""
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
