from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.anomaly.partition import partition
from tests.unit.containers.plans import HOUR, hourly
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MeasurePlan, SplitPlan
from watchkeeper.judgement.parts import MINIMUM_ROWS, intervals_needed
from watchkeeper.telemetry.labels import Labels


def series(count: int, first: int = 0) -> list[tuple[int, float]]:
    return [(hour * HOUR, float(hour % 24)) for hour in range(first, first + count)]


@given(
    sizes=st.lists(st.integers(250, 300), min_size=1, max_size=3),
    train=st.sampled_from([0.5, 0.6]),
    calibrate=st.sampled_from([0.2, 0.3]),
)
def test_every_row_is_in_one_part_and_the_parts_follow_each_other(
    sizes: list[int], train: float, calibrate: float
) -> None:
    plan = hourly(dimensions=("hall",), split=SplitPlan(train, calibrate))
    values = {f"flow|hall={hall}": series(size) for hall, size in enumerate(sizes)}
    parts = partition(values, plan).rows
    assert sum(map(len, parts.values())) == sum(sizes)
    starts = [[row.context.interval_start for row in parts[part]] for part in ("train", "calibrate", "test")]
    assert all(found == sorted(found) for found in starts)
    assert starts[0][-1] < starts[1][0]
    assert starts[1][-1] < starts[2][0]


def test_rows_of_one_instant_are_in_one_part() -> None:
    plan = hourly(dimensions=("hall",))
    parts = partition({f"flow|hall={hall}": series(101) for hall in "abc"}, plan).rows
    assert all(len(rows) % 3 == 0 for rows in parts.values())


def test_lags_of_the_first_calibration_row_reach_into_the_training_part() -> None:
    parts = partition({"flow": series(200)}, hourly()).rows
    last, first = parts["train"][-1].context, parts["calibrate"][0].context
    assert first.lags == (last.value, last.lags[0])


def test_holdback_has_labels_and_the_expected_band() -> None:
    plan = hourly()
    parts = partition({"flow": series(200)}, plan)
    labels = Labels(((199 * HOUR * 1_000_000, 199 * HOUR * 1_000_000),))
    index = [indexed for _, indexed in parts.holdback(labels, plan)]
    assert [row.part for row in index] == ["calibrate"] * 40 + ["test"] * 40
    assert [row.label for row in index] == [False] * 79 + [True]
    assert all(row.lower < row.expected < row.upper for row in index)  # type: ignore[operator]
    assert {row.label for _, row in parts.holdback(None, plan)} == {None}


def test_too_little_history_says_how_much_is_needed() -> None:
    with pytest.raises(InvalidInputError, match=r"20 intervals of 3600 s, at least 167 are needed.*train"):
        partition({"flow": series(20)}, hourly())


@pytest.mark.parametrize("split", [SplitPlan(), SplitPlan(0.5, 0.25), SplitPlan(0.1, 0.85)])
def test_the_history_that_is_asked_for_is_enough(split: SplitPlan) -> None:
    plan = hourly(split=split)
    needed = intervals_needed(split)
    parts = partition({"flow": series(needed)}, plan).rows
    assert all(len(parts[part]) >= minimum for part, minimum in MINIMUM_ROWS.items())
    with pytest.raises(InvalidInputError):
        partition({"flow": series(needed - 2)}, plan)


def test_a_series_or_measure_that_training_has_not_seen_is_in_no_part_and_is_named() -> None:
    plan = hourly(measures=(MeasurePlan("flow", "flow"), MeasurePlan("level", "level")), dimensions=("hall",))
    old = {f"flow|hall={hall}": series(200) for hall in "abcd"}
    found = partition(
        {**old, "flow|hall=new": series(70, first=130), "level|hall=a": series(20, first=180)}, plan
    )
    assert found.left_out == {"flow|hall=new": "1970-01-06T10:00:00Z", "level|hall=a": "1970-01-08T12:00:00Z"}
    assert found.rows == partition(old, plan).rows
    assert set(found.step_scales) == set(old)


def test_a_crowd_of_new_series_leaves_every_part_of_the_old_one_large_enough() -> None:
    crowd = {f"flow|hall={number}": series(20, first=180) for number in range(500)}
    found = partition({"flow|hall=a": series(200), **crowd}, hourly(dimensions=("hall",)))
    assert set(found.left_out) == set(crowd)
    assert [len(rows) for rows in found.rows.values()] == [120, 40, 40]


def test_series_that_are_all_short_were_all_there() -> None:
    short = {f"flow|hall={number}": series(20) for number in range(10)}
    assert not partition(short, hourly(dimensions=("hall",))).left_out
