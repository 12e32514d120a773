"""Calendars of a workload: times at which what is unusual is no anomaly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from watchkeeper.core.extras import extra
from watchkeeper.core.plan import CalendarPlan, SeriesSelection, TimestampPlan, WeeklyTime
from watchkeeper.core.timestamps import epoch_seconds, parse_timestamp
from watchkeeper.spec.fields import Duration, TimeZone
from watchkeeper.spec.ical import Occurrences, read_ical
from watchkeeper.spec.section import Section
from watchkeeper.spec.selecting import Moment, Selection

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNIX_DAY = date(1970, 1, 1).toordinal()
_MOST_YEARS = 20
FOLDER, TIMEZONE = "folder", "timezone"
"""What a spec is validated in the context of: where its file lies, and the zone of its source."""


def _day(value: object) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError("must be a date, such as 2026-12-24") from error


class Span(Section):
    """One time from a beginning until an end."""

    begin: Moment
    """ISO 8601; without an offset, in the calendar's time zone."""
    end: Moment
    """The same."""


class Weekly(Section):
    """A time of every week."""

    days: list[Weekday] = Field(min_length=1, max_length=7)
    """On which it begins: mon, tue, wed, thu, fri, sat, sun."""
    at: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """When it begins, HH:MM on the clock of the calendar's time zone; in quotes."""
    lasts: Duration
    """For how long."""

    @field_validator("lasts")
    @classmethod
    def _is_part_of_a_week(cls, lasts: timedelta) -> timedelta:
        if not timedelta(0) < lasts <= timedelta(days=7):
            raise ValueError("must be longer than 0s and at most 7d")
        return lasts


class Years(Section):
    """The years of which dates are kept."""

    since: int = Field(ge=1970, le=2200)
    """First year: that in which the history begins."""
    through: int = Field(ge=1970, le=2200, validate_default=True)
    """Last year. `watchkeeper validate`, `preflight` and `status` warn before it ends."""

    @model_validator(mode="after")
    def _are_some(self) -> Years:
        if not 0 <= self.through - self.since < _MOST_YEARS:
            raise ValueError(f"since to through must be from 1 to {_MOST_YEARS} years")
        return self


class ICal(Years):
    """Times of an iCalendar file, with its recurrences written out."""

    file: str = Field(min_length=1)
    """A file beside the workload's, such as closures.ics, or in a folder there."""

    @field_validator("file")
    @classmethod
    def _is_beside(cls, file: str) -> str:
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise ValueError(
                "must be a file beside the workload's, or in a folder there: so both are kept and reviewed "
                "together"
            )
        return file


class Holidays(Years):
    """Public holidays of a country, as the package holidays knows them."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    """Its code of ISO 3166, such as DE."""
    subdivision: str | None = None
    """A state or province, such as BY; without it, what the whole country has."""

    @model_validator(mode="after")
    def _are_known(self) -> Holidays:
        self.dates()
        return self

    def dates(self) -> list[date]:
        """Return the holidays, in order.

        Raises
        ------
        ValueError
            If the package has no such country or subdivision.
        """
        with extra("holidays", "calendars with holidays"):
            import holidays
        try:
            return sorted(
                holidays.country_holidays(
                    self.country, subdiv=self.subdivision, years=range(self.since, self.through + 1)
                )
            )
        except NotImplementedError as error:
            raise ValueError(str(error)) from error


class Calendar(Section):
    """Times at which what is unusual is no anomaly: it is scored, and its line names the calendar."""

    name: str = Field(min_length=1, max_length=60)
    """For people: the line of an interval that it keeps from being an anomaly has it."""
    timezone: TimeZone | None = None
    """IANA zone of its days and times; without it, that of source.timestamp."""
    only: Selection | None = None
    """The series that it holds for; without it, all."""
    once: list[Span] = Field(default_factory=list, max_length=50)
    """Single times."""
    weekly: list[Weekly] = Field(default_factory=list, max_length=20)
    """Times of every week."""
    dates: list[
        Annotated[
            date,
            BeforeValidator(_day),
            WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-12-24"]}),
        ]
    ] = Field(default_factory=list, max_length=200)
    """Whole days."""
    holidays: Holidays | None = None
    """Public holidays, each a whole day."""
    ical: ICal | None = None
    """Events of a calendar program's file."""
    _occurrences: Occurrences = PrivateAttr(Occurrences())
    """Of `ical`: they are read once, when the spec is."""

    @field_validator("name")
    @classmethod
    def _is_one_line(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("must be one line")
        return name

    @model_validator(mode="after")
    def _has_a_time(self) -> Calendar:
        if not (self.once or self.weekly or self.dates or self.holidays or self.ical):
            raise ValueError("has no time: name once, weekly, dates, holidays or ical")
        for number, span in enumerate(self.once):
            begin, end = (_seconds(moment, self.timezone or "UTC") for moment in (span.begin, span.end))
            if begin >= end:
                raise ValueError(f"once[{number}] ends at {span.end}, not after its begin {span.begin}")
        return self

    @model_validator(mode="after")
    def _has_its_file(self, info: ValidationInfo) -> Calendar:
        if self.ical is not None:
            context = info.context or {}
            path = Path(context.get(FOLDER, "."), self.ical.file)
            zone = self.timezone or context.get(TIMEZONE, "UTC")
            self._occurrences = read_ical(path, self.ical.since, self.ical.through, zone)
        return self

    def check(self, measures: Sequence[str], dimensions: Sequence[str]) -> None:
        """Refuse the name of a measure or dimension that the workload does not have; see `Selection`."""
        if self.only is not None:
            self.only.check(measures, dimensions)

    def plan_in(self, timezone: str) -> CalendarPlan:
        """Return what the running parts know of it.

        Parameters
        ----------
        timezone
            IANA name of the zone where the calendar names none.
        """
        zone = self.timezone or timezone
        days = {*self.dates, *(self.holidays.dates() if self.holidays else ()), *self._occurrences.days}
        known = [each.through for each in (self.holidays, self.ical) if each is not None]
        return CalendarPlan(
            name=self.name,
            timezone=zone,
            series=SeriesSelection() if self.only is None else self.only.plan(),
            days=tuple(sorted(day.toordinal() - _UNIX_DAY for day in days)),
            once=(
                *((_seconds(span.begin, zone), _seconds(span.end, zone)) for span in self.once),
                *self._occurrences.times,
            ),
            weekly=tuple(
                WeeklyTime(
                    _WEEKDAYS.index(day),
                    60 * int(one.at[:2]) + int(one.at[3:]),
                    int(one.lasts.total_seconds()),
                )
                for one in self.weekly
                for day in one.days
            ),
            known_through=date(min(known), 12, 31).toordinal() - _UNIX_DAY if known else None,
        )


def _seconds(moment: str, zone: str) -> int:
    return epoch_seconds(parse_timestamp(moment, TimestampPlan(field="calendars", timezone=zone)))
