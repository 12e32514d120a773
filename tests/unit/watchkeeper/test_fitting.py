"""A page goes over to a plan that has changed: no interval is lost, and what nobody watches ends."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.unit.watchkeeper.shelves import PLAN, Shelves, plan_of, reading
from watchkeeper.core.plan import MeasurePlan, SeriesSelection, SilencePlan, TimestampPlan, WorkloadPlan
from watchkeeper.stream.fitting import fitted
from watchkeeper.stream.tick_message import Tick
from watchkeeper.stream.ticking import due, ticked

BOTH = (MeasurePlan("m", "m"), MeasurePlan("n", "n", "sum"))
PRESS = SeriesSelection(where={"device": ("a",)})


def starts(shelves: Shelves, series: str) -> list[int]:
    return [line.start for line in shelves.lines if line.series == series]


def deliver(shelves: Shelves, first: int, last: int, **more: Any) -> None:
    for minute in range(first, last):
        lines = [reading(60 * minute, 1.0, device, **more) for device in "ab"]
        shelves.deliver(f"{minute}", lines)


def test_an_excluded_series_ends_and_the_others_lose_no_interval() -> None:
    shelves = Shelves()
    deliver(shelves, 0, 10)
    shelves.plan = plan_of(exclude=(PRESS,))
    deliver(shelves, 10, 20)
    assert starts(shelves, "m|device=b") == [60 * minute for minute in range(17)]
    assert starts(shelves, "m|device=a") == [60 * minute for minute in range(7)]
    assert shelves.quarantined == []


def test_an_excluded_series_goes_on_where_it_is_included_again() -> None:
    shelves = Shelves()
    deliver(shelves, 0, 10)
    shelves.plan = plan_of(exclude=(PRESS,))
    deliver(shelves, 10, 20)
    shelves.plan = PLAN
    deliver(shelves, 20, 30)
    assert starts(shelves, "m|device=a") == [60 * minute for minute in (*range(7), *range(20, 27))]


def test_a_measure_that_is_added_begins_and_the_others_go_on() -> None:
    shelves = Shelves()
    deliver(shelves, 0, 10, n=2.0)
    shelves.plan = plan_of(measures=BOTH)
    deliver(shelves, 10, 20, n=2.0)
    assert starts(shelves, "m|device=a") == [60 * minute for minute in range(17)]
    assert starts(shelves, "n|device=a") == [60 * minute for minute in range(10, 17)]


def test_a_measure_that_is_removed_stops_neither_ticks_nor_the_other_measures() -> None:
    shelves = Shelves(plan_of(measures=BOTH))
    deliver(shelves, 0, 10, n=2.0)
    shelves.plan = plan_of(silence=SilencePlan(600, 80.0))
    tick = Tick("w", 60 * 15)
    taken = ticked(shelves.page(), tick, shelves.plan)
    assert taken is not None
    assert taken.dropped == 6  # three open intervals of each device
    assert not any(taken.page.series[position].startswith("n") for position in taken.silent)
    assert due(taken.page, shelves.plan) is not None
    deliver(shelves, 10, 20, n=2.0)
    assert starts(shelves, "m|device=a") == [60 * minute for minute in range(17)]
    assert starts(shelves, "n|device=a") == [60 * minute for minute in range(7)]


def test_open_intervals_of_series_with_other_dimensions_are_scored() -> None:
    shelves = Shelves()
    deliver(shelves, 0, 10, hall="x")
    shelves.plan = plan_of(dimensions=("hall", "device"))
    deliver(shelves, 10, 20, hall="x")
    assert starts(shelves, "m|device=a") == [60 * minute for minute in range(10)]
    assert starts(shelves, "m|hall=x|device=a") == [60 * minute for minute in range(10, 17)]


def in_zone(zone: str) -> WorkloadPlan:
    return dataclasses.replace(PLAN, timestamp=TimestampPlan("t", timezone=zone))


def local(minute: int) -> bytes:
    time = datetime(2026, 6, 1) + timedelta(minutes=minute)
    return json.dumps({"t": time.isoformat(), "device": "a", "m": float(minute)}).encode()


@pytest.mark.parametrize("zones", [("UTC", "Europe/Berlin"), ("Europe/Berlin", "UTC")])
def test_another_time_zone_loses_no_reading(zones: tuple[str, str]) -> None:
    shelves = Shelves(in_zone(zones[0]))
    for minute in range(10):
        shelves.deliver(f"{minute}", [local(minute)])
    shelves.plan = in_zone(zones[1])
    for minute in range(10, 20):
        shelves.deliver(f"{minute}", [local(minute)])
    assert [line.value for line in shelves.lines] == [float(minute) for minute in range(17)]
    assert shelves.quarantined == []
    gaps = [
        after.start - before.start for before, after in zip(shelves.lines, shelves.lines[1:], strict=False)
    ]
    hours = 2 if zones[0] == "UTC" else -2
    assert [gap for gap in gaps if gap != 60] == [60 - 3600 * hours]


@pytest.mark.parametrize("ticks", [False, True])
def test_times_that_carry_an_offset_stay_where_they_are(ticks: bool) -> None:
    shelves = Shelves(in_zone("UTC"))
    for minute in range(20):
        if minute == 10:
            shelves.plan = in_zone("Europe/Berlin")
            if ticks:
                page = shelves.page()
                assert fitted(page, shelves.plan) == (page, 0)
        line = json.loads(local(minute))
        shelves.deliver(f"{minute}", [json.dumps({**line, "t": f"{line['t']}+02:00"}).encode()])
    begin = int(datetime(2026, 5, 31, 22, tzinfo=timezone.utc).timestamp())
    assert [line.start for line in shelves.lines] == [begin + 60 * minute for minute in range(17)]


def test_what_tells_its_zone_stays_where_it_is() -> None:
    plan = dataclasses.replace(PLAN, timestamp=TimestampPlan("t", "epoch_seconds"))
    shelves = Shelves(plan)
    for minute in range(20):
        if minute == 10:
            shelves.plan = dataclasses.replace(
                plan, timestamp=TimestampPlan("t", "epoch_seconds", "Europe/Berlin")
            )
        shelves.deliver(f"{minute}", [json.dumps({"t": 60 * minute, "device": "a", "m": 1.0}).encode()])
    assert starts(shelves, "m|device=a") == [60 * minute for minute in range(17)]
