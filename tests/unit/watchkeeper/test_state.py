from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.judgement.adaptation import Adaptation
from watchkeeper.stream import series_state as state_module
from watchkeeper.stream.series_state import (
    MAX_APPLIED_OBJECTS,
    MAX_RECORD_IDS,
    Dropped,
    SeriesState,
    advance,
    new_state,
)
from watchkeeper.telemetry.context import ContextRow, rows_of
from watchkeeper.telemetry.intervals import aggregate_records
from watchkeeper.telemetry.records import Record

PLAN = WorkloadPlan(
    "w",
    TimestampPlan("t"),
    (MeasurePlan("m", "m"),),
    60,
    lateness_seconds=120,
    max_gap_intervals=2,
    features=FeaturePlan(shingle=4),
)
SPAN_SECONDS = 1800
NOTHING_LATE = dataclasses.replace(PLAN, lateness_seconds=SPAN_SECONDS)
AGGREGATES = st.sampled_from(["avg", "sum", "min", "max", "count"])

READINGS = st.lists(
    st.tuples(st.integers(0, SPAN_SECONDS - 1), st.floats(-1e6, 1e6)), min_size=1, max_size=40, unique=True
)


def reading(second: float, value: float | None = 1.0) -> Record:
    return Record(EPOCH + timedelta(seconds=second), {}, {"m": value}, short_hash(f"{second}/{value}"))


def deliver(objects: Sequence[Sequence[Record]], plan: WorkloadPlan = PLAN) -> SeriesState:
    state = new_state("m", plan)
    for number, records in enumerate(objects):
        state = advance(state, records, f"object {number}", plan).state
    return state


def pending(state: SeriesState, plan: WorkloadPlan = PLAN) -> list[tuple[int, float]]:
    return [(row.interval_start, row.value) for row in state.pending(plan)]


def with_aggregate(plan: WorkloadPlan, aggregate: str) -> WorkloadPlan:
    return dataclasses.replace(plan, measures=(MeasurePlan("m", "m", aggregate, "ignore"),))  # type: ignore[arg-type]


def cut(records: list[Record], seed: int) -> list[list[Record]]:
    chooser = random.Random(seed)
    objects: list[list[Record]] = [[]]
    for record in records:
        if chooser.random() < 0.3:
            objects.append([])
        objects[-1].append(record)
    return objects


def test_an_interval_closes_when_its_lateness_has_passed_in_event_time() -> None:
    state = deliver([[reading(10), reading(179)]])
    assert pending(state) == []

    state = advance(state, [reading(180)], "next", PLAN).state

    assert pending(state) == [(0, 1.0)]
    assert state.closed_until == 60


def test_a_record_in_time_joins_an_interval_that_is_older_than_the_newest() -> None:
    state = deliver([[reading(10, 1.0)], [reading(170, 5.0)], [reading(20, 3.0)], [reading(400, 0.0)]])

    assert pending(state) == [(0, 2.0), (120, 5.0)]


def test_returns_records_of_closed_intervals_as_late_and_leaves_the_state_as_it_was() -> None:
    state = deliver([[reading(10), reading(400)]])

    result = advance(state, [reading(30), reading(20), reading(30), reading(410)], "late", PLAN)

    assert result.late == (reading(20), reading(30))
    assert pending(result.state) == pending(state)


def test_nothing_is_late_within_an_object() -> None:
    result = advance(new_state("m", PLAN), [reading(4000), reading(10)], "o", PLAN)

    assert result.late == ()
    assert pending(result.state)[0] == (0, 1.0)


def test_counts_duplicates_and_ignores_them() -> None:
    first = advance(new_state("m", PLAN), [reading(10, 1.0), reading(11, 3.0), reading(10, 1.0)], "a", PLAN)
    second = advance(first.state, [reading(11, 3.0), reading(500)], "b", PLAN)

    assert (first.duplicates, second.duplicates) == (1, 1)
    assert pending(second.state) == [(0, 2.0)]


def test_ignores_records_without_the_series_measure() -> None:
    result = advance(new_state("m", PLAN), [reading(10, None)], "a", PLAN)

    assert result.state.open == {}
    assert result.late == ()


@given(READINGS, st.integers(0, 2**32), AGGREGATES)
def test_any_order_grouping_and_duplication_closes_what_the_batch_computes(
    readings: list[tuple[int, float]], seed: int, aggregate: str
) -> None:
    plan = with_aggregate(NOTHING_LATE, aggregate)
    records = [reading(*item) for item in readings]
    chooser = random.Random(seed)
    deliveries = records + chooser.choices(records, k=len(records) // 2)
    chooser.shuffle(deliveries)

    state = deliver([*cut(deliveries, seed), [reading(10 * SPAN_SECONDS)]], plan)

    assert state.pending(plan) == list(rows_of(aggregate_records(records, plan)["m"], plan))


@given(READINGS, st.integers(0, 2**32), AGGREGATES)
def test_deliveries_that_are_late_by_no_more_than_the_lateness_lose_nothing(
    readings: list[tuple[int, float]], seed: int, aggregate: str
) -> None:
    plan = with_aggregate(PLAN, aggregate)
    chooser = random.Random(seed)
    records = sorted(
        (reading(*item) for item in readings),
        key=lambda record: record.event_time + timedelta(seconds=chooser.uniform(0, PLAN.lateness_seconds)),
    )
    state, late = new_state("m", plan), 0
    for number, records_of_object in enumerate([*cut(records, seed), [reading(10 * SPAN_SECONDS)]]):
        result = advance(state, records_of_object, str(number), plan)
        state, late = result.state, late + len(result.late)

    assert late == 0
    assert state.pending(plan) == list(rows_of(aggregate_records(records, plan)["m"], plan))


@given(READINGS, st.integers(0, 2**32))
def test_redelivery_of_any_object_changes_nothing_and_names_the_same_late_records(
    readings: list[tuple[int, float]], seed: int
) -> None:
    records = [reading(*item) for item in readings]
    random.Random(seed).shuffle(records)
    objects = cut(records, seed)
    state = new_state("m", PLAN)
    late_before = []
    for number, records_of_object in enumerate(objects):
        result = advance(state, records_of_object, f"object {number}", PLAN)
        state = result.state
        late_before.append(result.late)

    for number, records_of_object in enumerate(objects):
        again = advance(state, records_of_object, f"object {number}", PLAN)
        assert again.state == state
        assert again.late == late_before[number]


@given(READINGS, st.integers(0, 2**32), AGGREGATES)
def test_rows_are_the_same_whenever_the_outbox_is_settled(
    readings: list[tuple[int, float]], seed: int, aggregate: str
) -> None:
    plan = with_aggregate(PLAN, aggregate)
    chooser = random.Random(seed)
    records = sorted((reading(*item) for item in readings), key=lambda record: record.event_time)
    objects = [*cut(records, seed), [reading(10 * SPAN_SECONDS)]]

    scored: list[ContextRow] = []
    state = new_state("m", plan)
    for number, records_of_object in enumerate(objects):
        state = advance(state, records_of_object, f"object {number}", plan).state
        rows = state.pending(plan)[: chooser.randint(0, 3)]
        if rows:
            scored += rows
            state = state.settle(rows[-1].interval_start, plan)
        state = SeriesState.from_bytes(state.to_bytes())

    assert scored + state.pending(plan) == deliver(objects, plan).pending(plan)


@given(READINGS, st.integers(0, 2**32))
def test_state_survives_writing_and_reading(readings: list[tuple[int, float]], seed: int) -> None:
    state = deliver(cut([reading(*item) for item in readings], seed))

    assert SeriesState.from_bytes(state.to_bytes()) == state
    assert SeriesState.from_bytes(state.to_bytes()).to_bytes() == state.to_bytes()


def test_where_the_threshold_stands_counts_once_and_survives_writing_and_reading() -> None:
    state = deliver([[reading(0), reading(60), reading(10 * SPAN_SECONDS)]])
    first, second = (row.interval_start for row in state.pending(PLAN)[:2])
    settled = state.settle(second, PLAN, Adaptation("run", 4.5, alerting=True))
    assert SeriesState.from_bytes(settled.to_bytes()) == settled
    assert settled.adaptation == Adaptation("run", 4.5, alerting=True)

    late_worker = settled.settle(first, PLAN, Adaptation("run", 9.9))
    assert late_worker == settled


def test_refuses_a_state_of_another_version() -> None:
    document = json.loads(gzip.decompress(new_state("m", PLAN).to_bytes()))
    document["version"] = 99

    with pytest.raises(ContractViolationError, match="99"):
        SeriesState.from_bytes(gzip.compress(json.dumps(document).encode()))


def test_state_stays_small_however_long_the_stream() -> None:
    plan = dataclasses.replace(PLAN, features=FeaturePlan(shingle=64))
    chooser = random.Random(1)
    seconds = itertools.count(step=0.05)
    state = new_state("m", plan)
    for number in range(2 * MAX_APPLIED_OBJECTS):
        records = [reading(next(seconds), chooser.gauss(0, 1)) for _ in range(200)]
        state = advance(state, records, f"object {number}", plan).state
        if rows := state.pending(plan):
            state = state.settle(rows[-1].interval_start, plan)

    assert len(state.applied) == MAX_APPLIED_OBJECTS
    assert sum(map(len, state.record_ids.values())) <= MAX_RECORD_IDS
    assert len(state.to_bytes()) < 64 * 1024


def test_a_full_backlog_makes_the_object_come_again() -> None:
    span = 60 * (state_module.MAX_PENDING_INTERVALS + 1)

    with pytest.raises(UnavailableError, match="series 'm'"):
        advance(new_state("m", PLAN), [reading(second) for second in range(0, span, 60)], "o", PLAN)


def test_a_backlog_of_a_week_of_minutes_fits_in_a_table_item() -> None:
    chooser = random.Random(1)
    records = [reading(second, chooser.gauss(0, 1)) for second in range(0, 7 * 86_400, 60)]

    assert len(deliver([records]).to_bytes()) < 400 * 1024


def test_another_interval_in_the_plan_starts_the_series_anew() -> None:
    state = deliver([[reading(10), reading(130)]])
    plan = dataclasses.replace(PLAN, interval_seconds=300)

    result = advance(state, [reading(200), reading(310), reading(1000)], "o", plan)

    assert result.dropped == Dropped("m", open_intervals=2, outbox=())
    assert result.late == (reading(200),)
    assert [row.interval_start for row in result.state.pending(plan)] == [300]
    assert advance(result.state, [reading(2000)], "p", plan).dropped is None
