"""History files of telemetry: the records of a file as readings of a plan, and what is strange about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import check_unit
from watchkeeper.telemetry.cells import shown
from watchkeeper.telemetry.csv_rows import header_error
from watchkeeper.telemetry.decoding import Kind
from watchkeeper.telemetry.dialect import Fields, read_fields
from watchkeeper.telemetry.interleaving import Interleaving
from watchkeeper.telemetry.records import Record, reader_of


@dataclass(frozen=True)
class HistoryLine:
    """One line of a history file."""

    number: int
    """From 1."""
    text: str
    """As it was written."""
    fields: Fields
    """Empty where the line has none."""
    outcome: Record | InvalidInputError
    """What it says, or why it is refused."""


class History:
    """The lines of a history file; see `watchkeeper.telemetry.dialect.TableFile`.

    Parameters
    ----------
    stream
        The file's bytes.
    plan
        The workload's.
    name
        What messages call the file.
    kind
        What the file is, where that is known from elsewhere.

    Raises
    ------
    InvalidInputError
        If the file as a whole cannot be read, its header is without the plan's columns (`missing_column`) or,
        at the end, all its times are in January 1970 (`bad_timestamp`). What is wrong with one line is its
        outcome, not raised.
    """

    def __init__(self, stream: IO[bytes], plan: WorkloadPlan, name: str, *, kind: Kind | None = None) -> None:
        self.name = name
        self._plan, self._reader = plan, reader_of(plan)
        self._fields = {plan.timestamp.field, *plan.dimensions, *(measure.field for measure in plan.measures)}
        self._lines = read_fields(
            stream, name, check_header=self._check_header, dialect=plan.dialect, kind=kind
        )
        self._empty = {measure.name: measure.field for measure in plan.measures}
        self._accepted = 0
        self._interleaving = Interleaving(self._fields)

    def __iter__(self) -> Iterator[HistoryLine]:
        """Yield the lines."""
        first: datetime | None = None
        last: datetime | None = None
        for number, text, fields in self._lines:
            outcome = self._outcome(fields)
            if isinstance(outcome, Record) and isinstance(fields, dict):
                time = outcome.event_time
                first = time if first is None else min(first, time)
                last = time if last is None else max(last, time)
                self._accepted += 1
                if self._empty:
                    self._empty = {
                        name: field for name, field in self._empty.items() if outcome.measures[name] is None
                    }
                self._interleaving.add((time, *outcome.dimensions.values()), fields)
            yield HistoryLine(number, text, fields if isinstance(fields, dict) else {}, outcome)
        if first is not None and last is not None:
            check_unit(self.name, first, last, self._plan.timestamp)

    def notes(self) -> list[str]:
        """Return what a user should know of the file, when all of it has been read."""
        notes = [
            f"{self.name}: measure {name!r} has not one value in {self._accepted:,} records "
            f"(field {shown(field)})"
            for name, field in self._empty.items()
            if self._accepted
        ]
        interleaved = self._interleaving.sentence()
        if interleaved is not None:
            notes.append(
                f"{self.name}: {interleaved}: name it in dimensions, or they are taken as one series"
            )
        return notes

    def _outcome(self, fields: Fields | InvalidInputError) -> Record | InvalidInputError:
        if isinstance(fields, InvalidInputError):
            return fields
        try:
            return self._reader.record_of(fields)
        except InvalidInputError as error:
            return error

    def _check_header(self, header: list[str]) -> None:
        plan = self._plan
        needed = [plan.timestamp.field, *plan.dimensions]
        if plan.record_id_field is not None:
            needed.append(plan.record_id_field)
        missing = [column for column in needed if column not in header]
        measures = sorted({measure.field for measure in plan.measures})
        if not missing and not any(column in header for column in measures):
            missing = measures
        if missing:
            raise header_error(self.name, missing[0], header)
