"""Calendars: times at which a workload is not itself, such as maintenance and holidays.

A plan has them resolved: instants, local dates, and times of the week in a zone. No calendar is asked when
scores are judged.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from watchkeeper.core.plan import CalendarPlan
from watchkeeper.core.timestamps import EPOCH, time_zone

_UNIX_DAY = date(1970, 1, 1).toordinal()
NOTICE_DAYS = 60
"""A calendar whose dates are known for no longer than this is told to run out."""


def covers(calendar: CalendarPlan, start: int, interval_seconds: int) -> bool:
    """Tell whether an interval touches a time of a calendar.

    A local day, and the beginning of a weekly time, follow the zone's clock through its changes; what begins
    in the hour that a clock skips begins with the offset before the change. A weekly time lasts as long as it
    says.

    Parameters
    ----------
    start
        Of the interval, in seconds since 1970.

    Examples
    --------
    >>> from watchkeeper.core.plan import CalendarPlan, WeeklyTime
    >>> sundays = CalendarPlan("backup", "Europe/Berlin", weekly=(WeeklyTime(6, 120, 3600),))
    >>> covers(sundays, 1_700_355_600, 300), covers(sundays, 1_700_359_200, 300)  # 02:00 and 03:00 in Berlin
    (True, False)
    """
    end = start + interval_seconds
    if any(start < until and since < end for since, until in calendar.once):
        return True
    zone = time_zone(calendar.timezone)
    first, last = (
        (EPOCH + timedelta(seconds=at)).astimezone(zone).date().toordinal() for at in (start, end - 1)
    )
    if any(day + _UNIX_DAY in range(first, last + 1) for day in calendar.days):
        return True
    for weekly in calendar.weekly:
        reach = -(-weekly.seconds // 86_400)
        for ordinal in range(first - reach, last + 1):
            day = date.fromordinal(ordinal)
            if day.weekday() != weekly.weekday:
                continue
            clock = time(weekly.minute // 60, weekly.minute % 60)
            begin = datetime.combine(day, clock, zone).timestamp()
            if start < begin + weekly.seconds and begin < end:
                return True
    return False


def runs_out(calendar: CalendarPlan, today: date) -> str | None:
    """Say until when a calendar's dates are known, if that is soon or was before today; else None."""
    if calendar.known_through is None:
        return None
    last = date.fromordinal(calendar.known_through + _UNIX_DAY)
    if last > today + timedelta(days=NOTICE_DAYS):
        return None
    return (
        f"calendar {calendar.name!r} knows its dates through {last.isoformat()} only: raise `through`, and "
        "deploy"
    )
