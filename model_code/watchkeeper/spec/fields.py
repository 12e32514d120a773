"""Kinds of values in a spec: durations, names, topic filters, times. Each error says
what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import RESERVED_WORKLOAD
from watchkeeper.core.plan import Fill
from watchkeeper.core.time_formats import EPOCH_UNITS
from watchkeeper.core.timestamps import check_timestamp_format, time_zone
from watchkeeper.service.tenant_files import tenant_root
from watchkeeper.spec.instances import ENDPOINT_INSTANCES, JOB_INSTANCES, check_instance
from watchkeeper.spec.schedules import check_schedule
from watchkeeper.telemetry.missing import FILLS, read_fill
from watchkeeper.telemetry.records import INGESTION_FIELDS
from watchkeeper.telemetry.rows import NUMBER_WORDS

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d{1,6})([smhdw])")
NAME_CHARACTERS = 31
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{NAME_CHARACTERS - 1}}}")
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


def _missing(value: object) -> Fill:
    if isinstance(value, str) and value not in FILLS:
        value = f"{value!r}"  # a number is not written in quotes
    try:
        return read_fill(value)
    except InvalidInputError as error:
        raise ValueError(str(error)) from error


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(
            f"must be 1 to {NAME_CHARACTERS} characters of a-z, 0-9 and _, the first one a letter"
        )
    if value in NUMBER_WORDS:
        raise ValueError(f"{value} reads as a number; choose another name")
    return value


def _workload_name(value: str) -> str:
    if value.startswith(RESERVED_WORKLOAD):
        raise ValueError(
            f"must not begin with {RESERVED_WORKLOAD}: the service's own models and jobs are called so"
        )
    return value


def _tenant(value: str) -> str:
    _checked(tenant_root, value)
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
    if levels[-1] == "#" and set(levels) <= {"+", "#"}:
        raise ValueError("would take every message of the account: name a level of your own, such as plant/#")
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


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^{_DURATION.pattern}$", "examples": ["5m", "1h", "7d"]}),
]
Missing = Annotated[
    Fill,
    BeforeValidator(_missing),
    WithJsonSchema({"anyOf": [{"enum": list(FILLS)}, {"type": "number"}]}),
]
Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": rf"^{_NAME.pattern}$"})]
WorkloadName = Annotated[Name, AfterValidator(_workload_name)]
Tenant = Annotated[str, AfterValidator(_tenant)]
RecordField = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_record_field)]
TopicFilter = Annotated[str, Field(min_length=1), AfterValidator(_topic)]
JobInstance = Annotated[
    str,
    AfterValidator(partial(check_instance, types=JOB_INSTANCES)),
    Field(json_schema_extra={"enum": JOB_INSTANCES}),
]
EndpointInstance = Annotated[
    str,
    AfterValidator(partial(check_instance, types=ENDPOINT_INSTANCES)),
    Field(json_schema_extra={"enum": ENDPOINT_INSTANCES}),
]
TimeZone = Annotated[str, AfterValidator(_timezone)]
TimestampFormat = Annotated[
    str,
    AfterValidator(_timestamp_format),
    Field(json_schema_extra={"examples": ["iso8601", *EPOCH_UNITS, "%Y-%m-%d %H:%M:%S"]}),
]
Schedule = Annotated[
    str,
    AfterValidator(check_schedule),
    Field(json_schema_extra={"examples": ["rate(7 days)", "cron(0 3 ? * MON *)"]}),
]
