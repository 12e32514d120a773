"""Reads a training run's telemetry: the user's history files, and what the delivery stream has stored.

Files are read line by line, one after the other. What stays in memory is one aggregation an interval, and the
identity of each record, so that a record counts once however often it was delivered.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from containers.anomaly.labels import LABELS_NAME
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.history import ReadLine, read_history
from watchkeeper.telemetry.intervals import Aggregation, add, interval_start, interval_values
from watchkeeper.telemetry.records import Record
from watchkeeper.telemetry.series import series_key

PROGRESS_LINES = 200_000
"""A large file says that it is still being read after so many lines."""
_GZIP_MAGIC = b"\x1f\x8b"

logger = logging.getLogger(__name__)


@dataclass
class Telemetry:
    """What has been read so far."""

    plan: WorkloadPlan
    start: int | None = None
    """First instant that counts, in seconds since 1970."""
    end: int | None = None
    """First instant that does not count any more."""
    rows_read: int = 0
    accepted: int = 0
    duplicates: int = 0
    outside: int = 0
    """Records that are not between `start` and `end`."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Number of refused lines by reason."""
    first_refusal: str = ""
    """Source, line and message of the first refused line."""
    intervals: dict[str, dict[int, Aggregation]] = field(default_factory=dict)
    """By series key, then by interval start."""
    _seen: set[int] = field(default_factory=set)

    def series_values(self) -> dict[str, list[tuple[int, float]]]:
        """Return `(interval start, value)` of each series, in time order, of the plan's newest history."""
        return interval_values(dict(sorted(self.intervals.items())), self.plan)

    def refuse(self, error: InvalidInputError, where: str) -> None:
        """Count a refused line."""
        self.quarantined[error.reason] += 1
        self.first_refusal = self.first_refusal or f"{where}: {error}"

    def take(self, record: Record) -> None:
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
            if value is not None:
                series = series_key(name, record.dimensions, self.plan)
                add(self.intervals.setdefault(series, {}), start, value)


def read_folder(folder: Path, telemetry: Telemetry, quarantine: Path) -> int:
    """Read every file of a folder; refused lines are written to a file of `quarantine`.

    Returns
    -------
    int
        Number of files.
    """
    files = [path for path in sorted(folder.rglob("*")) if _is_telemetry(path)] if folder.is_dir() else []
    for path in files:
        _read_file(path, path.relative_to(folder.parent).as_posix(), telemetry, quarantine)
    return len(files)


def _is_telemetry(path: Path) -> bool:
    return (
        path.is_file()
        and path.name != LABELS_NAME
        and not path.name.startswith(".")
        and path.stat().st_size > 0
    )


def _read_file(path: Path, source: str, telemetry: Telemetry, quarantine: Path) -> None:
    before = telemetry.accepted
    refused: IO[str] | None = None
    lines = 0
    try:
        for number, text, outcome in _lines(path, telemetry.plan):
            lines += number > 0
            if isinstance(outcome, Record):
                telemetry.take(outcome)
            else:
                telemetry.refuse(outcome, f"{source}, line {number}")
                if refused is None:
                    refused = (quarantine / f"{short_hash(source, 24)}.jsonl").open("w", encoding="utf-8")
                refused.write(_refusal(source, number, text, outcome))
            if lines % PROGRESS_LINES == 0 and lines:
                logger.info("reading", extra={"source": source, "lines": lines})
    finally:
        if refused is not None:
            refused.close()
    telemetry.rows_read += lines
    logger.info("read", extra={"source": source, "lines": lines, "accepted": telemetry.accepted - before})


def _lines(path: Path, plan: WorkloadPlan) -> Iterator[ReadLine]:
    """Yield a file's lines; what makes the file as a whole unreadable is yielded as line 0."""
    name = path.name
    with path.open("rb") as stream:
        packed = stream.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        stream.seek(0)
        # The delivery stream's objects may be gzipped under any name; a name without a kind is JSON lines.
        plain = name.removesuffix(".gz")
        kind = plain if Path(plain).suffix else f"{plain}.jsonl"
        try:
            yield from read_history(stream, plan, f"{kind}.gz" if packed else kind)
        except InvalidInputError as error:
            yield 0, "", error


def _refusal(source: str, number: int, text: str, error: InvalidInputError) -> str:
    document = {"source": source, "line": number, "reason": error.reason, "message": str(error), "text": text}
    return json.dumps(document, sort_keys=True) + "\n"
