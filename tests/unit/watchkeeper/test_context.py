from __future__ import annotations

import dataclasses

from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.telemetry.context import context_length, rows_of
from watchkeeper.telemetry.rows import format_row

PLAN = WorkloadPlan(
    "w",
    TimestampPlan("t"),
    (MeasurePlan("m", "m"),),
    60,
    max_gap_intervals=2,
    features=FeaturePlan(shingle=4),
)


def lags(values: list[tuple[int, float]], plan: WorkloadPlan = PLAN) -> list[tuple[float, ...]]:
    return [row.lags for row in rows_of(values, plan)]


def test_lags_are_the_values_before_newest_first() -> None:
    values = [(60 * index, float(index)) for index in range(6)]

    assert lags(values)[4:] == [(3.0, 2.0, 1.0), (4.0, 3.0, 2.0)]


def test_unknown_lags_are_left_out() -> None:
    assert lags([(0, 7.0), (60, 8.0), (120, 9.0)]) == [(), (7.0,), (8.0, 7.0)]


def test_bridges_a_short_gap_with_the_last_value() -> None:
    assert lags([(0, 7.0), (60, 8.0), (240, 9.0)])[-1] == (8.0, 8.0, 8.0)


def test_bridged_intervals_are_not_rows() -> None:
    assert [row.interval_start for row in rows_of([(0, 7.0), (180, 8.0)], PLAN)] == [0, 180]


def test_a_long_gap_starts_the_context_anew() -> None:
    rows = list(rows_of([(0, 7.0), (60, 8.0), (300, 9.0), (360, 10.0)], PLAN))

    assert rows[2].lags == ()
    assert rows[2].expected is None
    assert rows[3].lags == (9.0,)


def test_expected_is_the_median_of_the_newest_three() -> None:
    values = [(60 * index, value) for index, value in enumerate([1.0, 2.0, 50.0, 3.0, 4.0])]

    assert [row.expected for row in rows_of(values, PLAN)] == [None, 1.0, 1.5, 2.0, 3.0]


def test_a_vector_of_one_value_has_no_lags_but_an_expectation() -> None:
    plan = dataclasses.replace(PLAN, features=FeaturePlan(shingle=1))
    rows = list(rows_of([(0, 1.0), (60, 2.0), (120, 9.0), (180, 3.0)], plan))

    assert [row.lags for row in rows] == [(), (), (), ()]
    assert rows[-1].expected == 2.0
    assert context_length(plan) == 3


def test_rows_are_written_for_the_endpoint() -> None:
    plan = dataclasses.replace(PLAN, interval_seconds=300)
    row = list(rows_of([(1386018900, 73.5), (1386019200, 75.0)], plan))[-1]

    assert format_row(row.row("m")) == "2013-12-02T21:20:00Z,m,75.0,73.5"
