"""The captured traffic of an endpoint in a stretch of time, and a sample of what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.captures import Sample, instances_in
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import cells_of, features_of, format_cells

MAX_OBJECTS = 500
"""Of a run; an endpoint under load writes several a minute. Those that are read are spread evenly."""


@dataclass(frozen=True)
class CapturedRows:
    """What was found in the captured traffic."""

    rows: tuple[str, ...]
    """The sample, as lines of CSV in the plan's order."""
    rows_captured: int
    rows_unreadable: int
    objects: int
    objects_read: int


def collect_rows(
    objects: ObjectStore,
    bucket: str,
    plan: RegressionPlan,
    starts_at: datetime,
    ends_at: datetime,
    *,
    size: int,
) -> CapturedRows:
    """Sample the rows that the workload's endpoint was asked with from `starts_at` until before `ends_at`.

    The same traffic gives the same sample. A row counts as unreadable if the model would not take it.
    """
    keys = [
        key
        for prefix in hour_prefixes(plan.workload, starts_at, ends_at)
        for key in objects.keys_under(ObjectUri(bucket, prefix))
    ]
    chosen = spread(keys, MAX_OBJECTS)
    sample, unreadable = Sample(size), 0
    for key in chosen:
        body = objects.read(ObjectUri(bucket, key)) or b""
        for found in instances_in(body.splitlines()):
            if isinstance(found, InvalidInputError):
                unreadable += 1
                continue
            if not starts_at <= found.captured_at < ends_at:
                continue
            try:
                row = format_cells(features_of(cells_of(found.content, plan), plan))
            except InvalidInputError:
                unreadable += 1
                continue
            sample.add(found.identity, row)
    return CapturedRows(tuple(sample.items()), sample.seen, unreadable, len(keys), len(chosen))


def hour_prefixes(workload: str, starts_at: datetime, ends_at: datetime) -> Iterator[str]:
    """Yield the prefixes under which SageMaker writes what it captures in each hour, one hour more at the
    end: a file is named for when it was written."""
    root = f"{layout.capture_prefix(workload)}{layout.endpoint_name(workload)}/{layout.VARIANT}"
    hour = starts_at.replace(minute=0, second=0, microsecond=0)
    while hour <= ends_at + timedelta(hours=1):
        yield f"{root}/{hour:%Y/%m/%d/%H}/"
        hour += timedelta(hours=1)


def spread(keys: Sequence[str], count: int) -> list[str]:
    """Return at most `count` keys, spread evenly."""
    if len(keys) <= count:
        return list(keys)
    return [keys[position * len(keys) // count] for position in range(count)]
