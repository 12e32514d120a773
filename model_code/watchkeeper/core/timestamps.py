"""Reading and writing instants: one definition for records, rows, states and labels."""

from __future__ import annotations

import functools
import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.core.time_formats import EPOCH_UNITS, suggested_formats, suggested_zones

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1678, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Event times are in [EARLIEST, LATEST): one outside is a broken clock or a wrong unit."""

_ISO8601 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r" ?(?:(Z|z)|([+-])(\d\d):?(\d\d)?)?)?"
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_LEAP_SECOND = re.compile(r"(:\d\d):60(?!\d)")
_SECOND = timedelta(seconds=1)
_JANUARY_1970_SECONDS = 31 * 86_400


def parse_timestamp(value: object, plan: TimestampPlan) -> datetime:
    """Return the instant that a record's timestamp says.

    A timestamp without a zone is in `plan.timezone`. Where the clocks go back, an hour exists twice: the
    first one is meant. Where they go forward, an hour does not exist: it is read with the offset before
    the change. A leap second is the second after it.

    Raises
    ------
    InvalidInputError
        With reason `bad_timestamp`, if the value is not of the plan's format or not between the years
        1678 and 9998. The message names formats that the value has, if there are any.
    """
    try:
        instant = _instant(value, plan)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInputError(
            f"timestamp {_shown(value)} is not of the format {plan.format}: {_remedy(value, plan)}",
            reason="bad_timestamp",
        ) from error
    if not EARLIEST <= instant < LATEST:
        raise InvalidInputError(
            f"timestamp {_shown(value)} is {instant.isoformat()}, outside the years {EARLIEST.year} to "
            f"{LATEST.year - 1}: {_remedy(value, plan)}",
            reason="bad_timestamp",
        )
    return instant


def check_timestamp_plan(plan: TimestampPlan) -> None:
    """Refuse a format or a time zone that does not exist, before anything is read.

    Raises
    ------
    InvalidInputError
        With reason `bad_timestamp_format` or `bad_timezone` and the nearest that exists.
    """
    check_timestamp_format(plan.format)
    time_zone(plan.timezone)


def check_timestamp_format(name: str) -> None:
    """Refuse what is neither a named format nor one of `strptime` that tells the day.

    Raises
    ------
    InvalidInputError
        With reason `bad_timestamp_format`.
    """
    if name == "iso8601" or name in EPOCH_UNITS:
        return
    probe = datetime(2023, 11, 24, 13, 5, 7)
    try:
        read = datetime.strptime(probe.strftime(name), name)
    except (ValueError, re.error):
        read = None
    if "%" not in name or read is None or read.date() != probe.date():
        raise InvalidInputError(
            f"timestamp format {_shown(name)}: must be iso8601, {', '.join(EPOCH_UNITS)}, or a strptime "
            "format with year, month and day such as %Y-%m-%d %H:%M:%S",
            reason="bad_timestamp_format",
        )


@functools.lru_cache(maxsize=64)
def time_zone(name: str) -> tzinfo:
    """Return the time zone of an IANA name.

    Raises
    ------
    InvalidInputError
        With reason `bad_timezone` and the nearest names.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"time zone {_shown(name)} is no IANA time zone: did you mean "
            f"{' or '.join(suggested_zones(name)) or 'UTC or Europe/Berlin'}?",
            reason="bad_timezone",
        ) from error


def implausible_unit(first: datetime, last: datetime, plan: TimestampPlan) -> str | None:
    """Say that all of a file's times are in January 1970, as numbers read in a wrong unit are.

    Parameters
    ----------
    first, last
        The earliest and the latest time of the file.

    Returns
    -------
    str or None
        The sentence, with the unit in which the numbers are times of our age, if there is one.
    """
    seconds = (last - EPOCH).total_seconds()
    if plan.format not in EPOCH_UNITS or first < EPOCH or seconds >= _JANUARY_1970_SECONDS:
        return None
    meant = [name for name in suggested_formats(seconds * EPOCH_UNITS[plan.format]) if name in EPOCH_UNITS]
    hint = f"did you mean {_named(meant)}" if meant else "are they counted since 1970"
    return f"all times of field {plan.field!r} are in January 1970 when read as {plan.format}: {hint}?"


def check_unit(name: str, first: datetime, last: datetime, plan: TimestampPlan) -> str | None:
    """Refuse a file whose times are numbers of another unit; see `implausible_unit`.

    Returns
    -------
    str or None
        What is strange about the times that may be right all the same.

    Raises
    ------
    InvalidInputError
        With reason `bad_timestamp`.
    """
    sentence = implausible_unit(first, last, plan)
    if sentence is not None and "did you mean" in sentence:
        raise InvalidInputError(f"{name}: {sentence}", reason="bad_timestamp")
    return sentence


def parse_iso8601(text: str) -> datetime:
    """Read `YYYY-MM-DD`, or `YYYY-MM-DD[T or space]HH:MM[:SS[.ffffff]][Z or ±HH[:]MM or ±HH]`.

    The same on every Python version, unlike `datetime.fromisoformat`. Digits after the microseconds are cut.

    Returns
    -------
    datetime
        Aware if the text has a zone, else naive.

    Raises
    ------
    ValueError
        If the text is something else.
    """
    match = _ISO8601.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected ISO 8601 such as 2024-05-17T09:30:00Z")
    year, month, day, hour, minute, second, fraction, zulu, sign, zone_hours, zone_minutes = match.groups()
    zone: timezone | None = None
    if zulu:
        zone = UTC
    elif sign:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
    return datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0").ljust(6, "0")[:6]),
        tzinfo=zone,
    )


def parse_instant(text: str) -> datetime:
    """Read ISO 8601 as an aware UTC datetime; text without a zone is in UTC.

    Raises
    ------
    InvalidInputError
        With reason `bad_timestamp`.
    """
    return parse_timestamp(text, _ISO8601_UTC)


@overload
def aware(moment: datetime) -> datetime: ...
@overload
def aware(moment: None) -> None: ...
def aware(moment: datetime | None) -> datetime | None:
    """Return a time that says its zone; one without is in UTC, as in `parse_instant`. None stays None."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def format_instant(instant: datetime | int) -> str:
    """Write an instant (an aware datetime or seconds since 1970) as `2013-12-02T21:15:00Z`.

    Microseconds are written only where there are some.
    """
    moment = EPOCH + timedelta(seconds=instant) if isinstance(instant, int) else instant.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat() + "Z"


def in_zone(instant: datetime | int, timezone: str, until: datetime | int | None = None) -> str:
    """Write an instant, or a span, as people at the source read it, with UTC beside it.

    Parameters
    ----------
    instant, until
        Aware datetimes, or seconds since 1970.
    timezone
        IANA name of the source's zone.

    Examples
    --------
    >>> in_zone(1_795_957_500, "Europe/Berlin")
    '2026-11-29 14:05 CET (13:05 UTC)'
    >>> in_zone(1_795_957_500, "UTC", until=1_795_957_800)
    '2026-11-29 13:05 to 13:10 UTC'
    """
    zone = time_zone(timezone)
    moments = [
        EPOCH + timedelta(seconds=each) if isinstance(each, int) else each
        for each in (instant, until)
        if each is not None
    ]
    local = _span([moment.astimezone(zone) for moment in moments])
    if zone is UTC:
        return local
    there, here = moments[0].astimezone(zone), [moment.astimezone(UTC) for moment in moments]
    return f"{local} ({_span(here, there.date())})"


def epoch_seconds(instant: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return epoch_microseconds(instant) // 1_000_000


def epoch_microseconds(instant: datetime) -> int:
    """Microseconds since 1970, exact."""
    elapsed = instant - EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def _span(moments: list[datetime], known: date | None = None) -> str:
    """Write moments of one zone; a date that is known, and a zone that is the next one's too, is left out."""
    parts = []
    for moment, following in zip(moments, [*moments[1:], None], strict=True):
        clock = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
        parts.append(clock if moment.date() == known else f"{moment:%Y-%m-%d} {clock}")
        known = moment.date()
        if following is None or following.tzname() != moment.tzname():
            name = moment.tzname() or ""
            parts[-1] += f" UTC{name}" if name[:1] in "+-" else f" {name}"
    return " to ".join(parts)


def _instant(value: object, plan: TimestampPlan) -> datetime:
    unit = EPOCH_UNITS.get(plan.format)
    if unit is not None:
        return _from_epoch(value, unit)
    if not isinstance(value, str):
        raise TypeError("expected text")
    text, leap = _LEAP_SECOND.subn(r"\1:59", value) if ":60" in value else (value, 0)
    moment = parse_iso8601(text) if plan.format == "iso8601" else datetime.strptime(text.strip(), plan.format)
    instant = (moment if moment.tzinfo else moment.replace(tzinfo=_zone(plan.timezone))).astimezone(UTC)
    if leap:
        instant += _SECOND
        if (instant.month, instant.day, instant.hour, instant.minute) not in ((1, 1, 0, 0), (7, 1, 0, 0)):
            raise ValueError("no leap second")
    return instant


def _from_epoch(value: object, unit: int) -> datetime:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value) if re.search(r"[.eE]", value) else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    if isinstance(value, int):
        return EPOCH + timedelta(microseconds=value * 1_000_000 // unit)
    return EPOCH + timedelta(seconds=value / unit)


def _remedy(value: object, plan: TimestampPlan) -> str:
    formats = [name for name in suggested_formats(value) if name != plan.format]
    if formats:
        return f"did you mean {_named(formats)}?"
    if plan.format == "iso8601":
        return "write 2024-05-17T09:30:00Z, or name the format that it has (--timestamp-format)"
    return "is the format the right one (--timestamp-format)?"


def _named(formats: list[str]) -> str:
    names = " or ".join(f"'{name}'" if " " in name else name for name in formats)
    return f"--timestamp-format {names} (in a spec timestamp.format)"


def _zone(name: str) -> tzinfo:
    try:
        return time_zone(name)
    except InvalidInputError as error:
        raise ContractViolationError(
            f"{error} In a plan it was checked: is the package tzdata installed?"
        ) from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_ISO8601_UTC = TimestampPlan(field="timestamp")
