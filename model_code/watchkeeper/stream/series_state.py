"""The state of one series in the scoring loop, and the one function that moves it on.

Deliveries come at least once, in any order, and late. What they close does not depend on that: a record
counts once, an interval closes when the series has seen an event time of at least its end plus the plan's
lateness, and an object that was taken in already changes nothing. What closes waits in the outbox until
it is scored.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_microseconds
from watchkeeper.judgement.adaptation import Adaptation
from watchkeeper.telemetry.context import Context, ContextRow, extend, rows_of
from watchkeeper.telemetry.intervals import Aggregation, add, interval_start
from watchkeeper.telemetry.records import RECORD_ID_LENGTH, Record
from watchkeeper.telemetry.series import measure_of

STATE_VERSION = 1

MAX_RECORD_IDS = 4096
"""Of the readings in open intervals, the ids that are remembered. Beyond it the oldest intervals' are
forgotten first, and a second delivery of such a reading inside another object counts twice."""

MAX_APPLIED_OBJECTS = 128
"""Objects that are known to be taken in. An older one that comes again is late in all closed intervals."""

MAX_PENDING_INTERVALS = 20_000
"""Open intervals and closed ones that wait to be scored: it keeps the state within a table item (400 KB)."""


@dataclass(frozen=True)
class SeriesState:
    """What is remembered of a series between two objects; immutable."""

    series: str
    interval_seconds: int
    open: dict[int, Aggregation] = dataclasses.field(default_factory=dict)
    """By interval start, in seconds since 1970."""
    record_ids: dict[int, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Of the readings in the open intervals."""
    watermark_microseconds: int | None = None
    """The newest event time seen."""
    closed_until: int | None = None
    """Intervals that begin before it are closed."""
    context: Context = ()
    """The intervals before the outbox."""
    outbox: Context = ()
    """Closed intervals that wait to be scored, oldest first."""
    applied: tuple[tuple[str, int | None], ...] = ()
    """Hash of each object that was taken in, and `closed_until` before it."""
    adaptation: Adaptation | None = None
    """Where the threshold stands for the outbox's first interval; None of one that does not move."""

    def pending(self, plan: WorkloadPlan) -> list[ContextRow]:
        """Return a row for every interval of the outbox."""
        return list(rows_of(self.outbox, plan, self.context))

    def settle(self, through: int, plan: WorkloadPlan, adaptation: Adaptation | None = None) -> SeriesState:
        """Take the intervals that begin at or before `through` out of the outbox: they are scored.

        `adaptation` is where the threshold stands after them. It counts only with intervals that are taken
        out now: if another worker settled them, their scores have moved it already.
        """
        context = self.context
        done = [item for item in self.outbox if item[0] <= through]
        for start, value in done:
            context, _ = extend(context, start, value, plan)
        return dataclasses.replace(
            self,
            context=context,
            outbox=self.outbox[len(done) :],
            adaptation=adaptation if done and adaptation is not None else self.adaptation,
        )

    def to_bytes(self) -> bytes:
        """Return the state as gzipped JSON; equal states give equal bytes."""
        document: dict[str, Any] = {
            "version": STATE_VERSION,
            "series": self.series,
            "interval_seconds": self.interval_seconds,
            "open": [
                [start, item.count, item.total.numerator, item.total.denominator, item.minimum, item.maximum]
                for start, item in sorted(self.open.items())
            ],
            "record_ids": [[start, "".join(ids)] for start, ids in sorted(self.record_ids.items())],
            "watermark_microseconds": self.watermark_microseconds,
            "closed_until": self.closed_until,
            "context": self.context,
            "outbox": self.outbox,
            "applied": self.applied,
        }
        if self.adaptation is not None:
            document["adaptation"] = dataclasses.astuple(self.adaptation)
        return gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)

    @classmethod
    def from_bytes(cls, document: bytes) -> SeriesState:
        """Read a state.

        Raises
        ------
        ContractViolationError
            If it was written by a release with another version of it.
        """
        fields: dict[str, Any] = json.loads(gzip.decompress(document))
        version = fields.pop("version", None)
        if version != STATE_VERSION:
            raise ContractViolationError(
                f"series state version {version!r}, this release reads {STATE_VERSION}"
            )
        fields["open"] = {
            start: Aggregation(count, Fraction(numerator, denominator), minimum, maximum)
            for start, count, numerator, denominator, minimum, maximum in fields["open"]
        }
        fields["record_ids"] = {start: _ids(joined) for start, joined in fields["record_ids"]}
        for name in ("context", "outbox", "applied"):
            fields[name] = tuple(tuple(item) for item in fields[name])
        if "adaptation" in fields:
            fields["adaptation"] = Adaptation(*fields["adaptation"])
        return cls(**fields)


@dataclass(frozen=True)
class Dropped:
    """What a change of the plan's interval takes from a series: it cannot be scored under the new one."""

    series: str
    open_intervals: int
    """Their readings are in no interval, and their redelivery is late."""
    outbox: Context
    """Closed intervals that waited to be scored."""


@dataclass(frozen=True)
class Advance:
    """What an object did to a series."""

    state: SeriesState
    late: tuple[Record, ...] = ()
    """Records of intervals that had closed before the object; the same for every delivery of the object."""
    duplicates: int = 0
    """Records that were there already, in this object or before."""
    dropped: Dropped | None = None
    """Set if the plan's interval changed since the last object."""


def new_state(series: str, plan: WorkloadPlan) -> SeriesState:
    """Return the state of a series that nothing is known of."""
    return SeriesState(series, plan.interval_seconds)


def advance(state: SeriesState, records: Iterable[Record], object_id: str, plan: WorkloadPlan) -> Advance:
    """Merge one object's records of the series into its state.

    Parameters
    ----------
    state
        Not changed.
    records
        In any order; those without the series' measure are ignored.
    object_id
        What identifies the object and its content, such as `KEY#VERSION_ID`.
    plan
        The workload's.

    Raises
    ------
    UnavailableError
        If more than `MAX_PENDING_INTERVALS` would wait: scoring is behind, and the object must come again.
    """
    dropped = None
    if state.interval_seconds != plan.interval_seconds:
        dropped = Dropped(state.series, len(state.open), state.outbox)
        state = _restarted(state, plan)
    readings = [record for record in records if record.measures.get(_measure(state, plan)) is not None]
    object_hash = short_hash(object_id)
    for known_hash, closed_before in state.applied:
        if known_hash == object_hash:
            return Advance(state, _late(readings, closed_before, plan), dropped=dropped)

    late = _late(readings, state.closed_until, plan)
    merged, duplicates = _merge(state, readings, plan)
    closed = _close(merged, plan)
    _check_backlog(closed)
    applied = (*state.applied, (object_hash, state.closed_until))[-MAX_APPLIED_OBJECTS:]
    return Advance(dataclasses.replace(closed, applied=applied), late, duplicates, dropped)


def _late(records: Iterable[Record], closed_until: int | None, plan: WorkloadPlan) -> tuple[Record, ...]:
    if closed_until is None:
        return ()
    late = {
        record.record_id: record
        for record in records
        if interval_start(record.event_time, plan.interval_seconds) < closed_until
    }
    return tuple(sorted(late.values(), key=lambda record: (record.event_time, record.record_id)))


def _merge(state: SeriesState, records: Iterable[Record], plan: WorkloadPlan) -> tuple[SeriesState, int]:
    measure = _measure(state, plan)
    intervals = dict(state.open)
    record_ids = {start: dict.fromkeys(ids) for start, ids in state.record_ids.items()}
    watermark, duplicates = state.watermark_microseconds, 0
    for record in records:
        start = interval_start(record.event_time, plan.interval_seconds)
        value = record.measures[measure]
        if value is None or (state.closed_until is not None and start < state.closed_until):
            continue
        ids = record_ids.setdefault(start, {})
        if record.record_id in ids:
            duplicates += 1
            continue
        ids[record.record_id] = None
        add(intervals, start, value)
        instant = epoch_microseconds(record.event_time)
        watermark = instant if watermark is None else max(watermark, instant)
    merged = dataclasses.replace(
        state,
        open=intervals,
        record_ids={start: tuple(ids) for start, ids in record_ids.items()},
        watermark_microseconds=watermark,
    )
    return merged, duplicates


def _close(state: SeriesState, plan: WorkloadPlan) -> SeriesState:
    if state.watermark_microseconds is None:
        return state
    seen_seconds = state.watermark_microseconds // 1_000_000 - plan.lateness_seconds
    boundary = seen_seconds // plan.interval_seconds * plan.interval_seconds
    if state.closed_until is not None:
        boundary = max(boundary, state.closed_until)
    aggregate = measure_of(state.series, plan).aggregate
    closing = tuple(
        (start, item.value(aggregate)) for start, item in sorted(state.open.items()) if start < boundary
    )
    return dataclasses.replace(
        state,
        open={start: item for start, item in state.open.items() if start >= boundary},
        record_ids=_newest_ids(state.record_ids, boundary),
        closed_until=boundary,
        outbox=state.outbox + closing,
    )


def _newest_ids(record_ids: dict[int, tuple[str, ...]], boundary: int) -> dict[int, tuple[str, ...]]:
    kept: dict[int, tuple[str, ...]] = {}
    room = MAX_RECORD_IDS
    for start, ids in sorted(record_ids.items(), reverse=True):
        if start >= boundary and room > 0:
            kept[start] = ids[-room:]
            room -= len(kept[start])
    return dict(sorted(kept.items()))


def _check_backlog(state: SeriesState) -> None:
    waiting = len(state.open) + len(state.outbox)
    if waiting > MAX_PENDING_INTERVALS:
        raise UnavailableError(
            f"series {state.series!r}: {waiting} intervals would wait to be scored, "
            f"{MAX_PENDING_INTERVALS} may: "
            "scoring is behind, or one object spans too long a time"
        )


def _restarted(state: SeriesState, plan: WorkloadPlan) -> SeriesState:
    ends = [start + state.interval_seconds for start in state.open]
    closed_until = max([*ends, *([] if state.closed_until is None else [state.closed_until])], default=None)
    if closed_until is not None:
        closed_until = -(-closed_until // plan.interval_seconds) * plan.interval_seconds
    return dataclasses.replace(
        new_state(state.series, plan),
        watermark_microseconds=state.watermark_microseconds,
        closed_until=closed_until,
        applied=state.applied,
    )


def _measure(state: SeriesState, plan: WorkloadPlan) -> str:
    return measure_of(state.series, plan).name


def _ids(joined: str) -> tuple[str, ...]:
    return tuple(
        joined[index : index + RECORD_ID_LENGTH] for index in range(0, len(joined), RECORD_ID_LENGTH)
    )
