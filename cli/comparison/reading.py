"""A history from files: a column at a time, or record by record as training reads it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from containers.anomaly.telemetry import Telemetry
from watchkeeper.backtest.outcome import Version
from watchkeeper.backtest.scores import closed_intervals
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.moved import MovedThresholds
from watchkeeper.telemetry.columns import Columns, Intervals, NotOrdinaryError, intervals_of, read_columns
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.history import History
from watchkeeper.telemetry.labels import LABELS_NAME, Labels
from watchkeeper.telemetry.records import Record
from watchkeeper.telemetry.series import measure_of, parse_series_key


@dataclass(frozen=True, eq=False)
class ReadHistory:
    """What files say of a workload's series."""

    intervals: dict[str, Intervals]
    records: int
    said: tuple[str, ...]
    """What a user should know."""
    files: dict[str, set[str]]
    """Names of the files that a series is in, by its key."""

    @property
    def places(self) -> int:
        """What sends records: one for all measures of a place."""
        return len({parse_series_key(series).dimensions for series in self.intervals})

    @property
    def messages_an_interval(self) -> float:
        """Records of a place in an interval in which it has any, on average; at least 1."""
        most: dict[object, int] = {}
        for series, one in self.intervals.items():
            place = parse_series_key(series).dimensions
            most[place] = max(most.get(place, 0), len(one.starts))
        return max(1.0, self.records / max(1, sum(most.values())))


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Return files, and those in folders, each once.

    Raises
    ------
    InvalidInputError
        If one is not there, or a folder is empty.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InvalidInputError(f"--history {path}: there is no such file or folder")
        inside = [path]
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if _is_history(one, path))
            if not inside:
                raise InvalidInputError(f"--history {path}: the folder has no file")
        found.update(dict.fromkeys(inside))
    if not found:
        raise InvalidInputError("--history: name the files with the telemetry to judge")
    return list(found)


def read_history(files: Sequence[Path], plan: WorkloadPlan) -> ReadHistory:
    """Read files as training would.

    Raises
    ------
    InvalidInputError
        If a file cannot be read, has no reading, or too much is refused.
    """
    try:
        columns = _read_all(files, plan)
        intervals = intervals_of(columns, plan)
    except NotOrdinaryError:
        return _record_by_record(files, plan)
    records = sum(len(one.instant) for one in columns)
    names: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for file, found in zip(files, columns, strict=True):
        for place in found.places:
            names[place].add(file.name)
    of_series = {
        series: names[tuple(value for _, value in parse_series_key(series).dimensions)]
        for series in intervals
    }
    return ReadHistory(intervals, records, (f"{_shown(files)}: {records:,} records, 0 refused",), of_series)


def version_of(
    name: str, plan: WorkloadPlan, history: ReadHistory, labels: Labels | None, moved: MovedThresholds
) -> tuple[Version, str]:
    """Return a version over a history, and what of the labels meets no reading.

    Raises
    ------
    InvalidInputError
        If no interval is closed, or no label meets one.
    """
    closed = closed_intervals(history.intervals, plan)
    if not closed:
        raise InvalidInputError(f"{name}: the history has no closed interval of {plan.interval_seconds} s")
    unmet = ""
    if labels is not None:
        starts = {series: one.starts.tolist() for series, one in closed.items()}
        labels, unmet = labels.fitted(starts, plan.interval_seconds, history.files)
    return Version(name, plan, closed, labels, moved), unmet


def _read_all(files: Sequence[Path], plan: WorkloadPlan) -> list[Columns]:
    read = partial(_read, plan=plan)
    if len(files) == 1:
        return [read(files[0])]
    with ProcessPoolExecutor(min(len(files), os.cpu_count() or 1)) as pool:
        return list(pool.map(read, files))


def _read(file: Path, plan: WorkloadPlan) -> Columns:
    with open_file(file) as stream:
        return read_columns(stream, plan, str(file))


def _record_by_record(files: Sequence[Path], plan: WorkloadPlan) -> ReadHistory:
    telemetry = Telemetry(plan)
    tally = telemetry.history
    for file in files:
        with open_file(file) as stream:
            history = History(stream, plan, str(file))
            for line in history:
                if isinstance(line.outcome, Record):
                    tally.accept()
                    telemetry.take(line.outcome, file.name)
                else:
                    tally.refuse(line.outcome, str(file), line.number)
            telemetry.notes += history.notes()
    if not telemetry.accepted:
        raise InvalidInputError(f"{_shown(files)}: not one reading: {tally.sentence()}")
    tally.check(plan.max_refused_share)
    intervals = {}
    for series, of_series in sorted(telemetry.intervals.items()):
        aggregate, starts = measure_of(series, plan).aggregate, sorted(of_series)
        values = np.array([of_series[start].value(aggregate) for start in starts])
        found = np.array(starts, dtype=np.int64)
        intervals[series] = Intervals(found, values, telemetry.watermarks[series])
    twice = f", {telemetry.duplicates:,} there before" if telemetry.duplicates else ""
    said = (f"{_shown(files)}: {tally.sentence()}{twice}", *telemetry.notes)
    return ReadHistory(intervals, telemetry.accepted, said, telemetry.files)


def _is_history(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and path.name != LABELS_NAME


def _shown(files: Sequence[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
