"""Calendars of a workload file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

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
