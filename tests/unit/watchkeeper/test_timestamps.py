from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core import time_formats
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.core.timestamps import (
    EPOCH,
    check_timestamp_plan,
    epoch_microseconds,
    epoch_seconds,
    format_instant,
    implausible_unit,
    in_zone,
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
        (1715947200250000, "epoch_microseconds", "UTC", NOON + timedelta(milliseconds=250)),
        ("1715947200250000999", "epoch_nanoseconds", "UTC", NOON + timedelta(milliseconds=250)),
        ("1969-12-31T23:59:59Z", "iso8601", "UTC", EPOCH - timedelta(seconds=1)),
        (-1, "epoch_seconds", "UTC", EPOCH - timedelta(seconds=1)),
        ("1749-01-01", "iso8601", "UTC", datetime(1749, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", "iso8601", "UTC", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2017-01-01T05:29:60+05:30", "iso8601", "UTC", datetime(2017, 1, 1, tzinfo=UTC)),
        ("30.06.2015 23:59:60", "%d.%m.%Y %H:%M:%S", "UTC", datetime(2015, 7, 1, tzinfo=UTC)),
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
        ("1677-12-31T23:59:59Z", "iso8601"),
        ("2024-05-17T23:59:60Z", "iso8601"),
        ("2016-12-31T12:59:60Z", "iso8601"),
        ("2016-12-31T23:60:59Z", "iso8601"),
        ("9999-06-01T00:00:00Z", "iso8601"),
        ("0001-01-01T00:00:00+14:00", "iso8601"),
        (1715947200000, "epoch_seconds"),
        (-9_300_000_000, "epoch_seconds"),
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


@pytest.mark.parametrize(
    ("value", "format_", "remedy"),
    [
        ("1709251200000", "iso8601", "did you mean --timestamp-format epoch_milliseconds"),
        (1709251200, "iso8601", "did you mean --timestamp-format epoch_seconds"),
        ("1709251200000000000", "epoch_seconds", "did you mean --timestamp-format epoch_nanoseconds"),
        ("01/03/2024 00:00", "iso8601", "'%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'"),
        ("13/03/2024 00:00:05", "%d/%m/%Y %H:%M", "did you mean --timestamp-format '%d/%m/%Y %H:%M:%S'"),
        ("2024-05-17T09:30:00Z", "epoch_seconds", "did you mean --timestamp-format iso8601"),
        ("x" * 10_000, "iso8601", "or name the format that it has"),
        ("yesterday", "epoch_seconds", "is the format the right one"),
    ],
)
def test_a_refusal_names_the_format_that_the_value_has(value: object, format_: str, remedy: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_timestamp(value, TimestampPlan("t", format_))

    assert remedy in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CEST", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("UTC+2", "Etc/GMT-2"),
        ("../etc/passwd", "UTC or Europe/Berlin"),
        ("", "UTC or Europe/Berlin"),
    ],
)
def test_a_wrong_zone_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(InvalidInputError, match=f"did you mean {nearest}") as refused:
        check_timestamp_plan(TimestampPlan("t", "iso8601", name))

    assert refused.value.reason == "bad_timezone"


@pytest.mark.parametrize("name", ["HH:MM", "unixtime", "%H:%M", "", "%"])
def test_a_format_that_tells_no_day_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"must be iso8601, epoch_seconds, .* or a strptime format"):
        check_timestamp_plan(TimestampPlan("t", name))


def test_times_that_are_all_in_january_1970_are_of_another_unit() -> None:
    seconds_as_milliseconds = TimestampPlan("t", "epoch_milliseconds")
    first, last = (parse_timestamp(value, seconds_as_milliseconds) for value in (1709251200, 1709337600))

    sentence = implausible_unit(first, last, seconds_as_milliseconds)

    assert sentence is not None
    assert "all times of field 't' are in January 1970" in sentence
    assert "did you mean --timestamp-format epoch_seconds" in sentence
    assert implausible_unit(first, NOON, seconds_as_milliseconds) is None
    assert implausible_unit(first, last, TimestampPlan("t")) is None


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


FORMATS = [day + clock for clock in time_formats._CLOCKS for day in time_formats._DAYS]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "moment",
    [NOON, datetime(2031, 1, 13, 0, 5, 9, 120000, tzinfo=UTC), datetime(1999, 12, 31, 23, 59, tzinfo=UTC)],
)
def test_a_guess_looks_at_every_format_that_reads_the_time(name: str, moment: datetime) -> None:
    for text in {
        moment.strftime(name),
        moment.strftime(name).lower(),
        moment.strftime(name).replace(" ", "  "),
    }:
        read = [other for other in FORMATS if time_formats._reads(text, other)]
        shape = time_formats._DIGIT.sub("0", text)
        assert name in read
        assert set(read) <= set(time_formats._likely_formats(shape))


@given(st.text(st.sampled_from("0123456789/.-: TZ+,amp Jan"), max_size=24))
def test_a_guess_misses_no_format(text: str) -> None:
    shape = time_formats._DIGIT.sub("0", text)
    assert {name for name in FORMATS if time_formats._reads(text, name)} <= set(
        time_formats._likely_formats(shape)
    )


@pytest.mark.parametrize(
    ("begin", "minutes", "zone", "words"),
    [
        ("2026-01-10T23:30:00Z", None, "Europe/Berlin", "2026-01-11 00:30 CET (2026-01-10 23:30 UTC)"),
        ("2026-07-10T10:00:05Z", None, "Europe/Berlin", "2026-07-10 12:00:05 CEST (10:00:05 UTC)"),
        ("2026-07-10T10:00:00Z", 5, "UTC", "2026-07-10 10:00 to 10:05 UTC"),
        (
            "2026-10-25T00:30:00Z",
            60,
            "Europe/Berlin",
            "2026-10-25 02:30 CEST to 02:30 CET (00:30 to 01:30 UTC)",
        ),
        (
            "2026-07-10T23:55:00Z",
            10,
            "America/Sao_Paulo",
            "2026-07-10 20:55 to 21:05 UTC-03 (23:55 to 2026-07-11 00:05 UTC)",
        ),
    ],
)
def test_people_read_the_zone_of_the_source_with_utc_beside_it(
    begin: str, minutes: int | None, zone: str, words: str
) -> None:
    start = parse_instant(begin)
    until = None if minutes is None else start + timedelta(minutes=minutes)

    assert in_zone(start, zone, until) == words
