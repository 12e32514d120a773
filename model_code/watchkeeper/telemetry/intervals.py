"""Intervals `[start, start + interval)`, aligned to the epoch, and what is known of the readings in one.

An aggregate is exact and does not depend on the order of its readings: the sum is kept as a fraction,
since every float is one, and is rounded once, at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import assert_never

from watchkeeper.core.plan import Aggregate, WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.telemetry.missing import filled
from watchkeeper.telemetry.records import Record, by_series
from watchkeeper.telemetry.series import measure_of


def interval_start(event_time: datetime, interval_seconds: int) -> int:
    """Return the start, in seconds since 1970, of the interval that an event time is in.

    Examples
    --------
    >>> from datetime import timezone
    >>> interval_start(datetime(1970, 1, 1, 0, 7, 59, tzinfo=timezone.utc), 300)
    300
    """
    return epoch_seconds(event_time) // interval_seconds * interval_seconds


@dataclass(frozen=True)
class Aggregation:
    """Count, sum, minimum and maximum of an interval's readings; at least one."""

    count: int
    total: Fraction
    minimum: float
    maximum: float

    @classmethod
    def of(cls, value: float) -> Aggregation:
        """One reading."""
        return cls(1, Fraction(value), value, value)

    @classmethod
    def of_values(cls, values: Sequence[float]) -> Aggregation:
        """Several readings; at least one."""
        numerators: dict[int, int] = {}
        for value in values:
            numerator, denominator = value.as_integer_ratio()
            numerators[denominator] = numerators.get(denominator, 0) + numerator
        total = sum((Fraction(top, bottom) for bottom, top in numerators.items()), Fraction(0))
        return cls(len(values), total, min(values), max(values))

    def merge(self, other: Aggregation) -> Aggregation:
        """Both aggregations' readings together; associative and commutative, without rounding."""
        return Aggregation(
            self.count + other.count,
            self.total + other.total,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )

    def value(self, aggregate: Aggregate) -> float:
        """The interval's value, correctly rounded."""
        if aggregate == "avg":
            return float(self.total / self.count)
        if aggregate == "sum":
            return float(self.total)
        if aggregate == "min":
            return self.minimum
        if aggregate == "max":
            return self.maximum
        if aggregate == "count" or aggregate == "distinct":
            return float(self.count)
        assert_never(aggregate)


class OnceAnInterval:
    """Knows which values were counted in which intervals, of measures that count different ones."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, int, int]] = set()

    def takes(self, record: Record, measure: str, series: str, start: int) -> bool:
        """Tell whether a record, which is new, counts in an interval of a series; and remember that."""
        if measure not in record.values:
            return True
        key = (series, start, record.identity_of(measure))
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def aggregate_records(records: Iterable[Record], plan: WorkloadPlan) -> dict[str, list[tuple[int, float]]]:
    """Return `(interval start, value)` of every series in time order, as streaming would close them.

    A record counts once, however often it is there. Only the newest `plan.history_seconds` are kept.
    """
    unique = {record.record_id: record for record in records}
    intervals: dict[str, dict[int, Aggregation]] = {}
    counted = OnceAnInterval()
    for series, members in by_series(unique.values(), plan).items():
        measure = measure_of(series, plan).name
        for record in members:
            value = record.measures[measure]
            if value is not None:
                start = interval_start(record.event_time, plan.interval_seconds)
                if counted.takes(record, measure, series, start):
                    add(intervals.setdefault(series, {}), start, value)
    return interval_values(intervals, plan)


def interval_values(
    intervals: Mapping[str, Mapping[int, Aggregation]], plan: WorkloadPlan
) -> dict[str, list[tuple[int, float]]]:
    """Return the value of each interval of each series in time order, of the plan's newest history, and of
    those between them that have no records, as `watchkeeper.telemetry.missing` fills them.

    Parameters
    ----------
    intervals
        By series key, then by interval start.
    """
    newest = max((start for of_series in intervals.values() for start in of_series), default=0)
    first = -math.inf
    if plan.history_seconds is not None:
        first = newest + plan.interval_seconds - plan.history_seconds
    values = {}
    for series, of_series in intervals.items():
        measure = measure_of(series, plan)
        kept = [
            (start, of_series[start].value(measure.aggregate))
            for start in sorted(of_series)
            if start >= first
        ]
        kept = list(filled(kept, measure, plan.interval_seconds))
        if kept:
            values[series] = kept
    return values


def add(intervals: dict[int, Aggregation], start: int, value: float) -> None:
    """Add one reading to the interval that begins at `start`, in place."""
    reading = Aggregation.of(value)
    intervals[start] = intervals[start].merge(reading) if start in intervals else reading
