from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.core.timestamps import (
    EPOCH,
    epoch_microseconds,
    epoch_seconds,
    format_instant,
    parse_instant,
    parse_iso8601,
    parse_timestamp,
)

UTC = timezone.utc
NOON = datetime(2024, 5, 17, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "format_", "zone", "expected"),
    [
        ("2024-05-17T12:00:00Z", "iso8601", "UTC", NOON),
        ("2024-05-17t12:00:00z".upper(), "iso8601", "Europe/Rome", NOON),
        ("2024-05-17 12:00", "iso8601", "UTC", NOON),
        ("2024-05-17T14:00:00+02:00", "iso8601", "UTC", NOON),
        ("2024-05-17T14:00:00+0200", "iso8601", "UTC", NOON),
        ("2024-05-17T07:00:00-05", "iso8601", "UTC", NOON),
        ("2024-05-17T14:00:00", "iso8601", "Europe/Rome", NOON),
        (" 2024-05-17T12:00:00.250Z ", "iso8601", "UTC", NOON + timedelta(milliseconds=250)),
        ("2024-05-17T12:00:00.123456789Z", "iso8601", "UTC", NOON + timedelta(microseconds=123456)),
        ("2024-05-17", "iso8601", "UTC", NOON - timedelta(hours=12)),
        (1715947200, "epoch_seconds", "UTC", NOON),
        (1715947200.5, "epoch_seconds", "UTC", NOON + timedelta(seconds=0.5)),
        ("1715947200", "epoch_seconds", "Europe/Rome", NOON),
        (1715947200250, "epoch_milliseconds", "UTC", NOON + timedelta(milliseconds=250)),
        ("17/05/2024 14:00", "%d/%m/%Y %H:%M", "Europe/Rome", NOON),
        ("2024-05-17 14:00:00 +0200", "%Y-%m-%d %H:%M:%S %z", "UTC", NOON),
    ],
)
def test_reads_every_format_as_utc(value: object, format_: str, zone: str, expected: datetime) -> None:
    read = parse_timestamp(value, TimestampPlan("t", format_, zone))

    assert read == expected
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("value", "format_"),
    [
        ("yesterday", "iso8601"),
        ("2024-13-01", "iso8601"),
        ("2024-05-17T25:00:00Z", "iso8601"),
        (1715947200, "iso8601"),
        (None, "iso8601"),
        (["2024-05-17"], "iso8601"),
        ("1969-12-31T23:59:59Z", "iso8601"),
        ("9999-06-01T00:00:00Z", "iso8601"),
        ("0001-01-01T00:00:00+14:00", "iso8601"),
        (1715947200000, "epoch_seconds"),
        (-1, "epoch_seconds"),
        (True, "epoch_seconds"),
        (float("nan"), "epoch_seconds"),
        (float("inf"), "epoch_milliseconds"),
        ("12 o'clock", "epoch_seconds"),
        (10**400, "epoch_seconds"),
        ("17-05-2024", "%d/%m/%Y"),
    ],
)
def test_refuses_what_is_not_a_plausible_timestamp(value: object, format_: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_timestamp(value, TimestampPlan("t", format_))

    assert refused.value.reason == "bad_timestamp"


def test_takes_the_first_of_the_two_hours_when_clocks_go_back() -> None:
    read = parse_timestamp("2024-10-27T02:30:00", TimestampPlan("t", "iso8601", "Europe/Rome"))

    assert read == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_reads_an_hour_that_does_not_exist_with_the_offset_before_the_change() -> None:
    read = parse_timestamp("2024-03-31T02:30:00", TimestampPlan("t", "iso8601", "Europe/Rome"))

    assert read == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)


def test_a_zone_that_is_not_installed_is_a_contract_violation() -> None:
    with pytest.raises(ContractViolationError, match="Mars/Olympus"):
        parse_timestamp("2024-05-17T12:00:00", TimestampPlan("t", "iso8601", "Mars/Olympus"))


@given(st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)))
def test_instants_survive_writing_and_reading(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant
    assert EPOCH + timedelta(microseconds=epoch_microseconds(instant)) == instant
    assert epoch_seconds(instant) == epoch_microseconds(instant) // 1_000_000


@given(st.integers(0, 4_000_000_000))
def test_seconds_are_written_like_the_datetime_they_are(seconds: int) -> None:
    assert format_instant(seconds) == format_instant(EPOCH + timedelta(seconds=seconds))
    assert len(format_instant(seconds)) == len("2024-05-17T12:00:00Z")


@given(st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31)))
def test_reads_iso8601_as_the_standard_library_does(moment: datetime) -> None:
    assert parse_iso8601(moment.isoformat()) == moment
