"""The step: what comes of readings does not depend on how they are delivered."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.shelves import (
    HOUR,
    PLAN,
    Shelves,
    plan_of,
    reading,
    readings,
    records,
    source,
    streaming_release,
)
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import MeasurePlan
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.lifecycle.release import StreamModel
from watchkeeper.stream import closing, intake
from watchkeeper.stream.intake import MAX_READINGS, take_in
from watchkeeper.stream.judging import INTERVAL_CHANGED, NO_LIVE_MODEL
from watchkeeper.stream.learning import adopt, learn
from watchkeeper.stream.page import new_page, split
from watchkeeper.stream.page_format import to_bytes
from watchkeeper.stream.placement import bits_of
from watchkeeper.stream.step import step
from watchkeeper.telemetry.intervals import aggregate_records

SPAN_SECONDS = 1800
CLOSE = 10 * SPAN_SECONDS
DEVICES = "abcde"
READINGS = st.lists(
    st.tuples(st.integers(0, SPAN_SECONDS - 1), st.floats(-1e6, 1e6), st.sampled_from(DEVICES)),
    min_size=1,
    max_size=40,
    unique=True,
)
AGGREGATES = st.sampled_from(["avg", "sum", "min", "max", "count", "distinct"])


def cut(lines: list[bytes], seed: int) -> list[list[bytes]]:
    """Lines in a random order, some of them twice, in objects; some of these come twice, too."""
    chooser = random.Random(seed)
    lines = lines + chooser.sample(lines, len(lines) // 3)
    chooser.shuffle(lines)
    objects: list[list[bytes]] = [[]]
    for line in lines:
        if chooser.random() < 0.3:
            objects.append([])
        objects[-1].append(line)
    return objects


def values(shelves: Shelves) -> list[tuple[str, int, float]]:
    return [(line.series, line.start, line.value) for line in shelves.lines]


@given(READINGS, AGGREGATES, st.integers(0, 2**32), st.integers(1, 6))
def test_no_interval_is_lost_or_doubled_and_every_value_is_true_however_readings_are_delivered(
    found: list[tuple[int, float, str]], aggregate: Any, seed: int, most: int
) -> None:
    plan = plan_of(lateness_seconds=SPAN_SECONDS, measures=(MeasurePlan("m", "m", aggregate),))
    lines = [reading(*one) for one in found]
    shelves = Shelves(plan, most=most)
    objects = list(enumerate(cut(lines, seed)))
    chooser = random.Random(seed)
    for number, content in [*objects, *chooser.sample(objects, len(objects) // 2)]:
        shelves.deliver(f"object {number}", content)
    shelves.deliver("last", [reading(CLOSE, 1.0, device) for device in DEVICES])
    shelves.deliver("last", [reading(CLOSE, 1.0, device) for device in DEVICES])
    everything = records([*lines, *(reading(CLOSE, 1.0, device) for device in DEVICES)], plan)
    assert sorted(values(shelves)) == sorted(
        (series, start, value)
        for series, intervals in aggregate_records(everything, plan).items()
        for start, value in intervals
        if start + plan.interval_seconds + plan.lateness_seconds <= CLOSE
    )
    assert shelves.quarantined == []


@given(READINGS, st.integers(0, 2**32))
def test_what_is_known_of_a_series_does_not_depend_on_when_its_shelf_split(
    found: list[tuple[int, float, str]], seed: int
) -> None:
    whole, parts = Shelves(), Shelves(most=1)
    for number, content in enumerate(cut([reading(*one) for one in found], seed)):
        whole.deliver(str(number), content)
        parts.deliver(str(number), content)
    assert sorted(values(whole)) == sorted(values(parts))
    assert sorted(item["text"] for item in whole.quarantined) == sorted(
        item["text"] for item in parts.quarantined
    )


def test_a_value_counts_once_an_interval_and_its_records_are_no_repetitions() -> None:
    plan = plan_of(measures=(MeasurePlan("m", "m", "distinct"),), lateness_seconds=0)
    shelves = Shelves(plan)
    first, second = "10.0.0.1", "10.0.0.2"
    shelves.deliver("1", [reading(1, m=first), reading(2, m=second), reading(3, m=first)])
    shelves.deliver("2", [reading(4, m=second), reading(2, m=second), reading(61, m=first)])
    shelves.deliver("last", [reading(120, m=first)])

    assert values(shelves) == [("m|device=a", 0, 2.0), ("m|device=a", 60, 1.0)]
    shelves.deliver("later", [reading(CLOSE, m=first)])
    shelves.deliver("and more", [reading(2 * CLOSE, m=first)])
    rows = {one.interval_start: (one.accepted, one.duplicated) for one in shelves.counts if one.accepted}
    assert rows["1970-01-01T00:00:00Z"] == (4, 1)
    assert rows["1970-01-01T00:01:00Z"] == (1, 0)


def test_an_interval_closes_when_its_lateness_has_passed_in_event_time() -> None:
    shelves = Shelves()
    shelves.deliver("1", [reading(10), reading(179)])
    assert shelves.lines == []
    shelves.deliver("2", [reading(180)])
    assert values(shelves) == [("m|device=a", 0, 1.0)]


def test_a_late_reading_is_quarantined_once_and_changes_nothing() -> None:
    shelves = Shelves()
    shelves.deliver("1", [reading(10), reading(400)])
    before = shelves.pages[""]
    shelves.deliver("2", [reading(410), reading(30, 5.0), reading(30, 5.0, extra=1)])
    shelves.deliver("2", [reading(410), reading(30, 5.0), reading(30, 5.0, extra=1)])
    assert [(item["line"], item["reason"]) for item in shelves.quarantined] == [(2, "late"), (3, "late")]
    assert values(shelves) == [("m|device=a", 0, 1.0)]
    assert shelves.pages[""] != before


def test_one_device_that_is_ahead_closes_nothing_of_another() -> None:
    shelves = Shelves()
    shelves.deliver("1", [reading(10, 1.0, "a"), reading(10, 1.0, "b"), reading(CLOSE, 1.0, "a")])
    shelves.deliver("2", [reading(11, 3.0, "b"), reading(CLOSE, 1.0, "b")])
    assert values(shelves) == [("m|device=a", 0, 1.0), ("m|device=b", 0, 2.0)]


def test_beyond_so_many_readings_the_oldest_are_folded_and_the_value_stays_true() -> None:
    plan = plan_of(lateness_seconds=CLOSE)
    count = MAX_READINGS + 700
    lines = [reading(number / 100, 0.1 * number) for number in range(count)]
    shelves = Shelves(plan)
    for number in range(0, count, 1000):
        shelves.deliver(str(number), lines[number : number + 1000])
    assert len(shelves.page().readings) == MAX_READINGS
    assert sum(one.aggregation.count for one in shelves.page().folded) == 700
    shelves.deliver("last", [reading(3 * CLOSE)])
    [(_, intervals)] = aggregate_records(records(lines, plan), plan).items()
    assert [(start, value) for _, start, value in values(shelves)] == intervals


def test_an_object_that_was_forgotten_changes_no_open_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_APPLIED_OBJECTS", 2)
    shelves = Shelves()
    for number in range(3):
        shelves.deliver(str(number), [reading(10 + number, number)])
    shelves.deliver("0", [reading(10, 0)])
    shelves.deliver("last", [reading(CLOSE)])
    assert values(shelves) == [("m|device=a", 0, 1.0)]


def test_too_many_waiting_intervals_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "MAX_WAITING_INTERVALS", 10)
    lines = [reading(60 * minute) for minute in range(20)]
    with pytest.raises(UnavailableError, match=r"17 intervals would wait to be scored, 10 may"):
        take_in(new_page("w", "", 60), readings(lines), source("1"), PLAN)


def test_a_change_of_the_interval_drops_what_is_open_and_leaves_a_line_for_what_waits() -> None:
    page = take_in(
        new_page("w", "", 60), readings([reading(10), reading(60), reading(500)]), source("1"), PLAN
    ).page
    longer = plan_of(interval_seconds=300)
    outcome, taken = step(page, readings([reading(590), reading(CLOSE)]), source("2"), None, longer)
    assert outcome.output is not None
    assert [(line.start, line.reason) for line in outcome.output.lines()] == [
        (0, INTERVAL_CHANGED),
        (60, INTERVAL_CHANGED),
    ]
    assert (taken.dropped, taken.late) == (3, (1,))
    assert outcome.page.closed_until.tolist() == [CLOSE - CLOSE % 300 - 300]


def test_without_a_release_lines_have_no_score() -> None:
    shelves = Shelves()
    shelves.deliver("1", [reading(10), reading(CLOSE)])
    assert [(line.anomaly_score, line.reason) for line in shelves.lines] == [(None, NO_LIVE_MODEL)]


def series_of(count: int, seed: int = 0) -> list[tuple[int, float]]:
    """Intervals with gaps, spikes and a shift."""
    random_ = np.random.default_rng(seed)
    starts = 60 * np.cumsum(random_.choice([1, 1, 1, 2, 5], count))
    found = np.sin(starts / 3000) + 0.1 * random_.standard_normal(count)
    found[count // 2] += 9
    found[3 * count // 4 :] += 5
    return list(zip(starts.tolist(), found.tolist(), strict=True))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_streaming_scores_are_those_of_the_command_bit_for_bit(size: int) -> None:
    truth = {device: series_of(700, seed) for seed, device in enumerate(DEVICES)}
    lines = [reading(start + 5, value, device) for device in DEVICES for start, value in truth[device]]
    lines.sort(key=lambda line: json.loads(line)["t"])
    shelves = Shelves(plan_of(lateness_seconds=0), streaming_release())
    for number in range(0, len(lines), 50 * size):
        shelves.deliver(str(number), lines[number : number + 50 * size])
    shelves.deliver("last", [reading(CLOSE * 100, 0.0, device) for device in DEVICES])
    assert sum(line.is_anomaly for line in shelves.lines) >= len(DEVICES)
    for device, intervals in truth.items():
        of_device = [line for line in shelves.lines if line.series == f"m|device={device}"]
        expected = score_series(
            [float(start) for start, _ in intervals],
            [value for _, value in intervals],
            interval_seconds=60,
        )
        found = [
            (one.start, one.value, one.anomaly_score, one.severity, one.is_anomaly, one.expected)
            for one in of_device
        ]
        columns = (expected.anomaly_score, expected.severity, expected.is_anomaly, expected.expected)
        numbers = (column.tolist() for column in columns)
        assert found == [
            (*interval, *said) for interval, said in zip(intervals, zip(*numbers, strict=True), strict=True)
        ]
        assert [(one.lower, one.upper) for one in of_device] == list(
            zip(expected.lower.tolist(), expected.upper.tolist(), strict=True)
        )


def test_an_anomaly_of_the_stream_says_what_its_score_is_made_of_and_what_else_is_anomalous() -> None:
    plan = plan_of(measures=(MeasurePlan("m", "m"), MeasurePlan("n", "n")), lateness_seconds=0)
    shelves = Shelves(plan, streaming_release())
    intervals = series_of(600)
    shelves.deliver("1", [reading(start, value, n=value) for start, value in intervals])
    found = [line.anomaly for line in shelves.lines if line.anomaly]
    assert found
    for event in found:
        assert sum(part.score for part in event.contributions) == pytest.approx(event.score)
        assert event.explanation.method == "detector"
        assert {*event.also_anomalous, event.series.partition("|")[0]} == {"m", "n"}


def test_another_rule_judges_the_streams_scores_and_its_threshold_moves_with_the_series() -> None:
    moving = Threshold("adaptive", 0.3, {"risk": 0.1, "rise": 0.1, "low": 0.2, "high": 0.6}, 6)
    shelves = Shelves(plan_of(lateness_seconds=0), streaming_release(threshold=moving))
    intervals = series_of(400)
    for number in range(0, 400, 90):
        part = intervals[number : number + 90]
        shelves.deliver(str(number), [reading(start, value) for start, value in part])
    thresholds = [(line.threshold, line.next_threshold) for line in shelves.lines]
    assert all(after == before for (_, after), (before, _) in itertools.pairwise(thresholds))
    assert len(set(thresholds)) > 10

    shelves.release = streaming_release(1, threshold=moving)
    shelves.deliver("next", [reading(CLOSE * 100)])
    assert next(line.threshold for line in shelves.lines if line.run_id == "run-1") == 0.3


def test_states_stay_with_equal_parameters_and_begin_with_what_a_run_learned_otherwise() -> None:
    intervals = series_of(300)
    shelves = Shelves(plan_of(lateness_seconds=0), streaming_release())
    shelves.deliver("1", [reading(start, value) for start, value in intervals])
    page = shelves.page()
    same = adopt(page, StreamModel({}, 5.0))
    assert to_bytes(same) == to_bytes(page)

    other = StreamModel({"own_rate": 0.25}, 3.75)
    warm = Shelves(plan_of(lateness_seconds=0), streaming_release(stream=other))
    warm.deliver("history", [reading(start, value) for start, value in intervals[:200]])
    between = {"m|device=a": [(start, value) for start, value in intervals[:-1]]}
    adopted = adopt(page, other, warm.page(), between)
    whole = Shelves(plan_of(lateness_seconds=0), streaming_release(stream=other))
    whole.deliver("all", [reading(start, value) for start, value in intervals])
    assert adopted.states.tobytes() == whole.page().states.tobytes()
    assert adopted.learner != page.learner


def test_learning_without_lines_leaves_the_page_that_scoring_leaves() -> None:
    lines = [reading(start, value) for start, value in series_of(200)]
    plan, release = plan_of(lateness_seconds=0), streaming_release()
    taken = take_in(new_page("w", "", 60), readings(lines, plan), source("1"), plan).page
    assert release.stream
    page, rows, scores = learn(taken, release.stream)
    outcome, _ = step(new_page("w", "", 60), readings(lines, plan), source("1"), release, plan)
    assert page.states.tobytes() == outcome.page.states.tobytes()
    assert len(rows) == len(scores) == 199


def test_measures_of_one_device_lie_on_one_shelf() -> None:
    assert bits_of("m|device=a") == bits_of("n|device=a") != bits_of("m|device=b")


def test_outputs_are_named_for_the_object_and_the_shelf() -> None:
    outcome, _ = step(
        new_page("w", "01", 60), readings([reading(10), reading(CLOSE)]), source("1"), None, PLAN
    )
    assert outcome.output is not None
    prefix = f"scores/workload=w/date={HOUR[:10]}/hour={HOUR[11:]}/"
    assert outcome.output.scores_key.startswith(prefix)
    assert outcome.output.scores_key.endswith("-01.jsonl.gz")
    assert outcome.page.pending == (outcome.output,)


def test_a_page_with_outputs_that_may_be_lost_does_not_split() -> None:
    found = readings([reading(10), reading(CLOSE)])
    outcome, _ = step(new_page("w", "", 60), found, source("1"), None, PLAN)
    with pytest.raises(ValueError, match="pending"):
        split(outcome.page)


def test_series_of_a_new_page_have_no_time() -> None:
    page = take_in(new_page("w", "", 60), readings([]), source("1"), PLAN).page
    assert len(page) == 0
    page = take_in(page, readings([reading(10)]), source("2"), PLAN).page
    assert page.watermark.tolist() == [10_000_000]
    assert page.closed_until.tolist() == [(10 - 120) // 60 * 60]
    assert page.thresholds["run"].tolist() == [-1]


def test_dropped_and_learned_intervals_share_one_object_in_order() -> None:
    page = take_in(new_page("w", "", 60), readings([reading(10), reading(500)]), source("1"), PLAN).page
    longer = plan_of(interval_seconds=300, lateness_seconds=0)
    outcome, _ = step(
        page, readings([reading(700), reading(CLOSE)]), source("2"), streaming_release(), longer
    )
    assert outcome.output is not None
    found = [(line.start, line.anomaly_score is None) for line in outcome.output.lines()]
    assert found == [(0, True), (600, False)]
