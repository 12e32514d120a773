"""Intervals `[start, start + interval)`, aligned to the epoch, and what is known of the readings in one.

An aggregate is exact and does not depend on the order of its readings: the sum is kept as a fraction,
since every float is one, and is rounded once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from watchkeeper.plan import Aggregate, WorkloadPlan
from watchkeeper.records import Record, by_series
from watchkeeper.series import measure_of
from watchkeeper.timestamps import epoch_seconds

ABSENT_IS_ZERO: frozenset[Aggregate] = frozenset({"sum", "count"})
"""Aggregates of which an interval without readings has the value 0; for the others it has none."""


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
        return float(self.count)


def aggregate_records(records: Iterable[Record], plan: WorkloadPlan) -> dict[str, list[tuple[int, float]]]:
    """Return `(interval start, value)` of every series in time order, as streaming would close them.

    A record counts once, however often it is there. Only the newest `plan.history_seconds` are kept,
    where set.
    """
    unique = {record.record_id: record for record in records}
    series_values: dict[str, list[tuple[int, float]]] = {}
    for series, members in by_series(unique.values(), plan).items():
        measure = measure_of(series, plan)
        open_intervals: dict[int, Aggregation] = {}
        for record in members:
            value = record.measures[measure.name]
            if value is not None:
                add(open_intervals, interval_start(record.event_time, plan.interval_seconds), value)
        series_values[series] = [
            (start, aggregation.value(measure.aggregate))
            for start, aggregation in sorted(open_intervals.items())
        ]
    return _newest(series_values, plan)


def add(intervals: dict[int, Aggregation], start: int, value: float) -> None:
    """Add one reading to the interval that begins at `start`, in place."""
    reading = Aggregation.of(value)
    intervals[start] = intervals[start].merge(reading) if start in intervals else reading


def _newest(
    series_values: dict[str, list[tuple[int, float]]], plan: WorkloadPlan
) -> dict[str, list[tuple[int, float]]]:
    if plan.history_seconds is None or not series_values:
        return series_values
    newest = max(values[-1][0] for values in series_values.values())
    first = newest + plan.interval_seconds - plan.history_seconds
    kept = {
        series: [(start, value) for start, value in values if start >= first]
        for series, values in series_values.items()
    }
    return {series: values for series, values in kept.items() if values}
