"""Reads a training run's telemetry: the user's history files, and what the delivery stream has stored.

Files are read line by line, one after the other. What stays in memory is one aggregation an interval, and the
identity of each record, so that a record counts once however often it was delivered.

A history file that cannot be read as a whole fails the run: its user can mend it. An object of the delivery
stream that cannot is one more refused line, for nobody can.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from containers.runtime.processing import input_files
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_microseconds
from watchkeeper.stream.warming import SeriesHistory, boundary_of
from watchkeeper.telemetry.history import History
from watchkeeper.telemetry.intervals import (
    Aggregation,
    OnceAnInterval,
    add,
    interval_start,
    interval_values,
)
from watchkeeper.telemetry.labels import LABELS_NAME
from watchkeeper.telemetry.quarantine import QuarantineFile
from watchkeeper.telemetry.records import Record
from watchkeeper.telemetry.selection import is_excluded
from watchkeeper.telemetry.series import series_key
from watchkeeper.telemetry.tally import Tally

PROGRESS_LINES = 200_000
"""A large file says that it is still being read after so many lines."""

logger = logging.getLogger(__name__)


@dataclass
class Telemetry:
    """What has been read so far."""

    plan: WorkloadPlan
    start: int | None = None
    """First instant that counts, in seconds since 1970."""
    end: int | None = None
    """First instant that does not count any more."""
    history: Tally = field(default_factory=Tally)
    """Of the user's files."""
    delivered: Tally = field(default_factory=Tally)
    """Of the delivery stream's objects."""
    accepted: int = 0
    duplicates: int = 0
    outside: int = 0
    """Records that are not between `start` and `end`."""
    notes: list[str] = field(default_factory=list)
    """What a user should know of the files."""
    intervals: dict[str, dict[int, Aggregation]] = field(default_factory=dict)
    """By series key, then by interval start."""
    files: dict[str, set[str]] = field(default_factory=dict)
    """Names of the files that a series is in, by series key."""
    watermarks: dict[str, int] = field(default_factory=dict)
    """The newest event time of each series, in microseconds since 1970."""
    _open_ids: dict[str, dict[int, set[int]]] = field(default_factory=dict)
    """What the readings in each series' newest intervals count once by, by interval start."""
    _seen: set[int] = field(default_factory=set)
    _counted: OnceAnInterval = field(default_factory=OnceAnInterval)

    @property
    def read(self) -> int:
        """Records in all files."""
        return self.history.read + self.delivered.read

    def series_values(self) -> dict[str, list[tuple[int, float]]]:
        """Return `(interval start, value)` of each series, in time order, of the plan's newest history."""
        return interval_values(dict(sorted(self.intervals.items())), self.plan)

    def closed_values(self) -> dict[str, list[tuple[int, float]]]:
        """Return of `series_values` what the scoring loop would have closed."""
        boundaries = {series: boundary_of(newest, self.plan) for series, newest in self.watermarks.items()}
        found = {
            series: [(start, value) for start, value in values if start < boundaries[series]]
            for series, values in self.series_values().items()
        }
        return {series: values for series, values in found.items() if values}

    def histories(self) -> dict[str, SeriesHistory]:
        """Return what is known of each series, as the scoring loop would."""
        closed = self.closed_values()
        found = {}
        for series, newest in self.watermarks.items():
            boundary, ids = boundary_of(newest, self.plan), self._open_ids[series]
            still_open = {start: item for start, item in self.intervals[series].items() if start >= boundary}
            of_open = {start: sorted(of_interval) for start, of_interval in ids.items() if start >= boundary}
            found[series] = SeriesHistory(closed.get(series, ()), still_open, of_open, newest)
        return found

    def take(self, record: Record, file: str) -> None:
        """Count a record, unless it is known already or not of the wanted time."""
        start = interval_start(record.event_time, self.plan.interval_seconds)
        if (self.start is not None and start < self.start) or (self.end is not None and start >= self.end):
            self.outside += 1
            return
        identity = int(record.record_id, 16)
        if identity in self._seen:
            self.duplicates += 1
            return
        self._seen.add(identity)
        self.accepted += 1
        for name, value in record.measures.items():
            if value is not None and not is_excluded(self.plan, name, record.dimensions):
                series = series_key(name, record.dimensions, self.plan)
                if self._counted.takes(record, name, series, start):
                    add(self.intervals.setdefault(series, {}), start, value)
                self.files.setdefault(series, set()).add(file)
                once = record.identity_of(name) if record.values else identity
                self._remember(series, start, once, epoch_microseconds(record.event_time))

    def _remember(self, series: str, start: int, identity: int, instant: int) -> None:
        """Keep the ids of records whose interval is open still."""
        known, before = self._open_ids.setdefault(series, {}), self.watermarks.get(series)
        newest = self.watermarks[series] = instant if before is None else max(before, instant)
        boundary = boundary_of(newest, self.plan)
        if start >= boundary:
            known.setdefault(start, set()).add(identity)
        if before is None or boundary > boundary_of(before, self.plan):
            for closed in [each for each in known if each < boundary]:
                del known[closed]


def read_folder(folder: Path, telemetry: Telemetry, quarantine: Path, *, delivered: bool = False) -> int:
    """Read every file of a folder; refused lines are written to a file of `quarantine`.

    Parameters
    ----------
    delivered
        Whether the delivery stream wrote the files: JSON lines under any name.

    Returns
    -------
    int
        Number of files.

    Raises
    ------
    InvalidInputError
        If a user's file cannot be read as a whole; see `watchkeeper.telemetry.history.History`.
    """
    files = input_files(folder, but=(LABELS_NAME,))
    for path in files:
        _read_file(path, path.relative_to(folder.parent).as_posix(), telemetry, quarantine, delivered)
    return len(files)


def _read_file(path: Path, source: str, telemetry: Telemetry, quarantine: Path, delivered: bool) -> None:
    tally = telemetry.delivered if delivered else telemetry.history
    before = tally.accepted
    lines = 0
    with QuarantineFile(quarantine, source) as refused, path.open("rb") as stream:
        try:
            history = History(stream, telemetry.plan, source, kind="json_lines" if delivered else None)
            for line in history:
                lines += 1
                if isinstance(line.outcome, Record):
                    tally.accept()
                    telemetry.take(line.outcome, path.name)
                else:
                    tally.refuse(line.outcome, source, line.number)
                    refused.write(line.number, line.text, line.outcome)
                if lines % PROGRESS_LINES == 0:
                    logger.info("reading", extra={"source": source, "lines": lines})
            telemetry.notes += history.notes()
        except InvalidInputError as error:
            if not delivered:
                raise
            tally.refuse(error, source, 0)
            refused.write(0, "", error)
    logger.info("read", extra={"source": source, "lines": lines, "accepted": tally.accepted - before})
