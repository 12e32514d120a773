"""Files of history read a column at a time: what `History` and aggregation make of them, sooner.

It takes CSV files in which nothing is out of the ordinary, and says so where something is: then whoever asks
reads the files record by record. What it gives is the same.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, check_unit, epoch_microseconds, parse_timestamp
from watchkeeper.telemetry.cells import MAX_MAGNITUDE, is_empty, is_missing
from watchkeeper.telemetry.dialect import TableFile
from watchkeeper.telemetry.intervals import Aggregation
from watchkeeper.telemetry.records import INGESTION_FIELDS
from watchkeeper.telemetry.selection import is_excluded
from watchkeeper.telemetry.series import series_key

_MICROSECONDS = 1_000_000
_REMEMBERED_TIMES = 1_000_000

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class NotOrdinaryError(Exception):
    """Something that only reading record by record can judge."""


class _NotPlainError(Exception):
    """A CSV file needs a parser."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The records of a file."""

    places: tuple[tuple[str, ...], ...]
    """Values of the plan's dimensions, of each place."""
    place: npt.NDArray[np.int32]
    """Of each record, a position in `places`."""
    instant: Integers
    """Event time of each record, in microseconds since 1970."""
    values: Floats
    """Shape (n_records, n_measures); NaN where a record has no value."""


def read_columns(stream: IO[bytes], plan: WorkloadPlan, name: str) -> Columns:
    """Read a file.

    Raises
    ------
    NotOrdinaryError
        If the file has to be read record by record.
    InvalidInputError
        If it cannot be read as a whole; see `watchkeeper.telemetry.history.History`.
    """
    try:
        return _columns_of(TableFile(stream, name, plan.dialect), plan, split=True)
    except _NotPlainError:  # quotes, for one
        stream.seek(0)
        return _columns_of(TableFile(stream, name, plan.dialect), plan, split=False)


def _columns_of(table: TableFile, plan: WorkloadPlan, *, split: bool) -> Columns:
    if table.kind != "csv" or plan.record_id_field is not None:
        raise NotOrdinaryError
    header = table.header or []
    needed = [plan.timestamp.field, *plan.dimensions]
    fields = [measure.field for measure in plan.measures]
    if not set(needed) <= set(header) or not set(fields) & set(header) or INGESTION_FIELDS & set(header):
        raise NotOrdinaryError
    times, places = _times(plan.timestamp), _Places()
    parts: list[tuple[npt.NDArray[np.int32], Integers, Floats]] = []
    try:
        for columns in _split(table, header) if split else _parsed(table):
            parts += [_read(columns, plan, header, times, places)]
    except InvalidInputError as error:  # one line; record by record it is told, and the others count
        raise NotOrdinaryError from error
    if not parts or table.notes:
        raise NotOrdinaryError
    place, instant, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    first, last = (EPOCH + timedelta(microseconds=int(each)) for each in (instant.min(), instant.max()))
    check_unit(table.name, first, last, plan.timestamp)
    return Columns(tuple(places), place, instant, values)


@dataclass(frozen=True, eq=False)
class Intervals:
    """The intervals of a series that have records."""

    starts: Integers
    """In seconds since 1970, ascending."""
    values: Floats
    watermark: int
    """The newest event time, in microseconds since 1970."""


def intervals_of(files: Sequence[Columns], plan: WorkloadPlan) -> dict[str, Intervals]:
    """Return the intervals of each series, by its key.

    Raises
    ------
    NotOrdinaryError
        If a place has two records at one instant: they may be one that is there twice.
    """
    places: dict[tuple[str, ...], int] = {}
    moved = [
        np.array([places.setdefault(each, len(places)) for each in one.places], dtype=np.int32)
        for one in files
    ]
    place = np.concatenate([to[one.place] for to, one in zip(moved, files, strict=True)])
    instant = np.concatenate([one.instant for one in files])
    values = np.concatenate([one.values for one in files])
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=len(places)))
    found: dict[str, Intervals] = {}
    for written, begin, end in zip(places, [0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        rows = order[begin:end]
        times = instant[rows]
        if (times[1:] < times[:-1]).any():
            rows = rows[np.argsort(times, kind="stable")]
            times = instant[rows]
        if (times[1:] == times[:-1]).any():
            raise NotOrdinaryError
        dimensions = dict(zip(plan.dimensions, written, strict=True))
        for at, measure in enumerate(plan.measures):
            column = values[rows, at]
            there = ~np.isnan(column)
            if there.any() and not is_excluded(plan, measure.name, dimensions):
                key = series_key(measure.name, dimensions, plan)
                found[key] = _aggregated(times[there], column[there], measure, plan.interval_seconds)
    return dict(sorted(found.items()))


class _Times(dict[str, int]):
    """Microseconds since 1970, by what is written."""

    def __init__(self, plan: TimestampPlan) -> None:
        super().__init__()
        self._plan = plan

    def __missing__(self, written: str) -> int:
        if is_missing(written):
            raise NotOrdinaryError
        if len(self) >= _REMEMBERED_TIMES:
            self.clear()
        found = self[written] = epoch_microseconds(parse_timestamp(written, self._plan))
        return found


@functools.lru_cache(maxsize=4)
def _times(plan: TimestampPlan) -> _Times:
    """Return what reads a plan's times: files of one history have many of them in common."""
    return _Times(plan)


class _Places(dict[tuple[str, ...], int]):
    """Numbers of places, by the values of their dimensions."""

    def __missing__(self, written: tuple[str, ...]) -> int:
        stripped = tuple(value.strip() for value in written)
        if any(map(is_empty, written)) or stripped != written:
            raise NotOrdinaryError
        found = self[written] = len(self)
        return found


def _parsed(table: TableFile) -> Iterator[list[Sequence[str]]]:
    """Yield the columns of rows, some at a time."""
    for chunk in table.chunks():
        yield list(zip(*chunk.rows, strict=True))


def _split(table: TableFile, header: Sequence[str]) -> Iterator[list[Sequence[str]]]:
    """Do the same where a row is what is between two ends of lines, and a cell between two delimiters."""
    width, delimiter = len(header), table.delimiter
    if width == 1 or table.dialect.decimal != ".":
        raise _NotPlainError
    rest = ""
    for part in itertools.chain(table.text(), ["\n"]):
        if '"' in part or "\r" in part:
            raise _NotPlainError
        whole, _, rest = (rest + part).rpartition("\n")
        lines = [line for line in whole.split("\n") if line]
        if any(line.count(delimiter) != width - 1 for line in lines):
            raise _NotPlainError
        if lines:
            cells = delimiter.join(lines).split(delimiter)
            yield [cells[at::width] for at in range(width)]


def _read(
    columns: Sequence[Sequence[str]],
    plan: WorkloadPlan,
    header: Sequence[str],
    times: _Times,
    places: _Places,
) -> tuple[npt.NDArray[np.int32], Integers, Floats]:
    count = len(columns[0])
    written = columns[header.index(plan.timestamp.field)]
    instant = np.fromiter(map(times.__getitem__, written), dtype=np.int64, count=count)
    of_dimensions = [columns[header.index(name)] for name in plan.dimensions]
    keys = zip(*of_dimensions, strict=True) if of_dimensions else itertools.repeat((), count)
    place = np.fromiter(map(places.__getitem__, keys), dtype=np.int32, count=count)
    values = np.full((count, len(plan.measures)), np.nan)
    for at, measure in enumerate(plan.measures):
        if measure.field in header:
            values[:, at] = _numbers(columns[header.index(measure.field)], measure)
    if np.isnan(values).all(axis=1).any():
        raise NotOrdinaryError
    return place, instant, values


def _numbers(cells: Sequence[str], measure: MeasurePlan) -> Floats:
    if measure.aggregate == "distinct":
        raise NotOrdinaryError
    if measure.aggregate == "count":
        return np.array([np.nan if is_missing(cell) else 1.0 for cell in cells])
    text = "".join(cells)
    if not text.isascii() or "_" in text:
        raise NotOrdinaryError
    try:
        found = np.array(list(map(float, cells)))
    except ValueError:
        try:
            found = np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
        except ValueError as error:
            raise NotOrdinaryError from error
    if (np.abs(found) > MAX_MAGNITUDE).any():
        raise NotOrdinaryError
    return found


def _aggregated(times: Integers, values: Floats, measure: MeasurePlan, interval_seconds: int) -> Intervals:
    starts = times // (interval_seconds * _MICROSECONDS) * interval_seconds
    begins = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    watermark = int(times[-1])
    if len(begins) == len(starts):
        return Intervals(starts, values, watermark)
    ends = np.append(begins[1:], len(starts))
    found = values[begins]
    for place in np.flatnonzero(ends - begins > 1).tolist():
        of_interval = values[begins[place] : ends[place]].tolist()
        found[place] = Aggregation.of_values(of_interval).value(measure.aggregate)
    return Intervals(starts[begins], found, watermark)
