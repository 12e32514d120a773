"""Telemetry in files: the readings, when they were made, and the message that a device sends of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import parse_timestamp
from watchkeeper.telemetry.cells import is_empty, is_missing, parse_number
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.dialect import Fields
from watchkeeper.telemetry.history import History
from watchkeeper.telemetry.records import Record
from watchkeeper.telemetry.tally import Tally


@dataclass(frozen=True)
class Reading:
    """One line of a file."""

    record: Record
    message: bytes
    """The JSON object that a device sends."""

    @property
    def event_time(self) -> datetime:
        """When it was made; aware, UTC."""
        return self.record.event_time


@dataclass(frozen=True)
class Telemetry:
    """The readings of a file in order of their time, and what could not be read."""

    readings: tuple[Reading, ...]
    tally: Tally
    notes: tuple[str, ...] = ()
    """What a user should know of the file."""

    def between(self, start: datetime | None, end: datetime | None) -> Telemetry:
        """Return the readings from `start` until before `end`."""
        chosen = tuple(
            reading
            for reading in self.readings
            if (start is None or reading.event_time >= start) and (end is None or reading.event_time < end)
        )
        return Telemetry(chosen, self.tally, self.notes)

    def write(self, path: Path) -> None:
        """Write the messages, one a line."""
        path.write_bytes(b"".join(reading.message + b"\n" for reading in self.readings))


def read_telemetry(path: Path, plan: WorkloadPlan) -> Telemetry:
    """Read a history file.

    Raises
    ------
    InvalidInputError
        If the file is not there, cannot be read, or has not one reading.
    """
    readings, tally = [], Tally()
    with open_file(path) as stream:
        history = History(stream, plan, str(path))
        for line in history:
            if isinstance(line.outcome, Record):
                tally.accept()
                readings.append(Reading(line.outcome, _message(line.fields, plan)))
            else:
                tally.refuse(line.outcome, str(path), line.number)
    if not readings:
        raise InvalidInputError(f"{path}: not one reading: {tally.sentence()}")
    readings.sort(key=lambda reading: reading.event_time)
    return Telemetry(tuple(readings), tally, tuple(history.notes()))


def records_of(readings: Iterable[Reading]) -> Iterator[Record]:
    """Return the records of readings."""
    return (reading.record for reading in readings)


def _message(fields: Fields, plan: WorkloadPlan) -> bytes:
    numbers = {measure.field for measure in plan.measures if not measure.counts}
    document = {
        name: parse_number(value, name) if name in numbers and isinstance(value, str) else value
        for name, value in fields.items()
        if not (is_missing(value) if name in numbers else is_empty(value))
    }
    return json.dumps(document, separators=(",", ":")).encode()


LAST = timedelta(days=1)
"""What is shown up to an end, where no begin is given."""


def instant_of(text: str | None, option: str, timezone: str = "UTC") -> datetime | None:
    """Return the time that an option of the command gives; None without it.

    Parameters
    ----------
    timezone
        Of a time that says none: an IANA name.

    Raises
    ------
    InvalidInputError
        If it is no time; the message names the option.
    """
    if text is None:
        return None
    try:
        return parse_timestamp(text, TimestampPlan("", timezone=timezone))
    except InvalidInputError as error:
        raise InvalidInputError(f"{option}: {error}", reason=error.reason) from error


def span_of(
    since: str | None,
    until: str | None,
    zone: str,
    *,
    begin: datetime | None = None,
    end: Callable[[], datetime] = partial(datetime.now, timezone.utc),
) -> tuple[datetime, datetime]:
    """Return begin and end that `--from` and `--to` give.

    Parameters
    ----------
    zone
        Of times that say none: an IANA name.
    begin
        Without `--from`; None: a day before the end.
    end
        Gives the end without `--to`: now.

    Raises
    ------
    InvalidInputError
        If one is no time, or the begin is not before the end.
    """
    last = instant_of(until, "--to", zone) or end()
    first = instant_of(since, "--from", zone) or begin or last - LAST
    if first >= last:
        raise InvalidInputError(f"--from {first.isoformat()} is not before --to {last.isoformat()}")
    return first, last
