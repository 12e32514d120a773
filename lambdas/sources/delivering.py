"""What was asked for, as objects under `raw/`: of each interval what was not delivered before.

The same time is asked for again and again, since what is late comes later. What an interval's objects hold is
read first, so a value is delivered once, whatever was asked meanwhile; the first value counts.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.sources.fetching import LINES_AN_OBJECT, Fetched, packed, part_key, raw_line
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.history import HistoryLine
from watchkeeper.telemetry.intervals import interval_start
from watchkeeper.telemetry.quarantine import quarantine_line
from watchkeeper.telemetry.records import Record, parse_object, reader_of

Value = tuple[object, ...]
"""What is delivered once: a measure's field, at a time and place, of a record where records have names."""


def deliver(
    lines: Iterable[HistoryLine],
    source: str,
    asked_at: datetime,
    plan: WorkloadPlan,
    store: ObjectStore,
    bucket: str,
) -> Fetched:
    """Write what is new of what was asked for, and keep what is refused.

    Parameters
    ----------
    source
        What was asked; messages call it so, and objects are named for it.
    asked_at
        Aware; the time that this was scheduled for, never the clock's.
    bucket
        The data bucket.

    Raises
    ------
    UnavailableError
        If S3 does not answer, or another delivery writes at the same time: the message must come again.
    """
    of_intervals: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    refused = []
    try:
        for line in lines:
            if isinstance(line.outcome, Record):
                start = interval_start(line.outcome.event_time, plan.interval_seconds)
                of_intervals[start].append(line.fields)
            else:
                error = line.outcome
                refused.append(quarantine_line(source, line.number, error.reason, str(error), line.text))
    except InvalidInputError as error:
        refused.append(quarantine_line(source, 0, error.reason, str(error)))
    written, objects = 0, 0
    for start, records in sorted(of_intervals.items()):
        end = datetime.fromtimestamp(start + plan.interval_seconds, timezone.utc)
        prefix = ObjectUri(bucket, layout.fetched_prefix(plan.workload, end, f"{source}#{start}"))
        there = store.keys_under(prefix)
        new = [raw_line(fields, plan, asked_at) for fields in _new(records, plan, store, bucket, there)]
        for number, first in enumerate(range(0, len(new), LINES_AN_OBJECT), start=len(there)):
            body = packed(new[first : first + LINES_AN_OBJECT])
            key = part_key(prefix.key, number)
            if store.write_once(ObjectUri(bucket, key), body) != body:
                raise UnavailableError(f"another delivery has written {key}")
            objects += 1
        written += len(new)
    if refused:
        # of what is refused again and again there is one object
        key = layout.quarantine_key(plan.workload, f"{source}#{short_hash(''.join(refused), 24)}")
        store.write(ObjectUri(bucket, key), "".join(refused).encode())
    return Fetched(written, len(refused), objects)


def _new(
    records: Iterable[Mapping[str, Any]],
    plan: WorkloadPlan,
    store: ObjectStore,
    bucket: str,
    keys: Iterable[str],
) -> Iterator[Mapping[str, Any]]:
    """Give the records without the values that objects hold; those of which nothing is left are left out."""
    known = {
        value for key in keys for fields in _delivered(store, bucket, key) for value in _values(fields, plan)
    }
    for fields in records:
        values = _values(fields, plan)
        gone = {field for value, field in values.items() if value in known}
        if len(gone) < len(values):
            yield {name: value for name, value in fields.items() if name not in gone}


def _delivered(store: ObjectStore, bucket: str, key: str) -> Iterator[Mapping[str, Any]]:
    body = store.read(ObjectUri(bucket, key))
    for line in gzip.decompress(body).splitlines() if body else ():
        yield parse_object(line)


def _values(fields: Mapping[str, Any], plan: WorkloadPlan) -> dict[Value, str]:
    """Return the measures' fields that a record has, by what is delivered once."""
    record = reader_of(plan).record_of(fields)
    name = None if plan.record_id_field is None else record.record_id
    place = (name, record.event_time, *record.dimensions.values())
    return {
        (*place, measure.field): measure.field
        for measure in plan.measures
        if record.measures[measure.name] is not None
    }
