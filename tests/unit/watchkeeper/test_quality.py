"""How records come: counted by interval, the same in whatever order, and told where it is not as usual."""

from __future__ import annotations

import dataclasses
import functools
import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.shelves import Shelves, plan_of
from watchkeeper.anomalies.quality import (
    IntervalCounts,
    QualityEvent,
    counts_in,
    events_in,
    of_scores,
    summed,
)
from watchkeeper.core.plan import MeasurePlan, QualityPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.judgement.quality import DAY, Signal, excess, judged, severity_of

LENGTH = 1800
PLAN = plan_of(
    measures=(MeasurePlan("flow", "flow"), MeasurePlan("heat", "heat")),
    interval_seconds=LENGTH,
    lateness_seconds=0,
)
DEVICES = [f"d{number:02d}" for number in range(12)]
BEGIN = 1_767_225_600
A_WEEK = 7 * DAY // LENGTH
BROKEN_FROM = 5 * DAY // 2 // LENGTH
BROKEN_UNTIL = BROKEN_FROM + 10

Row = dict[str, Any]
"""A record, with `at` (event time, s) and `arrives` (s)."""
Fault = Callable[[list[Row], int], list[list[Row]]]
"""Makes objects of an interval's rows."""


def usual(interval: int, chance: random.Random) -> list[Row]:
    """What comes of an interval in a quiet week: now and then a value, a device or a record's order is not
    as it should be, at night fewer devices report, and one has stopped."""
    rows = []
    night = (interval * LENGTH // 3600) % 24 < 5
    for place, device in enumerate(DEVICES):
        if (device == "d07" and interval > 200) or (night and place % 4 == 0) or chance.random() < 0.01:
            continue
        at = BEGIN + interval * LENGTH + 5 + place
        row: Row = {"device": device, "at": at, "arrives": at + 60 + chance.random() * 40}
        row["flow"] = chance.gauss(10, 1)
        if chance.random() > 0.02:
            row["heat"] = chance.gauss(50, 2)
        rows.append(row)
        if chance.random() < 0.01:
            rows.append(row)
    if chance.random() < 0.1:
        rows.append({**rows[0], "at": rows[0]["at"] - 3 * LENGTH, "flow": 3.0})
    return rows


def quiet(rows: list[Row], interval: int) -> list[list[Row]]:
    return [rows]


def column_empty(rows: list[Row], interval: int) -> list[list[Row]]:
    return [[{name: value for name, value in row.items() if name != "heat"} for row in rows]]


def half_silent(rows: list[Row], interval: int) -> list[list[Row]]:
    return [[row for row in rows if DEVICES.index(row["device"]) % 2]]


def doubled(rows: list[Row], interval: int) -> list[list[Row]]:
    return [rows, rows]


def clock_fast(rows: list[Row], interval: int) -> list[list[Row]]:
    return [[{**row, "at": row["at"] + 3600} for row in rows]]


def clock_slow(rows: list[Row], interval: int) -> list[list[Row]]:
    return [[{**row, "at": row["at"] - 3600} for row in rows]]


def half_fast(rows: list[Row], interval: int) -> list[list[Row]]:
    return [[{**row, "at": row["at"] + 3600 * (DEVICES.index(row["device"]) % 2)} for row in rows]]


def delivered_late(rows: list[Row], interval: int) -> list[list[Row]]:
    return [[{**row, "at": row["at"] - (3 + interval - BROKEN_FROM) * LENGTH, "arrives": 0} for row in rows]]


def garbage(rows: list[Row], interval: int) -> list[list[Row]]:
    return [[{**row, "flow": "??"} if place % 3 == interval % 3 else row for place, row in enumerate(rows)]]


def line_of(row: Row) -> bytes:
    fields = {name: value for name, value in row.items() if name not in ("at", "arrives")}
    time = (EPOCH + timedelta(seconds=row["at"])).isoformat()
    said = {} if not row["arrives"] else {"received_at": int(1000 * row["arrives"])}
    return json.dumps({"t": time, **fields, **said}).encode()


@functools.cache
def before_the_fault(most: int = 1024) -> Shelves:
    """What was learned until then; not to be changed."""
    return fed(Shelves(PLAN, most=most), quiet, range(BROKEN_FROM))


def broken_by(
    fault: Fault, *, plan: WorkloadPlan = PLAN, most: int = 1024, until: int = BROKEN_UNTIL
) -> Shelves:
    """A feed that breaks in the middle of its third day."""
    known = before_the_fault(most)
    return fed(Shelves(plan, most=most, pages=dict(known.pages)), fault, range(BROKEN_FROM, until))


def fed(shelves: Shelves, fault: Fault, intervals: range) -> Shelves:
    for interval in intervals:
        rows = usual(interval, random.Random(interval))
        broken = BROKEN_FROM <= interval < BROKEN_UNTIL
        for number, part in enumerate((fault if broken else quiet)(rows, interval)):
            shelves.deliver(f"{interval}-{number}", [line_of(row) for row in part])
    return shelves


def told(shelves: Shelves) -> list[str]:
    return [event.what for event in shelves.told if event.began]


def test_a_quiet_week_tells_nothing() -> None:
    shelves = broken_by(quiet, until=A_WEEK)
    assert before_the_fault().told == shelves.told == []
    assert shelves.page().quality.signals["late"].judgements > 100


@pytest.mark.parametrize(
    ("fault", "signal"),
    [
        (column_empty, "missing|heat"),
        (half_silent, "silent"),
        (doubled, "duplicated"),
        (clock_fast, "clock"),
        (clock_slow, "clock"),
        (half_fast, "clock"),
        (delivered_late, "late"),
        (garbage, "refused"),
    ],
)
def test_a_broken_feed_raises_its_signal_and_no_other(fault: Fault, signal: str) -> None:
    found = broken_by(fault)
    assert told(found) == [signal]
    [event] = found.told
    since = (event.at - BEGIN) // LENGTH - BROKEN_FROM
    assert -4 <= since <= 4, "found within four intervals"
    assert event.severity > 70


def test_several_shelves_count_what_one_does_and_find_the_same() -> None:
    one, several = (broken_by(column_empty, most=most) for most in (1024, 14))
    assert len(several.pages) > 2
    mine_of, theirs_of = by_start(one), by_start(several)
    for start in sorted(mine_of.keys() & theirs_of.keys())[3:-3]:
        mine, theirs = mine_of[start], theirs_of[start]
        assert (mine.accepted, mine.devices, mine.values) == (theirs.accepted, theirs.devices, theirs.values)
        assert (mine.objects, mine.late, mine.duplicated) == (theirs.objects, theirs.late, theirs.duplicated)
    assert {event.what for event in several.told} == {"missing|heat"}


def by_start(shelves: Shelves) -> dict[str, IntervalCounts]:
    return {one.interval_start: one for one in summed(shelves.counts)}


def test_an_object_that_comes_again_counts_nothing_and_every_row_is_counted_once() -> None:
    shelves = Shelves(PLAN)
    sent = 0
    for interval in range(20):
        lines = [line_of(row) for row in usual(interval, random.Random(interval))]
        sent += len(lines) + 1
        for _ in range(2):
            shelves.deliver(f"{interval}", [*lines, b"{"])
    counts = summed(shelves.counts)
    left = shelves.page().quality
    rest = int(left.counted[:, 2:5].sum()) + sum(sum(one.values()) for one in left.refused.values())
    assert sum(one.rows for one in counts) + rest == sent
    assert sum(one.objects for one in counts) + int(left.counted[:, 1].sum()) == 20
    assert {reason for one in counts for reason in one.refused} == {"not_json"}
    assert counts[0].new_series == counts[0].series
    assert counts[0].completeness["flow"] == 1.0
    assert 60 < (counts[2].lag_seconds or 0) < 100


def test_what_is_switched_off_is_counted_and_not_told() -> None:
    plan = dataclasses.replace(PLAN, quality=None)
    found = broken_by(column_empty, plan=plan)
    assert found.told == []
    assert min(one.completeness.get("heat", 0.0) for one in summed(found.counts)) == 0.0


def test_it_is_told_once_and_again_when_it_is_over() -> None:
    found = broken_by(half_silent, until=BROKEN_UNTIL + 24)
    assert [(event.what, event.began) for event in found.told] == [("silent", True), ("silent", False)]
    assert found.page().quality.unusual == {}


def test_what_is_unusual_for_a_day_is_usual_from_then_on() -> None:
    signal, found = Signal(), []
    for hour in range(24 * 7):
        share = 0 if hour < 48 else 10
        signal, one = judge(signal, share, 20, 3600 * hour)
        found += [one] if one else []
    assert [(one.began, one.since // 3600) for one in found] == [(True, 48), (False, 48)]
    assert signal.since is None


def judge(signal: Signal, hits: int, of: int, at: int, **more: Any) -> Any:
    rule = {"limit": 0.2, "falls": False, "least": 20, "rounds": 1, "forgets_seconds": DAY}
    return judged(signal, hits, of, at, **(rule | more))


@given(st.lists(st.integers(0, 20), min_size=20, max_size=60))
def test_a_share_that_was_there_before_is_usual(shares: list[int]) -> None:
    """Whatever came in a week, what is not beyond its extreme by the limit is not told."""
    signal = Signal()
    for hour, share in enumerate([*shares, *shares, min(shares)]):
        signal, found = judge(signal, share, 20, 3600 * hour)
        if found is not None and found.began:
            assert share / 20 > found.usual + 0.2
            assert hour >= 48


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_severity_grows_from_that_of_the_threshold(beyond: float, limit: float) -> None:
    assert 70 <= severity_of(beyond, limit) <= 100
    assert severity_of(beyond, limit) <= severity_of(min(1.0, 2 * beyond), limit)


def test_a_fall_is_judged_by_what_is_gone_and_only_of_what_is_usually_there() -> None:
    assert excess(0.45, 0.9, falls=True) == pytest.approx(0.5)
    assert excess(0.0, 0.3, falls=True) == 0.0


COUNTS = st.builds(
    IntervalCounts,
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z"]),
    *(st.integers(0, 9) for _ in range(4)),
    refused=st.dictionaries(st.sampled_from(["not_json", "late"]), st.integers(1, 9)),
    values=st.dictionaries(st.sampled_from(["flow", "heat"]), st.integers(1, 9)),
    missing=st.dictionaries(st.sampled_from(["flow", "heat"]), st.integers(1, 9)),
    lag_of=st.integers(0, 5),
    lag_total=st.integers(-9, 9),
    lag_most=st.integers(-9, 9),
)


@given(st.lists(COUNTS, max_size=6), st.randoms())
def test_parts_add_up_in_whatever_order_they_come(parts: list[IntervalCounts], order: random.Random) -> None:
    shuffled = order.sample(parts, len(parts))
    assert list(map(plain_of, summed(parts))) == list(map(plain_of, summed(shuffled)))
    half = len(parts) // 2
    nested = summed([*summed(parts[:half]), *summed(parts[half:])])
    assert list(map(plain_of, nested)) == list(map(plain_of, summed(parts)))


def plain_of(counts: IntervalCounts) -> dict[str, Any]:
    return counts.to_dict()


@given(COUNTS)
def test_lines_are_read_back_and_told_from_scores(counts: IntervalCounts) -> None:
    event = QualityEvent(
        *("w", "missing", "heat", True, counts.interval_start, 900, counts.interval_start),
        *(0.0, 48, 0.9, 94.0),
    )
    lines = [counts.to_line().encode(), event.to_line().encode(), b'{"workload":"w"}']
    assert counts_in(lines) == [counts]
    assert events_in(lines) == [event]
    assert of_scores(lines) == [b'{"workload":"w"}']


def test_no_limit_is_reached_where_it_is_one() -> None:
    limits = QualityPlan(1.0, 1.0, 1.0, 1.0, missing=1.0, silent=1.0)
    plan = dataclasses.replace(PLAN, quality=limits)
    for fault in (column_empty, half_silent, doubled, clock_fast):
        assert broken_by(fault, plan=plan).told == []
