"""Rules of a measure: the same in the scoring loop, in evaluation and in backtests."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.backtest import streamed_scores
from tests.unit.watchkeeper.shelves import PLAN, Shelves, plan_of, reading, streaming_release
from watchkeeper.anomalies.event import alert_text
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import (
    CalendarPlan,
    MeasurePlan,
    MeasureRules,
    SeriesSelection,
    WeeklyTime,
    WorkloadPlan,
)
from watchkeeper.judgement.calendars import covers, runs_out
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.judgement.metrics import decided
from watchkeeper.judgement.rules import SeriesRules

MINUTE = 60
NUMBERS = st.floats(-1e6, 1e6)


def plan_with(rules: MeasureRules | None) -> WorkloadPlan:
    return plan_of(measures=(MeasurePlan("m", "m", rules=rules),), lateness_seconds=0)


def scored(values: list[float], rules: MeasureRules | None, *, live: bool = True) -> list[ScoreLine]:
    shelves = Shelves(plan_with(rules), release=streaming_release() if live else None)
    shelves.deliver("1", [reading(MINUTE * at, value) for at, value in enumerate(values)])
    shelves.deliver("2", [reading(MINUTE * (len(values) + 10))])
    return shelves.lines


def noisy(spikes: dict[int, float], length: int = 1500) -> list[float]:
    values = np.random.default_rng(7).normal(50.0, 1.0, length)
    for at, size in spikes.items():
        values[at] += size
    return [round(value, 3) for value in values.tolist()]


def anomalies(lines: list[ScoreLine]) -> list[int]:
    return [line.start // MINUTE for line in lines if line.is_anomaly]


@given(NUMBERS, NUMBERS, st.booleans(), st.sampled_from(["above", "below", "both"]), NUMBERS, NUMBERS)
def test_a_rule_that_ignores_makes_no_anomaly_and_an_allowed_range_hides_none(
    value: float, expected: float, by_score: bool, direction: str, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    ignoring = MeasureRules(direction, ignore_absolute=1.0, ignore_relative=0.1)  # type: ignore[arg-type]
    found = SeriesRules(ignoring).judge(0, value, expected, by_score)
    allowed = dataclasses.replace(ignoring, allowed_from=low, allowed_to=high)
    within = SeriesRules(allowed).judge(0, value, expected, by_score)

    assert by_score or not found.is_anomaly
    assert (found.rule is None) == (found.is_anomaly == by_score)
    assert within == found if low <= value <= high else within.is_anomaly


@pytest.mark.parametrize(
    ("rules", "kept", "rule"),
    [
        (MeasureRules(direction="above"), [900], "direction"),
        (MeasureRules(direction="below"), [1200], "direction"),
        (MeasureRules(ignore_absolute=20.0), [900], "ignore_below"),
        (MeasureRules(ignore_relative=0.4), [900], "ignore_below"),
    ],
)
def test_an_anomaly_that_a_rule_ignores_raises_no_event_and_its_line_says_which(
    rules: MeasureRules, kept: list[int], rule: str
) -> None:
    values = noisy({900: 30.0, 1200: -15.0})
    free, bound = scored(values, None), scored(values, rules)
    spikes = {900, 1200}

    assert spikes <= set(anomalies(free))
    assert spikes & set(anomalies(bound)) == set(kept)
    [dropped] = [bound[at] for at in spikes - set(kept)]
    assert dropped.rule == rule
    assert dropped.anomaly is None
    assert dropped.severity > 70
    assert [line.anomaly_score for line in bound] == [line.anomaly_score for line in free]


def test_a_value_that_is_not_allowed_is_an_anomaly_from_the_first_reading_on() -> None:
    rules = MeasureRules(allowed_from=0.0, allowed_to=100.0, allowed_severity=85.0, direction="below")
    for live in (True, False):
        first, second, *_ = scored([120.0, 50.0, 51.0], rules, live=live)

        assert (first.is_anomaly, first.rule, first.severity) == (True, "allowed", 85.0)
        assert not second.is_anomaly
        assert second.rule is None
        assert first.anomaly is not None
        assert first.anomaly.observed == 120.0
        assert first.anomaly.severity == 85.0
        assert sum(part.score for part in first.anomaly.contributions) == first.anomaly.score
        assert "outside its allowed range, 0 to 100" in alert_text(first.anomaly)


def test_every_interval_outside_of_the_allowed_range_is_an_anomaly() -> None:
    values = noisy({}) + [140.0] * 30
    lines = scored(values, MeasureRules(allowed_to=100.0))

    assert set(range(1500, 1530)) <= set(anomalies(lines))


@pytest.mark.parametrize(
    "rules",
    [
        None,
        MeasureRules(direction="above", ignore_relative=0.2),
        MeasureRules(direction="below", allowed_to=70.0),
        MeasureRules(ignore_absolute=25.0, allowed_from=40.0),
    ],
)
def test_evaluation_and_backtest_decide_as_the_scoring_loop_does(rules: MeasureRules | None) -> None:
    values = noisy({300: 12.0, 700: -9.0, 900: 30.0, 1200: -15.0, 1300: 22.0})
    plan, release = plan_with(rules), streaming_release()
    lines = [line for line in scored(values, rules) if line.start < MINUTE * len(values)]
    series = "m|device=a"
    intervals = {series: [(MINUTE * at, value) for at, value in enumerate(values)]}
    said = streamed_scores(intervals, release.streaming, plan)
    rows = [
        HoldbackRow(series, line.interval_start, value, "test", None, expected, None, None)
        for line, value, (_, expected) in zip(lines, values, said, strict=True)
    ]

    found = decided(rows, [score for score, _ in said], release.threshold, plan)

    assert found == [line.is_anomaly for line in lines]
    assert any(found)


def test_at_the_times_of_a_calendar_nothing_is_an_anomaly_and_lines_say_which() -> None:
    values = noisy({900: 30.0, 1200: 30.0})
    values[905] = -500.0
    window = CalendarPlan("service", "UTC", once=((MINUTE * 890, MINUTE * 910),))
    other = CalendarPlan("other", "UTC", SeriesSelection(where={"device": ("b",)}), once=((0, 10**6),))
    rules = MeasureRules(allowed_from=0.0)
    plan = dataclasses.replace(plan_with(rules), calendars=(other, window))
    shelves = Shelves(plan, release=streaming_release())
    shelves.deliver("1", [reading(MINUTE * at, value) for at, value in enumerate([*values, 0.0])])
    lines = shelves.lines

    assert lines[900].rule == lines[905].rule == "calendar service"
    assert not lines[900].is_anomaly
    assert lines[905].anomaly is None
    assert lines[1200].is_anomaly
    assert {line.rule for line in lines} == {None, "calendar service"}


@given(st.integers(0, 4 * 10**9), st.integers(1, 7200), st.integers(0, 6), st.integers(0, 1439))
def test_a_weekly_time_begins_by_the_zones_clock_and_lasts_as_long_as_it_says(
    start: int, length: int, weekday: int, minute: int
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    seconds = 3 * 3600
    calendar = CalendarPlan("w", "Europe/Berlin", weekly=(WeeklyTime(weekday, minute, seconds),))
    # by search: which local minutes before and in the interval begin the time?
    near = [datetime.fromtimestamp(at, zone) for at in range(start - seconds - 60, start + length + 60, 30)]
    clock = time(minute // 60, minute % 60)
    days = {one.date() for one in near} | {one.date() - timedelta(days=1) for one in near}
    begins = [datetime.combine(day, clock, zone).timestamp() for day in days if day.weekday() == weekday]

    assert covers(calendar, start, length) == any(
        begin < start + length and start < begin + seconds for begin in begins
    )


def test_a_day_is_local_and_as_long_as_the_clock_makes_it() -> None:
    day = (date(2026, 10, 25) - date(1970, 1, 1)).days
    calendar = CalendarPlan("d", "Europe/Berlin", days=(day,))
    begin = int(datetime(2026, 10, 24, 22, tzinfo=timezone.utc).timestamp())

    assert not covers(calendar, begin - 300, 300)
    assert covers(calendar, begin, 300)
    assert covers(calendar, begin + 25 * 3600 - 300, 300)
    assert not covers(calendar, begin + 25 * 3600, 300)


def test_a_calendar_of_holidays_tells_in_time_that_it_runs_out() -> None:
    last = (date(2026, 12, 31) - date(1970, 1, 1)).days
    calendar = CalendarPlan("h", "UTC", known_through=last)

    assert runs_out(calendar, date(2026, 10, 1)) is None
    assert "through 2026-12-31 only" in str(runs_out(calendar, date(2026, 11, 30)))
    assert runs_out(CalendarPlan("w", "UTC"), date(2026, 11, 30)) is None


def test_a_plan_without_rules_writes_lines_as_before() -> None:
    lines = scored(noisy({900: 30.0}), None)

    assert all("rule" not in line.to_dict() for line in lines)
    assert PLAN.measures[0].rules is None
