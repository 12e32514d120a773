from __future__ import annotations

import dataclasses
import math
import statistics
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.plan import Aggregate, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_microseconds
from watchkeeper.telemetry.intervals import Aggregation, aggregate_records, interval_start
from watchkeeper.telemetry.records import Record

PLAN = WorkloadPlan("w", TimestampPlan("t"), (MeasurePlan("m", "m"),), 60)
VALUES = st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=30)


def record(second: float, value: float | None, name: str = "") -> Record:
    return Record(EPOCH + timedelta(seconds=second), {}, {"m": value}, name or f"{second}/{value}")


def merged(values: list[float]) -> Aggregation:
    total = Aggregation.of(values[0])
    for value in values[1:]:
        total = total.merge(Aggregation.of(value))
    return total


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(timezone.utc)),
    st.integers(1, 10**6),
)
def test_every_instant_is_in_its_interval(instant: datetime, seconds: int) -> None:
    start = interval_start(instant, seconds)

    assert start % seconds == 0
    assert start * 1_000_000 <= epoch_microseconds(instant) < (start + seconds) * 1_000_000


@given(VALUES, st.randoms(use_true_random=False), st.integers(1, 29))
def test_aggregates_do_not_depend_on_order_or_grouping(values: list[float], random: object, cut: int) -> None:
    shuffled = sorted(values, key=lambda _: random.random())  # type: ignore[attr-defined]
    left, right = shuffled[:cut], shuffled[cut:]
    grouped = merged(left).merge(merged(right)) if right else merged(left)

    assert grouped == merged(values)


@given(VALUES)
def test_aggregates_are_correctly_rounded(values: list[float]) -> None:
    total = merged(values)

    assert total.value("sum") == math.fsum(values)
    assert total.value("avg") == statistics.mean(values)
    assert total.value("min") == min(values)
    assert total.value("max") == max(values)
    assert total.value("count") == len(values)


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("avg", [2.0, 5.0]),
        ("sum", [4.0, 5.0]),
        ("min", [1.0, 5.0]),
        ("max", [3.0, 5.0]),
        ("count", [2.0, 1.0]),
    ],
)
def test_one_value_an_interval_in_time_order(aggregate: Aggregate, expected: list[float]) -> None:
    plan = dataclasses.replace(PLAN, measures=(MeasurePlan("m", "m", aggregate),))
    records = [record(120, 5.0), record(1, 1.0), record(59.9, 3.0), record(180, None)]

    between = [(60, 0.0)] if aggregate in ("sum", "count") else []
    assert aggregate_records(records, plan) == {"m": [(0, expected[0]), *between, (120, expected[1])]}


def test_a_record_counts_once() -> None:
    assert aggregate_records([record(1, 4.0), record(2, 1.0), record(1, 4.0)], PLAN) == {"m": [(0, 2.5)]}


def test_keeps_the_newest_part_of_the_history() -> None:
    plan = dataclasses.replace(PLAN, history_seconds=120)

    kept = aggregate_records([record(second, second) for second in (0, 60, 120, 180)], plan)

    assert kept == {"m": [(120, 120.0), (180, 180.0)]}


def test_no_records_are_no_series() -> None:
    assert aggregate_records([], PLAN) == {}
