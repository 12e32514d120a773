from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.regression.plans import PLAN, changed
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.regression.plan import TableHistoryPlan, TableSplitPlan
from watchkeeper.regression.split import LabelledRow, drawn, split_rows

ROWS = [LabelledRow(float(number % 17), (number / 3, "ab"[number % 2])) for number in range(400)]
START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def timed(count: int) -> list[LabelledRow]:
    return [LabelledRow(1.0, (float(hour), "a"), START + timedelta(hours=hour // 2)) for hour in range(count)]


def test_every_row_is_in_one_part_and_the_share_is_about_the_wanted_one() -> None:
    parts = split_rows(ROWS, PLAN)

    assert sorted(row.to_csv() for row in [*parts.train, *parts.holdback]) == sorted(
        row.to_csv() for row in ROWS
    )
    assert 0.75 < len(parts.train) / len(ROWS) < 0.85


@given(st.permutations(range(0, 400, 40)), st.integers(0, 9))
def test_a_row_stays_in_its_part_when_history_is_added_or_reordered(order: list[int], seed: int) -> None:
    plan = changed(history=TableHistoryPlan(split=TableSplitPlan("random", 0.5, seed)))
    shuffled = [row for start in order for row in ROWS[start : start + 40]]

    before, after = split_rows(ROWS[:300], plan), split_rows(shuffled, plan)

    assert set(before.train) <= set(after.train)
    assert set(before.holdback) <= set(after.holdback)


def test_equal_rows_are_in_one_part() -> None:
    twice = split_rows([*ROWS, *ROWS], PLAN)

    assert not set(twice.train) & set(twice.holdback)


def test_by_time_nothing_of_the_future_trains() -> None:
    plan = changed(
        history=TableHistoryPlan(timestamp=TimestampPlan("at"), split=TableSplitPlan("time", 0.705))
    )

    parts = split_rows(list(reversed(timed(200))), plan)

    assert max(row.time for row in parts.train if row.time) < min(
        row.time for row in parts.holdback if row.time
    )
    assert len(parts.train) == 140, "rows of one instant are in one part"


def test_too_few_rows_are_told_with_the_part_and_the_remedy() -> None:
    with pytest.raises(InvalidInputError, match=r"of 40 rows the training part .* at least 50") as refused:
        split_rows(ROWS[:40], PLAN)
    assert refused.value.reason == "too_few_rows"


def test_rows_are_drawn_by_their_content_and_keep_their_order() -> None:
    chosen = drawn(ROWS, 50, 3)

    assert len(chosen) == 50
    assert chosen == [row for row in ROWS if row in chosen]
    assert set(drawn(list(reversed(ROWS)), 50, 3)) == set(chosen)
    assert drawn(ROWS, 50, 4) != chosen
    assert drawn(ROWS, 1000, 3) == ROWS
