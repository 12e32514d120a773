"""Telemetry in files: the readings, when they were made, and the message that a device sends of each."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.dialect import CSV_SUFFIXES
from watchkeeper.telemetry.history import read_history
from watchkeeper.telemetry.records import Record, parse_number


@dataclass(frozen=True)
class Reading:
    """One line of a file."""

    record: Record
    line: str
    """As it stands in the file."""
    message: bytes
    """The JSON object that a device sends."""

    @property
    def event_time(self) -> datetime:
        """When it was made; aware, UTC."""
        return self.record.event_time


@dataclass(frozen=True)
class Telemetry:
    """The readings of a file in order of their time, and what could not be read."""

    header: str | None
    """First line of a CSV file."""
    readings: tuple[Reading, ...]
    refused: tuple[str, ...]
    """One sentence for each line that is not a reading."""

    def between(self, start: datetime | None, end: datetime | None) -> Telemetry:
        """Return the readings from `start` until before `end`."""
        chosen = tuple(
            reading
            for reading in self.readings
            if (start is None or reading.event_time >= start) and (end is None or reading.event_time < end)
        )
        return Telemetry(self.header, chosen, self.refused)

    def write(self, path: Path) -> None:
        """Write the lines as they stood in the file."""
        lines = [self.header] if self.header is not None else []
        path.write_text("\n".join([*lines, *(reading.line for reading in self.readings)]) + "\n")


def read_telemetry(path: Path, plan: WorkloadPlan) -> Telemetry:
    """Read a history file.

    Raises
    ------
    InvalidInputError
        If the file is not there, is of no known kind, or has not one reading.
    """
    if not path.is_file():
        raise InvalidInputError(f"{path}: no such file")
    is_csv = path.name.removesuffix(".gz").lower().endswith(CSV_SUFFIXES)
    header = _first_line(path) if is_csv else None
    readings, refused = [], []
    with path.open("rb") as stream:
        for number, line, record in read_history(stream, plan, str(path)):
            if isinstance(record, InvalidInputError):
                refused.append(f"{path}:{number}: {record}")
                continue
            fields = _cells(header, line, plan) if header is not None else json.loads(line)
            readings.append(Reading(record, line, json.dumps(fields, separators=(",", ":")).encode()))
    if not readings:
        raise InvalidInputError(f"{path}: not one reading" + (f"; {refused[0]}" if refused else ""))
    readings.sort(key=lambda reading: reading.event_time)
    return Telemetry(header, tuple(readings), tuple(refused))


def records_of(readings: Iterable[Reading]) -> Iterator[Record]:
    """Return the records of readings."""
    return (reading.record for reading in readings)


def _first_line(path: Path) -> str:
    with path.open("rb") as file, gzip.open(file) if path.suffix == ".gz" else file as stream:
        return stream.readline().decode("utf-8-sig").rstrip("\r\n")


def _cells(header: str, line: str, plan: WorkloadPlan) -> dict[str, Any]:
    names = [name.strip() for name in next(csv.reader(io.StringIO(header), skipinitialspace=True))]
    cells = next(csv.reader(io.StringIO(line), skipinitialspace=True))
    numbers = {measure.field for measure in plan.measures if measure.aggregate != "count"}
    return {
        name: parse_number(cell, name) if name in numbers else cell
        for name, cell in zip(names, cells, strict=True)
        if cell.strip()
    }
