"""Kinds of values in a spec: durations, names, topic filters, schedules, instance types. Each error says
what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.time_formats import EPOCH_UNITS
from watchkeeper.core.timestamps import check_timestamp_format, time_zone
from watchkeeper.telemetry.records import INGESTION_FIELDS
from watchkeeper.telemetry.rows import NUMBER_WORDS

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_CRON_FIELDS = (
    ("minutes", r"[\d,\-*/]+"),
    ("hours", r"[\d,\-*/]+"),
    ("day of month", r"\?|[\d,\-*/LW]+"),
    ("month", r"[\dA-Z,\-*/]+"),
    ("day of week", r"\?|[\dA-Z,\-*/#]+"),
    ("year", r"[\d,\-*/]+"),
)
_TOPIC_BYTES = 256
_TOPIC_SLASHES = 7


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a duration: a whole number and s, m, h, d or w, such as 30s, 5m, 1h, 7d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def duration_text(duration: timedelta) -> str:
    """Write a duration as a spec does, in the largest unit that divides it."""
    seconds = int(duration.total_seconds())
    for unit, size in reversed(_UNITS.items()):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be 1 to 31 characters of a-z, 0-9 and _, the first one a letter")
    if value in NUMBER_WORDS:
        raise ValueError(f"{value} reads as a number; choose another name")
    return value


def _record_field(value: str) -> str:
    if value in INGESTION_FIELDS:
        raise ValueError(f"ingestion writes the fields {', '.join(sorted(INGESTION_FIELDS))} itself")
    return value


def _topic(value: str) -> str:
    levels = value.split("/")
    if len(value.encode()) > _TOPIC_BYTES or len(levels) - 1 > _TOPIC_SLASHES:
        raise ValueError(f"must have at most {_TOPIC_BYTES} bytes and {_TOPIC_SLASHES} slashes")
    if re.search(r"['\x00-\x1f\x7f]", value):
        raise ValueError("must have no quotation mark ' and no control character")
    if value.startswith("$"):
        raise ValueError("must not begin with $: such topics belong to the broker")
    for position, level in enumerate(levels):
        if ("#" in level and (level != "#" or position != len(levels) - 1)) or (
            "+" in level and level != "+"
        ):
            raise ValueError("must be an MQTT topic filter: + is a whole level, # is the whole last level")
    return value


def _instance_type(value: str) -> str:
    if not _INSTANCE_TYPE.fullmatch(value):
        raise ValueError("must be a SageMaker instance type such as ml.m5.large")
    return value


def _timezone(value: str) -> str:
    return _checked(time_zone, value)


def _timestamp_format(value: str) -> str:
    return _checked(check_timestamp_format, value)


def _checked(check: Callable[[str], object], value: str) -> str:
    try:
        check(value)
    except InvalidInputError as error:
        raise ValueError(str(error).removeprefix(f"timestamp format {value!r}: ")) from error
    return value


def _schedule(value: str) -> str:
    if (rate := _RATE.fullmatch(value)) is not None:
        count, unit = int(rate[1]), rate[2]
        if count < 1 or (count == 1) == unit.endswith("s"):
            raise ValueError("must be rate(1 day) or rate(2 days): at least 1, singular for 1 only")
        return value
    if not (value.startswith("cron(") and value.endswith(")")):
        raise ValueError("must be an EventBridge schedule: rate(7 days), or cron(0 3 ? * MON *) in UTC")
    parts = value[len("cron(") : -1].split(" ")
    if len(parts) != len(_CRON_FIELDS):
        raise ValueError(
            f"cron has six fields, {', '.join(name for name, _ in _CRON_FIELDS)}; got {len(parts)}"
        )
    for part, (name, pattern) in zip(parts, _CRON_FIELDS, strict=True):
        if not re.fullmatch(pattern, part):
            raise ValueError(f"cron: {part!r} is not allowed as {name}")
    if (parts[2] == "?") == (parts[4] == "?"):
        raise ValueError("cron: exactly one of day of month and day of week must be ?")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^{_DURATION.pattern}$", "examples": ["5m", "1h", "7d"]}),
]
Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": rf"^{_NAME.pattern}$"})]
RecordField = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_record_field)]
TopicFilter = Annotated[str, Field(min_length=1), AfterValidator(_topic)]
InstanceType = Annotated[
    str,
    AfterValidator(_instance_type),
    Field(json_schema_extra={"pattern": rf"^{_INSTANCE_TYPE.pattern}$", "examples": ["ml.m5.large"]}),
]
TimeZone = Annotated[str, AfterValidator(_timezone)]
TimestampFormat = Annotated[
    str,
    AfterValidator(_timestamp_format),
    Field(json_schema_extra={"examples": ["iso8601", *EPOCH_UNITS, "%Y-%m-%d %H:%M:%S"]}),
]
Schedule = Annotated[
    str,
    AfterValidator(_schedule),
    Field(json_schema_extra={"examples": ["rate(7 days)", "cron(0 3 ? * MON *)"]}),
]
