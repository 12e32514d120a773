"""Ticks: intervals close by the time that has passed, empty ones have their value, silence is told once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.watchkeeper.shelves import plan_of, reading, readings, records, source, streaming_release
from watchkeeper.anomalies.event import AnomalyEvent, anomaly_lines
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import CalendarPlan, MeasurePlan, SilencePlan, WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.detectors.scorer import RowScorer
from watchkeeper.stream.page import Page, new_page
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.silence import with_silence
from watchkeeper.stream.step import concluded, scored_here, step, written
from watchkeeper.stream.tick_message import Tick, tick_of
from watchkeeper.stream.ticking import due, ticked
from watchkeeper.telemetry.intervals import aggregate_records
from watchkeeper.telemetry.missing import MAX_FILLED_INTERVALS

WAIT = 120 + 150
"""Lateness and delivery of the plan."""
BEGIN = 1_700_000_040 // 60 * 60


def plan_with(missing: Any = None, aggregate: Any = "avg", **changes: Any) -> WorkloadPlan:
    return plan_of(measures=(MeasurePlan("m", "m", aggregate, missing),), **changes)


@dataclasses.dataclass
class Shelf:
    """One shelf that readings and ticks come to."""

    plan: WorkloadPlan
    release: Any = None
    lines: list[ScoreLine] = dataclasses.field(default_factory=list)
    events: list[AnomalyEvent] = dataclasses.field(default_factory=list)
    late: int = 0
    writes: int = 0
    page: Page = dataclasses.field(default_factory=lambda: new_page("w", "", 60))

    def deliver(self, second: int, value: float = 1.0, device: str = "a") -> None:
        lines = [reading(BEGIN + second, value, device)]
        origin = source(f"{second} {device} {value}")
        outcome, taken = step(self.page, readings(lines, self.plan), origin, self.release, self.plan)
        self.late += len(taken.late)
        self._keep(outcome)

    def tick(self, second: int) -> None:
        at = BEGIN + second
        span = due(self.page, self.plan)
        tick = Tick("w", at)
        taken = ticked(self.page, tick, self.plan)
        if taken is None:
            return
        assert span is not None
        assert span[0] <= at <= span[1]
        self.writes += 1
        judged = with_silence(
            scored_here(taken.page, self.release, self.plan), taken, self.release, self.plan
        )
        self._keep(concluded(judged, judged.reasons, tick.source, self.plan))

    def values(self) -> list[tuple[str, int, float | None]]:
        return sorted((line.series, line.start - BEGIN, line.value) for line in self.lines)

    def _keep(self, outcome: Any) -> None:
        if outcome.output:
            self.lines += outcome.output.lines()
            self.events += outcome.events
        page = written(outcome.page, [outcome.output] if outcome.output else [])
        self.page = from_bytes(to_bytes(page))


def test_the_last_interval_of_a_burst_does_not_wait_for_the_next_reading() -> None:
    shelf = Shelf(plan_with())
    shelf.deliver(10, 3.0)
    shelf.tick(60 + WAIT - 1)
    assert shelf.lines == []
    shelf.tick(60 + WAIT)
    assert shelf.values() == [("m|device=a", 0, 3.0)]


def test_ticks_that_come_again_or_late_or_to_nothing_write_nothing() -> None:
    shelf = Shelf(plan_with())
    shelf.deliver(10)
    for second in (600, 600, 300, 660, 60 * 60 * 24):
        shelf.tick(second)
    assert shelf.writes == 1


def test_history_that_is_replayed_closes_by_its_own_times_alone() -> None:
    shelf = Shelf(plan_with(aggregate="count", silence=SilencePlan(300, 80.0)), streaming_release())
    shelf.deliver(10)
    for day in range(1, 4):
        shelf.tick(day * 86_400)
    shelf.deliver(20)
    assert (shelf.writes, shelf.late, shelf.lines) == (0, 0, [])


def test_a_device_that_kept_its_records_loses_only_the_interval_that_was_told() -> None:
    shelf = Shelf(plan_with())
    shelf.deliver(10)
    for second in range(60, 1800, 60):
        shelf.tick(second)
    shelf.deliver(50)
    for second in range(70, 1800, 60):
        shelf.deliver(second)
    assert shelf.late == 1
    assert [start for _, start, _ in shelf.values()] == list(range(0, 1620, 60))


@pytest.mark.parametrize(
    ("missing", "aggregate", "expected"),
    [
        (None, "count", [1.0, 0.0, 0.0, 1.0]),
        (None, "sum", [7.0, 0.0, 0.0, 7.0]),
        (None, "avg", [7.0, 7.0]),
        ("ignore", "count", [1.0, 1.0]),
        ("previous", "avg", [7.0, 7.0, 7.0, 7.0]),
        (-1.5, "max", [7.0, -1.5, -1.5, 7.0]),
    ],
)
def test_an_interval_without_records_has_what_the_plan_says_in_training_and_in_the_stream(
    missing: Any, aggregate: Any, expected: list[float]
) -> None:
    plan = plan_with(missing, aggregate)
    sent = [reading(BEGIN + second, 7.0) for second in (0, 180)]
    assert [value for _, value in aggregate_records(records(sent, plan), plan)["m|device=a"]] == expected
    shelf = Shelf(plan)
    shelf.deliver(0, 7.0)
    shelf.deliver(180, 7.0)
    shelf.tick(240 + WAIT)
    assert [value for _, _, value in shelf.values()] == expected


def test_a_series_that_has_stopped_is_not_filled_for_ever() -> None:
    plan = plan_with(aggregate="count")
    shelf = Shelf(plan)
    shelf.deliver(0)
    for second in range(0, 60 * (MAX_FILLED_INTERVALS + 200), 480):
        shelf.tick(second)
    assert len(shelf.lines) == 1 + MAX_FILLED_INTERVALS
    assert due(shelf.page, plan) is None
    ahead = 60 * (MAX_FILLED_INTERVALS + 500)
    shelf.deliver(ahead)
    shelf.deliver(ahead + 60 + 120)
    sent = [reading(BEGIN + second) for second in (0, ahead)]
    trained = aggregate_records(records(sent, plan), plan)["m|device=a"]
    in_order = [(start, value) for _, start, value in shelf.values()]
    assert in_order == [(start - BEGIN, value) for start, value in trained]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.sampled_from("ab"), st.integers(0, 80)),
        min_size=1,
        max_size=30,
        unique=True,
    ),
    st.sampled_from(["avg", "count", "sum"]),
    st.sampled_from([None, "ignore", "previous", 5.0]),
    st.sets(st.integers(0, 90), max_size=60),
)
def test_ticks_change_when_intervals_close_and_not_what_they_are(
    sent: list[tuple[int, str, int]], aggregate: Any, missing: Any, ticks: set[int]
) -> None:
    plan = plan_with(missing, aggregate)
    arrivals = sorted((second + delay, 0, second, device) for second, device, delay in sent)
    arrivals += [(10_000, 0, 10_000, device) for device in {device for _, device, _ in sent}]
    without, with_ticks = Shelf(plan), Shelf(plan)
    for _, _, second, device in arrivals:
        without.deliver(second, 1.0, device)
    for at, is_tick, second, device in sorted([*arrivals, *((60 * tick, 1, 0, "") for tick in ticks)]):
        with_ticks.tick(at) if is_tick else with_ticks.deliver(second, 1.0, device)
    assert with_ticks.values() == without.values()
    assert with_ticks.late == without.late == 0


def test_a_silent_series_is_told_once_and_again_when_it_has_spoken_between() -> None:
    shelf = Shelf(plan_with(silence=SilencePlan(900, 85.0)), streaming_release())
    for second in range(0, 600, 60):
        shelf.deliver(second)
        shelf.deliver(second, device="b")
    for second in range(600, 3000, 60):
        shelf.tick(second)
        shelf.deliver(second, device="b")
    [event] = shelf.events
    assert (event.series, event.severity, event.observed) == ("m|device=a", 85.0, None)
    assert event.interval_start == format_instant(BEGIN + 540 + 900)
    assert f"Observed:  silent since {format_instant(BEGIN + 540)}" in anomaly_lines(event)
    shelf.deliver(3000)
    for second in range(3060, 6000, 60):
        shelf.tick(second)
        shelf.deliver(second, device="b")
    assert [found.series for found in shelf.events] == ["m|device=a"] * 2
    assert AnomalyEvent.from_json(event.to_json()) == event


def test_a_tick_is_told_from_other_messages_by_its_source() -> None:
    sent = '{"source": "watchkeeper.tick", "workload": "w", "time": "2026-11-29T17:05:00Z"}'
    tick = tick_of(sent)
    assert tick is not None
    assert (tick.workload, tick.source.hour) == ("w", "2026-11-29T17")
    assert tick_of('{"source": "aws.s3", "detail": {}}') is None
    assert tick_of("no JSON") is None
    with pytest.raises(InvalidInputError, match="not a tick"):
        tick_of(sent.replace("2026-11-29T17:05:00Z", "noon"))


@pytest.mark.parametrize("missing", [0.0, "previous", "ignore"])
def test_a_file_with_gaps_has_the_scores_of_the_loop(missing: Any) -> None:
    shelf = Shelf(plan_with(missing, "max"), streaming_release())
    present = [number for number in range(120) if number % 17 and number not in range(60, 75)]
    values = [float(number % 12) for number in present]
    for number, value in zip([*present, 200], [*values, 1.0], strict=True):
        shelf.deliver(60 * number, value)
    scorer = RowScorer("watchkeeper", interval_seconds=60, missing=missing)
    seconds = np.array([float(BEGIN + 60 * number) for number in present])
    parts = np.split(np.arange(len(present)), [1, 40, 41])
    scores = [scorer.score(seconds[part], np.array(values)[part, None]).anomaly_score for part in parts]
    found = {line.start: line.anomaly_score for line in shelf.lines}
    assert [found[int(at)] for at in seconds] == np.concatenate(scores).tolist()


def test_a_silence_at_the_time_of_a_calendar_is_kept_and_told_to_nobody() -> None:
    service = CalendarPlan("service", "UTC", once=((BEGIN + 1200, BEGIN + 1800),))
    shelf = Shelf(plan_with(silence=SilencePlan(900, 85.0), calendars=(service,)), streaming_release())
    for second in range(0, 600, 60):
        shelf.deliver(second)
    for second in range(600, 3000, 60):
        shelf.tick(second)
    [line] = [line for line in shelf.lines if line.value is None]

    assert shelf.events == []
    assert (line.is_anomaly, line.rule, line.severity) == (False, "calendar service", 85.0)
