"""Times of an iCalendar file (RFC 5545), such as a plant's shutdowns as a calendar program exports them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

from watchkeeper.core.extras import extra
from watchkeeper.core.timestamps import UTC, epoch_seconds, time_zone

MOST_BYTES = 1_000_000
MOST_DAYS, MOST_TIMES = 400, 150
"""Of one calendar: a plan is a parameter of 8 KB."""
_WITHIN_A_DAY = ("SECONDLY", "MINUTELY", "HOURLY")


@dataclass(frozen=True)
class Occurrences:
    """What is in a file, with recurrences written out."""

    days: tuple[date, ...] = ()
    """Whole days by the clocks of the calendar's zone, in order."""
    times: tuple[tuple[int, int], ...] = ()
    """Begin and end of what has a time, in seconds since 1970, in order."""


def read_ical(path: Path, since: int, through: int, timezone: str) -> Occurrences:
    """Return what happens from the beginning of a year to the end of another.

    Events with a date are whole days, until the day before their end. What is cancelled is left out, and an
    event that stands for one of a recurrence takes its place. Whether an event makes busy is not asked.

    Parameters
    ----------
    since, through
        Years.
    timezone
        IANA name of the zone of times that name none.

    Raises
    ------
    ValueError
        If the file cannot be read or is too large, has an event that is not understood, or has too many
        times for a plan.
    """
    with extra("icalendar", "calendars of ical files"):
        import icalendar
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ValueError(f"{path} has {len(content)} bytes: at most {MOST_BYTES}")
    try:
        events: list[Any] = list(icalendar.Calendar.from_ical(content).walk("VEVENT"))
    except ValueError as error:
        raise ValueError(f"{path} is not an iCalendar file: {error}") from error
    window = _Window(date(since, 1, 1), date(through + 1, 1, 1), time_zone(timezone))
    replaced = {
        (str(each.get("UID")), _moment(each["RECURRENCE-ID"].dt)) for each in events if _replaces(each)
    }
    days: set[date] = set()
    times: set[tuple[int, int]] = set()
    for event in events:
        name = str(event.get("SUMMARY") or event.get("UID") or "an event")
        try:
            for begin, end in _occurrences(event, window, replaced):
                if isinstance(begin, datetime):
                    times.add((window.seconds(begin), window.seconds(end)))
                else:
                    days.update(_days(begin, end))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path}: {name!r} is not understood: {error}") from error
    days = {day for day in days if window.first <= day < window.end}
    for found, most, what in ((days, MOST_DAYS, "whole days"), (times, MOST_TIMES, "times")):
        if len(found) > most:
            raise ValueError(
                f"{path} has {len(found)} {what} from {since} through {through}, and a plan has room for "
                f"{most}: name fewer years, or write what recurs each week as `weekly`"
            )
    return Occurrences(tuple(sorted(days)), tuple(sorted(times)))


@dataclass(frozen=True)
class _Window:
    first: date
    end: date
    zone: tzinfo

    def seconds(self, moment: Any) -> int:
        return epoch_seconds(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))

    def like(self, day: date, moment: datetime) -> datetime:
        """Return the beginning of a day as a moment that compares with another."""
        return datetime.combine(day, time(), moment.tzinfo)


def _occurrences(
    event: Any, window: _Window, replaced: set[tuple[str, datetime]]
) -> Iterator[tuple[Any, Any]]:
    """Give begin and end of each occurrence in the window, as dates or as moments."""
    if event.get("STATUS") == "CANCELLED":
        return
    begin, end = event.start, event.end
    lasts = end - begin
    if lasts < timedelta(0):
        raise ValueError("it ends before it begins")
    first = begin if isinstance(begin, datetime) else datetime.combine(begin, time())
    uid = "" if _replaces(event) else str(event.get("UID"))
    for each in _starts(event, first, lasts, window):
        if (uid, _moment(each)) not in replaced:
            shown = each if isinstance(begin, datetime) else each.date()
            yield shown, shown + lasts


def _starts(event: Any, first: datetime, lasts: timedelta, window: _Window) -> list[datetime]:
    from dateutil.rrule import rruleset, rrulestr

    begin, end = (window.like(day, first) for day in (window.first, window.end))
    found = rruleset()
    found.rdate(first)
    for each in _dates(event, "RDATE"):
        found.rdate(_aligned(each, first))
    for each in _dates(event, "EXDATE"):
        found.exdate(_aligned(each, first))
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if set(_WITHIN_A_DAY) & {str(each).upper() for each in rule.get("FREQ", ())}:
            raise ValueError("it recurs within a day: write such times as `weekly`")
        text = rule.to_ical().decode()
        if first.tzinfo is None:
            text = text.replace("Z;", ";").removesuffix("Z")
        found.rrule(rrulestr(text, dtstart=first))
    return list(found.between(begin - lasts, end - timedelta(microseconds=1), inc=True))


def _dates(event: Any, name: str) -> Iterator[Any]:
    lists = event.get(name, [])
    for one in lists if isinstance(lists, list) else [lists]:
        for each in one.dts:
            yield each.dt


def _aligned(moment: Any, first: datetime) -> datetime:
    """Return a date or moment in the zone of the first occurrence, as recurrences are compared."""
    if isinstance(moment, tuple):  # a period
        raise ValueError("a further date has an end of its own: write it as an event")  # noqa: TRY004
    whole = moment if isinstance(moment, datetime) else datetime.combine(moment, first.time())
    if first.tzinfo is None:
        return whole.replace(tzinfo=None)
    return whole.replace(tzinfo=first.tzinfo) if whole.tzinfo is None else whole.astimezone(first.tzinfo)


def _replaces(event: Any) -> bool:
    if "RECURRENCE-ID" not in event:
        return False
    if "RANGE" in event["RECURRENCE-ID"].params:
        raise ValueError(
            f"{str(event.get('SUMMARY'))!r} changes all that follow (RANGE): export it as an event of its own"
        )
    return True


def _moment(moment: Any) -> datetime:
    """Return when an occurrence is, by which it is found: of a date its midnight."""
    whole = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return whole.replace(tzinfo=UTC) if whole.tzinfo is None else whole.astimezone(UTC)


def _days(begin: date, end: date) -> Iterable[date]:
    count = max((end - begin).days, 1)
    return (begin + timedelta(days=number) for number in range(count))
