"""Reading and writing instants: one definition for records, rows, states and labels."""

from __future__ import annotations

import functools
import re
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import TimestampPlan

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Event times are in [1970-01-01, 9999-01-01): one outside is a broken clock or a wrong unit."""
EPOCH_FORMATS = ("epoch_seconds", "epoch_milliseconds")

_ISO8601 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r" ?(?:(Z|z)|([+-])(\d\d):?(\d\d)?)?)?"
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def parse_timestamp(value: object, plan: TimestampPlan) -> datetime:
    """Return the instant that a record's timestamp says.

    A timestamp without a zone is in `plan.timezone`. Where the clocks go back, an hour exists twice: the
    first one is meant. Where they go forward, an hour does not exist: it is read with the offset before
    the change.

    Raises
    ------
    InvalidInputError
        With reason `bad_timestamp`, if the value is not of the plan's format or not between the years
        1970 and 9998.
    """
    try:
        moment = _read(value, plan)
        instant = (moment if moment.tzinfo else moment.replace(tzinfo=_zone(plan.timezone))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"timestamp {_shown(value)} is not of the format {plan.format}: {error}", reason="bad_timestamp"
        ) from error
    if not EPOCH <= instant < LATEST:
        raise InvalidInputError(
            f"timestamp {_shown(value)} is {instant.isoformat()}, outside the years 1970 to 9998: "
            f"is the format {plan.format} the right one?",
            reason="bad_timestamp",
        )
    return instant


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


def format_instant(instant: datetime | int) -> str:
    """Write an instant (an aware datetime or seconds since 1970) as `2013-12-02T21:15:00Z`.

    Microseconds are written only where there are some.
    """
    moment = EPOCH + timedelta(seconds=instant) if isinstance(instant, int) else instant.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat() + "Z"


def epoch_seconds(instant: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return epoch_microseconds(instant) // 1_000_000


def epoch_microseconds(instant: datetime) -> int:
    """Microseconds since 1970, exact."""
    elapsed = instant - EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def _read(value: object, plan: TimestampPlan) -> datetime:
    if plan.format in EPOCH_FORMATS:
        return _from_epoch(value, plan.format.removeprefix("epoch_"))
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {type(value).__name__}")  # noqa: TRY004 - one error for bad values
    if plan.format == "iso8601":
        return parse_iso8601(value)
    return datetime.strptime(value.strip(), plan.format)


def _from_epoch(value: object, unit: str) -> datetime:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value) if re.search(r"[.eE]", value) else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("expected a number")  # noqa: TRY004 - one error for bad values
    return EPOCH + timedelta(**{unit: value})


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ContractViolationError(
            f"time zone {name!r} of the plan is not known here: is the package tzdata installed?"
        ) from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_ISO8601_UTC = TimestampPlan(field="timestamp")
