"""Calendars of a workload file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.workloads.conftest import GOOD
from watchkeeper.core.plan import SeriesSelection, WeeklyTime
from watchkeeper.spec import WorkloadSpec, WorkloadSpecError

Load = Callable[..., WorkloadSpec]


def days(*dates: tuple[int, int, int]) -> set[int]:
    return {(date(*one) - date(1970, 1, 1)).days for one in dates}


def test_a_calendar_reaches_the_plan_as_times(load: Load) -> None:
    service, holidays = (
        load(
            """\
calendars:
  - name: service
    timezone: Europe/Berlin
    only: {measure: pressure}
    once: [{begin: 2026-12-01T08:00, end: 2026-12-01T12:00+01:00}]
    weekly: [{days: [sun, wed], at: "02:30", lasts: 2h}]
  - name: holidays
    dates: [2026-12-24]
    holidays: {country: DE, subdivision: BY, since: 2025, through: 2026}
"""
        )
        .plan()
        .calendars
    )

    assert service.once == ((1_796_108_400, 1_796_122_800),)
    assert service.weekly == (WeeklyTime(6, 150, 7200), WeeklyTime(2, 150, 7200))
    assert service.series == SeriesSelection("pressure")
    assert service.known_through is None
    assert days((2026, 12, 24), (2026, 1, 6), (2025, 12, 25), (2026, 4, 3)) <= set(holidays.days)
    assert not days((2026, 12, 23), (2024, 12, 25)) & set(holidays.days)
    assert holidays.timezone == "UTC"
    assert days((2026, 12, 31)) == {holidays.known_through}


@pytest.mark.parametrize(
    ("calendar", "message"),
    [
        ("{name: a}", "has no time"),
        ("{name: a, holidays: {country: XX, since: 2025, through: 2026}}", "XX"),
        ("{name: a, holidays: {country: DE, subdivision: QQ, since: 2025, through: 2026}}", "QQ"),
        ("{name: a, holidays: {country: DE, since: 2026, through: 2025}}", "from 1 to 20 years"),
        ("{name: a, once: [{begin: 2026-12-01T08:00, end: 2026-12-01T07:00}]}", "not after its begin"),
        ("{name: a, weekly: [{days: [sun], at: '25:00', lasts: 1h}]}", "at"),
        ("{name: a, weekly: [{days: [sun], at: '05:00', lasts: 8d}]}", "at most 7d"),
        ("{name: a, dates: [tomorrow]}", "must be a date"),
        ("{name: a, only: {measure: presure}, dates: [2026-12-24]}", "did you mean pressure"),
    ],
)
def test_a_calendar_that_means_nothing_is_refused(load: Load, calendar: str, message: str) -> None:
    with pytest.raises(WorkloadSpecError, match=message):
        load(f"calendars:\n  - {calendar}\n")


ICAL = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//plant//calendar//EN
BEGIN:VEVENT
UID:shutdown
SUMMARY:Summer shutdown
DTSTART;VALUE=DATE:20260803
DTEND;VALUE=DATE:20260806
END:VEVENT
BEGIN:VEVENT
UID:audit
SUMMARY:Audit
DTSTART;TZID=Europe/Berlin:20250305T080000
DTEND;TZID=Europe/Berlin:20250305T100000
RRULE:FREQ=MONTHLY;COUNT=14;BYDAY=1WE
EXDATE;TZID=Europe/Berlin:20260304T080000
END:VEVENT
BEGIN:VEVENT
UID:audit
RECURRENCE-ID;TZID=Europe/Berlin:20260204T080000
SUMMARY:Audit, later that day
DTSTART;TZID=Europe/Berlin:20260204T130000
DURATION:PT1H
END:VEVENT
BEGIN:VEVENT
UID:founders
SUMMARY:Founders' day
DTSTART;VALUE=DATE:20190515
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
UID:floating
SUMMARY:Backup
DTSTART:20260101T020000
DTEND:20260101T030000
RRULE:FREQ=WEEKLY;UNTIL=20260115T235959Z
END:VEVENT
BEGIN:VEVENT
UID:gone
SUMMARY:Cancelled
STATUS:CANCELLED
DTSTART;VALUE=DATE:20260707
END:VEVENT
END:VCALENDAR
"""
OF_FILE = """\
calendars:
  - {name: plant, timezone: Europe/Berlin, ical: {file: plant.ics, since: 2026, through: 2027}}
"""


def berlin(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp())


def test_events_of_a_file_are_written_out_for_the_named_years(load: Load, tmp_path: Path) -> None:
    (tmp_path / "plant.ics").write_text(ICAL)
    [plant] = load(OF_FILE).plan().calendars

    assert set(plant.days) == days(*((2026, 8, day) for day in (3, 4, 5)), (2026, 5, 15), (2027, 5, 15))
    audits = [("2026-01-07T08:00", 2), ("2026-02-04T13:00", 1), ("2026-04-01T08:00", 2)]
    backups = [(f"2026-01-{day:02}T02:00", 1) for day in (1, 8, 15)]
    assert plant.once == tuple(
        sorted((berlin(begin), berlin(begin) + 3600 * hours) for begin, hours in audits + backups)
    )
    assert days((2027, 12, 31)) == {plant.known_through}


def test_times_of_a_file_without_a_zone_are_in_that_of_the_source(load: Load, tmp_path: Path) -> None:
    event = "BEGIN:VEVENT\nUID:a\nDTSTART:20260101T020000\nDTEND:20260101T030000\nEND:VEVENT\n"
    (tmp_path / "plant.ics").write_text(f"BEGIN:VCALENDAR\n{event}END:VCALENDAR\n")
    text = GOOD.replace(
        "  topic: plant/press\n", "  topic: plant/press\n  timestamp: {timezone: Europe/Berlin}\n"
    )
    [plant] = load(OF_FILE.replace("timezone: Europe/Berlin, ", ""), text).plan().calendars
    assert plant.once == ((berlin("2026-01-01T02:00"), berlin("2026-01-01T03:00")),)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("DTSTART:20260101T020000\nDTEND:20260101T010000", "'Backup' is not understood: it ends before"),
        ("DTSTART:20260101T020000\nRRULE:FREQ=HOURLY", "recurs within a day"),
        ("DTSTART:20260101T020000\nRRULE:FREQ=DAILY", "730 times from 2026 through 2027"),
        ("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY", "730 whole days"),
    ],
)
def test_an_event_that_no_plan_can_have_is_told_by_its_name(
    load: Load, tmp_path: Path, event: str, message: str
) -> None:
    (tmp_path / "plant.ics").write_text(
        f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:Backup\n{event}\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    with pytest.raises(WorkloadSpecError, match=message):
        load(OF_FILE)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("plant.ics", "plant.ics cannot be read: No such file"),
        ("../plant.ics", "beside the workload's"),
        ("/plant.ics", "beside the workload's"),
        ("press.yaml", "is not an iCalendar file"),
    ],
)
def test_a_file_that_is_none_is_refused(load: Load, file: str, message: str) -> None:
    with pytest.raises(WorkloadSpecError, match=message):
        load(OF_FILE.replace("plant.ics", file))
