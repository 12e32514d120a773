"""Merge the scores objects of hours and days, so that each is one file: whatever happens, the same result.

A merged file says in its metadata which scores objects are in it, by a digest of their names and contents. A
run lists what there is and merges again where the digest differs: so a run that died, ran twice, or came
before a late object changes nothing in the end. Nothing is removed here; lifecycle rules do that.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from lambdas.adapters.clients import POOL_THREADS
from watchkeeper.anomalies import merged
from watchkeeper.anomalies.quality import of_quality
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError

SETTLED_AFTER = timedelta(minutes=15)
"""An hour is merged when so long has passed after it: its objects are scored by then, mostly."""
CURRENT_DAYS = 2
"""Today and yesterday are looked at in every run."""
LATE_DAYS = 14
"""Once a day so many days are: a message that could not be handled is kept for so long, and then scored."""
SOURCES, FIRST, LAST = "sources", "first", "last"
"""Metadata: the digest of what is merged; the first and the last beginning of an interval."""
HOURS_A_DAY = 24


@dataclass(frozen=True)
class Stored:
    """An object: its key, and what changes with its content."""

    key: str
    etag: str


class MergedObjects(Protocol):
    """The data bucket, as merging needs it."""

    def workloads(self) -> list[str]:
        """Return the workloads that have scores objects."""

    def listed(self, prefix: str) -> list[Stored]:
        """Return the objects under a prefix."""

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """Return an object's metadata; None if there is no such object."""

    def read(self, key: str) -> bytes:
        """Return an object's content."""

    def write(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Create or replace an object."""


@dataclass
class Report:
    """What was merged in a run."""

    hours: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    rows: int = 0


def merge_all(objects: MergedObjects, now: datetime, goes_on: Callable[[], bool]) -> Report:
    """Merge what has come since the last run, of all workloads; the newest days first.

    Parameters
    ----------
    now
        When the run was to begin; aware, UTC.
    goes_on
        Whether there is time for one more day of a workload. What is left is merged by the next run.
    """
    report = Report()
    days = LATE_DAYS if now.hour == 0 else CURRENT_DAYS
    for age in range(days):
        date = f"{now - timedelta(days=age):%Y-%m-%d}"
        for workload in objects.workloads():
            if not goes_on():
                return report
            settle(objects, workload, date, now, report)
    return report


def settle(objects: MergedObjects, workload: str, date: str, now: datetime, report: Report) -> None:
    """Merge the hours of a date that are over, and the date if all of it is."""
    by_hour: dict[str, list[Stored]] = defaultdict(list)
    for source in objects.listed(layout.scores_of_date(workload, date)):
        by_hour[layout.hour_of_scores_key(source.key)].append(source)
    over = {hour: sources for hour, sources in by_hour.items() if _end_of(hour) + SETTLED_AFTER <= now}
    whole = _digest(source for hour in sorted(over) for source in over[hour])
    day_key = layout.merged_day_key(workload, date)
    if not over or (objects.metadata(day_key) or {}).get(SOURCES) == whole:
        return
    files = []
    for hour, sources in sorted(over.items()):
        files.append(_merged_hour(objects, workload, hour, sources, report))
    if _end_of(f"{date}T{HOURS_A_DAY - 1}") + SETTLED_AFTER > now:
        return
    body = merged.merged_files([io.BytesIO(file) for file in files])
    spans = [span for file in files if (span := merged.span_of_file(io.BytesIO(file))) is not None]
    ends = {FIRST: min(first for first, _ in spans), LAST: max(last for _, last in spans)} if spans else {}
    objects.write(day_key, body, {SOURCES: whole, **ends})
    report.days.append(f"{workload} {date}")


def _merged_hour(
    objects: MergedObjects, workload: str, hour: str, sources: Iterable[Stored], report: Report
) -> bytes:
    sources = list(sources)
    key, digest = layout.merged_hour_key(workload, hour), _digest(sources)
    if (objects.metadata(key) or {}).get(SOURCES) == digest:
        return objects.read(key)
    quality: list[bytes] = []
    with ThreadPoolExecutor(POOL_THREADS) as pool:
        bodies = pool.map(lambda source: _unpacked(objects, source.key), sources)
        table = merged.table_of(_noting(bodies, quality))
    body = merged.written(table, quality)
    first, last = merged.span_of(table) or ("", "")
    objects.write(key, body, {SOURCES: digest, FIRST: first, LAST: last})
    report.hours.append(f"{workload} {hour}")
    report.rows += table.num_rows
    return body


def _noting(bodies: Iterable[bytes], quality: list[bytes]) -> Iterator[bytes]:
    for body in bodies:
        quality += of_quality(body.splitlines())
        yield body


def _unpacked(objects: MergedObjects, key: str) -> bytes:
    try:
        return gzip.decompress(objects.read(key))
    except (OSError, EOFError) as error:
        raise ContractViolationError(f"{key} is not packed by gzip: {error}") from error


def _end_of(hour: str) -> datetime:
    return datetime.fromisoformat(f"{hour}:00:00+00:00") + timedelta(hours=1)


def _digest(sources: Iterable[Stored]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        digest.update(f"{source.key}\n{source.etag}\n".encode())
    return digest.hexdigest()
