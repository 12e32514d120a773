"""What files of telemetry say of themselves: time, measures, dimensions, interval, and what stays in doubt.

A proposal for a person who then decides: `watchkeeper init` writes it as a workload. Reading itself never
guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, combinations, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect, TimestampPlan
from watchkeeper.core.time_formats import EPOCH_UNITS, suggested_formats
from watchkeeper.core.timestamps import EPOCH, epoch_microseconds, parse_timestamp, time_zone
from watchkeeper.spec.tuning import Line
from watchkeeper.telemetry.cells import is_missing, is_number, names_shown, shown, with_decimal_point
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.dialect import TableFile

FILE_ROWS = 50_000
"""Of each file; what it says is in its beginning."""
MOST_DIMENSIONS = 4
INTERVALS = (
    1,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    14400,
    21600,
    43200,
    86400,
    604800,
)
"""Seconds of the intervals that are proposed."""
RHYTHMS = {"day": 86_400, "week": 604_800}

UNIT = re.compile(r"\s*[\[(]([^\])]*)[\])]\s*$")
"""What stands in brackets at the end of a column's name."""
_UNIT_CHARACTERS = 12
_SAMPLE = 400
_CLEAR = 0.95
"""Share of a column's cells that must be of its kind."""
_APART = 0.99
"""Share of the rows whose time and dimensions are not there twice."""
_MOST_VALUES = 1_000
_MOST_NAMED = 8
_MOST_YEARS = 20
_RHYTHM = 0.3
_TIME_NAME = re.compile(r"time|date|zeit|datum|uhr|\bts\b|_ts\b|stamp", re.IGNORECASE)
_FRAUD_NAME = re.compile(r"fraud|chargeback", re.IGNORECASE)
_MOST_LABELS = 4
"""Words for fraud, no fraud and not known."""
_OFFSET = re.compile(r".*(Z|z|[+-]\d\d:?\d\d)$")
_ZONES = ("Europe/Berlin", "Europe/London", "Europe/Helsinki", "America/New_York")
"""One of each rule by which clocks go forward: their skipped hours tell the families apart."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FoundMeasure:
    """A column of numbers."""

    field: str
    unit: str
    """As the header has it in brackets; empty without."""
    missing: float
    """Share of the rows without a value."""


@dataclass(frozen=True)
class Discovery:
    """What the files say."""

    dialect: Dialect
    timestamp: TimestampPlan
    measures: tuple[FoundMeasure, ...]
    dimensions: Mapping[str, int]
    """Number of values by column."""
    interval_seconds: int
    n_rows: int
    n_series: int
    """Different values of the dimensions; each measure has as many series."""
    first: datetime
    last: datetime
    gaps: float
    """Share of a series' intervals, from its first to its last reading, that have none."""
    rhythms: Mapping[str, float]
    """Autocorrelation in [0.3, 1] at a period, by its name."""
    lines: Sequence[Line]
    """The series: means of the intervals that have a value."""
    doubts: tuple[str, ...] = ()
    """Sentences about what a person should look at."""


@dataclass
class _Columns:
    """The cells of all files by column, and what was noticed."""

    cells: dict[str, list[str]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.cells.values()), []))


def discover(paths: Sequence[Path], timezone: str | None = None) -> Discovery:
    """Look at files of one kind of telemetry.

    Parameters
    ----------
    timezone
        IANA name of the zone of times that name none, where that is known.

    Raises
    ------
    InvalidInputError
        If a file cannot be read, another has other columns, there is no column of times or none of numbers
        (names the columns that there are), or no such zone.
    """
    if timezone is not None:
        time_zone(timezone)
    columns = _read(paths)
    _refuse_transactions(columns)
    timestamp = _timestamp(columns)
    decimal = _decimal(columns, timestamp.field)
    dialect = Dialect(decimal=decimal)
    numbers, texts = _kinds(columns, timestamp.field, decimal)
    seconds = _seconds(columns, timestamp)
    dimensions, groups = _dimensions(columns, seconds, texts, numbers)
    measures = _measures(columns, numbers, dimensions, decimal)
    series = [seconds[rows] for rows in groups]
    interval = _interval(series, columns.doubts)
    longest = max(groups, key=len)
    zoned = _zoned(timestamp, columns, seconds, interval, timezone, decimal)
    first, last = (_in_zone(float(end), zoned) for end in (np.nanmin(seconds), np.nanmax(seconds)))
    return Discovery(
        dialect=dialect,
        timestamp=zoned,
        measures=measures,
        dimensions={name: len(set(columns.cells[name])) for name in dimensions},
        interval_seconds=interval,
        n_rows=columns.n_rows,
        n_series=len(groups),
        first=first,
        last=last,
        gaps=_gaps(series, interval),
        rhythms=_rhythms(seconds[longest], numbers[measures[0].field][longest], interval),
        lines=[
            _line(seconds[rows], numbers[each.field][rows], interval) for each in measures for rows in groups
        ],
        doubts=tuple(columns.doubts),
    )


def _read(paths: Sequence[Path]) -> _Columns:
    columns = _Columns()
    for path in paths:
        header: list[str] = []
        taken = 0
        with open_file(path) as stream:
            for chunk in TableFile(stream, str(path)).chunks():
                if taken >= FILE_ROWS:
                    columns.doubts.append(f"{path}: its first {taken:,} rows were looked at")
                    break
                if not header:
                    header = chunk.header
                    _check_header(path, header, columns)
                for name, cells in zip(header, zip(*chunk.rows, strict=True), strict=True):
                    columns.cells.setdefault(name, []).extend(cells)
                taken += len(chunk.rows)
        if not taken:
            raise InvalidInputError(f"{path} has no rows", reason="empty_file")
    return columns


def _check_header(path: Path, header: list[str], columns: _Columns) -> None:
    if columns.cells and set(header) != set(columns.cells):
        other = sorted(set(header) ^ set(columns.cells))
        raise InvalidInputError(
            f"{path} has other columns than the files before it: {names_shown(other)}; a workload's files "
            "have the same columns",
            reason="other_columns",
        )


def _refuse_transactions(columns: _Columns) -> None:
    for name, cells in columns.cells.items():
        if _FRAUD_NAME.search(name) and len({cell for cell in cells if not is_missing(cell)}) <= _MOST_LABELS:
            raise InvalidInputError(
                f"column {shown(name)} says of each row whether it is fraud: these are transactions, which "
                "are no telemetry. A workload of `kind: fraud` judges them: docs/guides/fraud.md shows one, "
                "workloads/card_fraud.yaml is one. If it is a measurement all the same, rename the column",
                reason="transactions",
            )


def _sampled(cells: Sequence[str]) -> list[str]:
    known = [cell for cell in cells[:: max(1, len(cells) // (4 * _SAMPLE))] if not is_missing(cell)]
    return known[:: max(1, len(known) // _SAMPLE)]


def _timestamp(columns: _Columns) -> TimestampPlan:
    found: list[tuple[bool, str, list[str]]] = []
    for name, cells in columns.cells.items():
        formats = _formats(_sampled(cells))
        named = bool(_TIME_NAME.search(name))
        # a measurement may be of the size of seconds since 1970
        if formats and (named or formats[0] not in EPOCH_UNITS or _grows(cells)):
            found.append((not named, name, formats))
    if not found:
        raise InvalidInputError(
            f"no column has times; the columns are {names_shown(list(columns.cells))}. Times are ISO 8601, "
            "numbers since 1970, or written with day, month and year. A table without times is no telemetry: "
            "a workload of `kind: regression` predicts one of its columns (workloads/abalone.yaml), the "
            "anomaly service finds odd rows (docs/guides/service.md), and a workload of `kind: fraud` judges "
            "transactions, whose times may count from any day (docs/guides/fraud.md)",
            reason="no_time_column",
        )
    found.sort(key=lambda each: each[0])
    _, name, formats = found[0]
    if len(found) > 1:
        columns.doubts.append(
            f"column {shown(name)} was taken for the time; there are times in "
            + names_shown([other for _, other, _ in found[1:]])
            + " too"
        )
    if len(formats) > 1:
        columns.doubts.append(
            f"times such as {shown(_sampled(columns.cells[name])[0])} are read as {formats[0]}; {formats[1]} "
            "would read every one of them too"
        )
    return TimestampPlan(name, formats[0])


def _formats(sample: Sequence[str]) -> list[str]:
    """Return the formats that read the whole sample; of several the one by which it spans least first."""
    candidates = list(dict.fromkeys(name for cell in sample[:40] for name in suggested_formats(cell)))
    read = {}
    for name in candidates:
        instants = list(_instants(sample, TimestampPlan("", name)))
        if len(instants) >= _CLEAR * len(sample):
            read[name] = (-len(instants), max(instants) - min(instants))
    return sorted(read, key=lambda name: read[name])


def _instants(cells: Sequence[str], plan: TimestampPlan) -> Iterator[datetime]:
    return filter(None, (_instant(cell, plan) for cell in cells))


def _instant(cell: str, plan: TimestampPlan) -> datetime | None:
    try:
        return parse_timestamp(cell, plan)
    except InvalidInputError:
        return None


def _grows(cells: Sequence[str]) -> bool:
    numbers = [float(cell) for cell in cells[:_SAMPLE] if is_number(cell)]
    return len(numbers) > 1 and all(later >= earlier for earlier, later in pairwise(numbers))


def _decimal(columns: _Columns, time: str) -> str:
    """Tell whether numbers have a decimal comma."""
    points = commas = 0
    for name, cells in columns.cells.items():
        if name == time:
            continue
        sample = _sampled(cells)
        points += sum(is_number(cell) and "." in cell for cell in sample)
        commas += sum(not is_number(cell) and is_number(with_decimal_point(cell)) for cell in sample)
    if points and commas:
        taken = "commas" if commas > points else "points"
        columns.doubts.append(f"some numbers have a decimal comma and some a point: {taken} were taken")
    return "," if commas > points else "."


def _kinds(columns: _Columns, time: str, decimal: str) -> tuple[dict[str, FloatArray], list[str]]:
    """Return the columns of numbers, with NaN for no value, and the names of those of text."""
    numbers: dict[str, FloatArray] = {}
    texts = []
    for name, cells in columns.cells.items():
        if name == time:
            continue
        values = np.array([_number(cell, decimal) for cell in cells])
        known = np.array([not is_missing(cell) for cell in cells])
        if not known.any():
            columns.doubts.append(f"column {shown(name)} has no value: left out")
        elif np.isfinite(values[known]).mean() >= _CLEAR:
            numbers[name] = values
        else:
            texts.append(name)
    return numbers, texts


def _number(cell: str, decimal: str) -> float:
    text = with_decimal_point(cell) if decimal == "," else cell
    return float(text) if is_number(text) else np.nan


def _seconds(columns: _Columns, plan: TimestampPlan) -> FloatArray:
    """Return each row's time in seconds since 1970, NaN where it has none."""
    instants = [_instant(cell, plan) for cell in columns.cells[plan.field]]
    refused = instants.count(None)
    if refused:
        columns.doubts.append(f"{refused:,} of {columns.n_rows:,} rows have no time that can be read")
    return np.array([np.nan if each is None else epoch_microseconds(each) / 1e6 for each in instants])


def _dimensions(
    columns: _Columns, seconds: FloatArray, texts: Sequence[str], numbers: Mapping[str, FloatArray]
) -> tuple[tuple[str, ...], list[npt.NDArray[np.int64]]]:
    """Return the columns by which no time is there twice, and the rows of each of their values."""
    usable = np.flatnonzero(np.isfinite(seconds))
    named = [name for name in texts if _is_few(columns.cells[name])][:_MOST_NAMED]
    whole = [
        (name,)
        for name, values in numbers.items()
        if _is_few(columns.cells[name]) and np.all(values[np.isfinite(values)] % 1 == 0)
    ]
    by_text = (chosen for count in range(MOST_DIMENSIONS + 1) for chosen in combinations(named, count))
    best: tuple[float, tuple[str, ...]] = (0.0, ())
    for chosen in chain(by_text, whole):
        apart = _apart(columns, seconds, usable, chosen)
        if apart > best[0] + 1 - _APART:
            best = apart, chosen
        if best[0] >= _APART:
            break
    share, chosen = best
    if share < _APART:
        columns.doubts.append(
            f"{1 - share:.0%} of the rows have the time of another row of the same series, and no column "
            "tells them apart: an interval takes all of them"
        )
    left = [name for name in texts if name not in chosen]
    if left:
        columns.doubts.append(f"columns of text that tell no series apart were left out: {names_shown(left)}")
    groups: dict[tuple[str, ...], list[int]] = {}
    for row in usable.tolist():
        groups.setdefault(tuple(columns.cells[name][row] for name in chosen), []).append(row)
    ordered = [np.array(sorted(rows, key=lambda row: seconds[row])) for rows in groups.values()]
    return chosen, ordered


def _is_few(cells: Sequence[str]) -> bool:
    return 1 < len(set(cells)) <= _MOST_VALUES


def _apart(
    columns: _Columns, seconds: FloatArray, rows: npt.NDArray[np.int64], names: Sequence[str]
) -> float:
    keys = list(
        zip(
            seconds[rows].tolist(),
            *([columns.cells[name][row] for row in rows] for name in names),
            strict=True,
        )
    )
    return len(set(keys)) / max(len(keys), 1)


def _measures(
    columns: _Columns, numbers: Mapping[str, FloatArray], dimensions: Sequence[str], decimal: str
) -> tuple[FoundMeasure, ...]:
    found = []
    for name, values in numbers.items():
        if name in dimensions:
            continue
        known = values[np.isfinite(values)]
        if len(np.unique(known)) == 1:
            columns.doubts.append(f"column {shown(name)} is always {known[0]:g}: left out")
            continue
        if np.isin(known, (0, 1)).all():
            columns.doubts.append(
                f"column {shown(name)} is 0 or 1: take it out if it is a label and no measure"
            )
        found.append(FoundMeasure(name, _unit(name), 1 - len(known) / max(len(values), 1)))
    if not found:
        raise InvalidInputError(
            f"no column of numbers changes; the columns are {names_shown(list(columns.cells))}"
            + ("" if decimal == "," else ". Numbers have a point, or everywhere a comma, as decimal sign"),
            reason="no_measure",
        )
    return tuple(found)


def _unit(name: str) -> str:
    """Return the unit that a column's name has in brackets, on one line; empty without."""
    found = UNIT.search(name)
    unit = " ".join(found[1].split()) if found else ""
    return unit if len(unit) <= _UNIT_CHARACTERS else ""


def _interval(series: Sequence[FloatArray], doubts: list[str]) -> int:
    steps = np.concatenate([np.diff(np.unique(times)) for times in series])
    if not len(steps):
        doubts.append("there is one reading a series: an interval of 5 minutes was taken")
        return 300
    usual = float(np.median(steps))
    near = min(INTERVALS, key=lambda seconds: abs(np.log(seconds / usual)))
    if abs(near / usual - 1) <= 0.1 and np.mean(np.abs(steps / near - np.round(steps / near)) < 0.1) >= 0.8:
        return near
    most = float(np.quantile(steps, 0.9))
    wide = next((seconds for seconds in INTERVALS if seconds >= most), INTERVALS[-1])
    doubts.append(
        f"readings come irregularly, {usual:g} s apart in the middle: 9 of 10 are at most {most:g} s apart, "
        f"so that an interval of {wide} s has one"
    )
    return wide


def _gaps(series: Sequence[FloatArray], interval: int) -> float:
    expected = present = 0
    for times in series:
        starts = np.unique(times // interval)
        expected += int(starts[-1] - starts[0]) + 1
        present += len(starts)
    return 1 - present / max(expected, 1)


def _line(times: FloatArray, values: FloatArray, interval: int) -> Line:
    kept = np.isfinite(values)
    starts, places = np.unique(times[kept] // interval * interval, return_inverse=True)
    counts = np.bincount(places, minlength=len(starts))
    return starts, np.bincount(places, values[kept], len(starts)) / np.maximum(counts, 1)


def _rhythms(times: FloatArray, values: FloatArray, interval: int) -> dict[str, float]:
    """Return the autocorrelation of a series at the periods that it spans twice, where it is high."""
    kept = np.isfinite(values)
    if kept.sum() < 2:
        return {}
    starts = (times[kept] // interval).astype(np.int64)
    line = np.full(starts[-1] - starts[0] + 1, np.nan)
    line[starts - starts[0]] = values[kept]
    line -= np.nanmedian(line)
    found = {}
    for name, seconds in RHYTHMS.items():
        lag = seconds // interval
        if interval > seconds // 4 or len(line) < 2 * lag:
            continue
        pair = np.isfinite(line[lag:]) & np.isfinite(line[:-lag])
        if pair.sum() < lag // 2:
            continue
        later, earlier = line[lag:][pair], line[:-lag][pair]
        if later.std() and earlier.std():
            correlation = float(np.corrcoef(later, earlier)[0, 1])
            if correlation >= _RHYTHM:
                found[name] = round(correlation, 2)
    return found


def _zoned(
    plan: TimestampPlan,
    columns: _Columns,
    seconds: FloatArray,
    interval: int,
    told: str | None,
    decimal: str,
) -> TimestampPlan:
    """Find the zone of local times, unless it is told, by the hours that its clocks skip."""
    sample = _sampled(columns.cells[plan.field])
    if (
        plan.format in EPOCH_UNITS
        or "%z" in plan.format
        or all(_OFFSET.fullmatch(cell.strip()) for cell in sample)
    ):
        if told is not None:
            columns.doubts.append(f"times carry their zone or count from 1970: {told} has no effect on them")
        return plan
    if told is not None:
        return TimestampPlan(plan.field, plan.format, told)
    known = seconds[np.isfinite(seconds)]
    hours = set((known // 3600).astype(np.int64).tolist()) if interval <= 3600 else set()
    for zone in _ZONES:
        skipped = [hour for hour in _skipped_hours(zone, known) if {hour - 1, hour + 1} <= hours]
        if skipped and not hours & set(skipped):
            columns.doubts.append(
                f"times name no time zone; {zone} was taken: no reading is in the hour that its clocks skip"
            )
            return TimestampPlan(plan.field, plan.format, zone)
    local = decimal == "," and plan.format.startswith("%d.%m.")
    columns.doubts.append(
        "times name no time zone; UTC was taken"
        + (", though times and numbers are written as in Germany, whose clocks show another" if local else "")
        + "; if they are local, say which: --timezone Europe/Berlin"
    )
    return plan


def _in_zone(seconds: float, plan: TimestampPlan) -> datetime:
    """Return the instant of a time that was read as if it were UTC; aware, UTC."""
    read = EPOCH + timedelta(seconds=seconds)
    return read.replace(tzinfo=ZoneInfo(plan.timezone)).astimezone(EPOCH.tzinfo)


def _skipped_hours(zone: str, known: FloatArray) -> list[int]:
    """Return the hours since 1970, as local clocks would read, that do not exist in a zone."""
    place = ZoneInfo(zone)
    first, last = (EPOCH + timedelta(seconds=float(end)) for end in (known.min(), known.max()))
    hours = (
        datetime(year, 3, day, hour)
        for year in range(first.year, min(last.year, first.year + _MOST_YEARS) + 1)
        for day in range(8, 32)
        for hour in (1, 2, 3)
    )
    zero = EPOCH.replace(tzinfo=None)
    return [
        int((hour - zero).total_seconds()) // 3600
        for hour in hours
        if hour.replace(tzinfo=place).astimezone(EPOCH.tzinfo).astimezone(place).replace(tzinfo=None) != hour
    ]
