"""Where telemetry comes from and which of its numbers are watched."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Aggregate, MeasurePlan, MeasureRules, SeriesSelection
from watchkeeper.spec.fields import Missing, Name, RecordField, TimestampFormat, TimeZone, TopicFilter
from watchkeeper.spec.rules import Allowed, IgnoreBelow
from watchkeeper.spec.section import Section
from watchkeeper.spec.selecting import Values
from watchkeeper.telemetry.folders import FolderPath

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY = re.compile(r"arn:[^:]+:kms:[^:]+:\d{12}:key/.+")


class Timestamp(Section):
    """Where a record's event time is and how it is written."""

    field: RecordField = "timestamp"
    """Field of the record."""
    format: TimestampFormat = "iso8601"
    """iso8601, epoch_seconds, epoch_milliseconds, or a strptime format."""
    timezone: TimeZone = "UTC"
    """IANA zone of timestamps that carry none."""


def _bucket(value: str) -> str:
    if not _BUCKET.fullmatch(value):
        raise ValueError("must be the name of a bucket: 3 to 63 of a-z, 0-9, . and -; no s3:// before it")
    return value


def _folders(value: str) -> str:
    if value.startswith(("/", "s3://")):
        raise ValueError("must be a path in the bucket, such as gases/{{yyyyMMdd}}/{{HHmm}}/")
    try:
        FolderPath(value)
    except InvalidInputError as error:
        raise ValueError(str(error)) from error
    return value


def _kms_key(value: str) -> str:
    if not _KEY.fullmatch(value):
        raise ValueError("must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID")
    return value


class Folders(Section):
    """A bucket in which other programs write a folder for each interval: CSV, JSON lines or Parquet."""

    bucket: Annotated[str, AfterValidator(_bucket)]
    """Its name. It lies in the region of the deployment, and sends its events to EventBridge."""
    path: Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_folders)]
    """Path of the folders, with the date parts yyyy, MM, dd, HH and mm: gases/{{yyyyMMdd}}/{{HHmm}}/."""
    kms_key: Annotated[str, AfterValidator(_kms_key)] | None = None
    """ARN of the key that the bucket is encrypted with, where that is one of your own."""

    @property
    def folder_path(self) -> FolderPath:
        """The path with its date parts understood."""
        return FolderPath(self.path)


class Source(Section):
    """Where telemetry comes from: a topic, or folders in a bucket."""

    topic: TopicFilter | None = None
    """MQTT topic filter; + is one level, # the rest."""
    folders: Folders | None = Field(default=None, validate_default=True)
    """A bucket in which each interval has a folder."""
    basic_ingest: bool = False
    """Whether devices publish to $aws/rules/watchkeeper_NAME/TOPIC, which saves the price of messages."""
    where: dict[str, Values] = Field(default_factory=dict)
    """Dimensions, each with the values that are watched; without it, all."""
    timestamp: Timestamp = Timestamp()
    """Where a record's event time is and how it is written."""
    record_id: RecordField | None = None
    """Field that identifies a record; without one, its whole content does."""

    @field_validator("folders")
    @classmethod
    def _is_the_only_source(cls, folders: Folders | None, info: ValidationInfo) -> Folders | None:
        if "topic" not in info.data:
            return folders
        if (folders is None) == (info.data["topic"] is None):
            raise ValueError(
                "the source has a topic already: telemetry comes from one of them"
                if folders
                else "no source: name topic, the MQTT topic filter of devices, or folders, of a bucket"
            )
        return folders

    @field_validator("basic_ingest")
    @classmethod
    def _is_of_a_topic(cls, basic_ingest: bool, info: ValidationInfo) -> bool:
        if basic_ingest and info.data.get("folders") is not None:
            raise ValueError("is of a topic, and the source has folders: leave it out")
        return basic_ingest

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
