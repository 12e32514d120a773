"""Feedback moves what is called an anomaly, and nothing else; taken back, all is as before."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.watchkeeper.shelves import Shelves, plan_of, reading, streaming_release
from watchkeeper.anomalies.event import alert_text
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import MeasurePlan, MeasureRules
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.judgement.moved import NOTHING_MOVED, MovedThresholds
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.lifecycle.release import Release

SERIES, OTHER = "m|device=a", "m|device=b"
RARITY = streaming_release()
FIXED = streaming_release(
    threshold=Threshold("quantile", 0.2, {}, 9), severity=fit_severity([0.01 * at for at in range(25)], 0.2)
)
ADAPTIVE = streaming_release(
    threshold=Threshold("adaptive", 0.2, {"risk": 0.01, "rise": 0.05, "low": 0.1, "high": 0.5}, 9),
    severity=FIXED.severity,
)
SPIKE = 200
LEVELS = st.sampled_from([65.0, 69.0, 70.0, 80.0, 95.0])
SIDES = st.dictionaries(
    st.sampled_from(["above", "below"]), st.dictionaries(st.sampled_from([SERIES, OTHER]), LEVELS)
)


def scored(release: Release, moved: MovedThresholds, **plan: Any) -> Shelves:
    """The value of one device is much too high once, that of another much too low."""
    chooser = random.Random(1)
    shelves = Shelves(plan_of(**plan), dataclasses.replace(release, moved=moved))
    lines = [
        reading(60 * minute, chooser.gauss(0, 1) + (spike if minute == SPIKE else 0.0), device)
        for minute in range(SPIKE + 20)
        for device, spike in (("a", 9.0), ("b", -9.0), ("c", 0.0))
    ]
    shelves.deliver("history", lines)
    return shelves


def at_spike(shelves: Shelves) -> dict[str, ScoreLine]:
    return {line.series: line for line in shelves.lines if line.start == 60 * SPIKE}


def without(line: ScoreLine) -> ScoreLine:
    """What a line says that feedback does not decide."""
    return dataclasses.replace(line, is_anomaly=False, rule=None, severity_threshold=None, anomaly=None)


@pytest.mark.parametrize("release", [RARITY, FIXED, ADAPTIVE], ids=["rarity", "quantile", "adaptive"])
@settings(max_examples=5)
@given(series=SIDES, measures=st.dictionaries(st.sampled_from(["above", "below"]), st.just({"m": 80.0})))
def test_severity_decides_where_a_threshold_is_moved_and_the_score_elsewhere(
    release: Release, series: Any, measures: Any
) -> None:
    moved = MovedThresholds(series, measures)
    was, after = scored(release, NOTHING_MOVED), scored(release, moved)
    assert list(map(without, after.lines)) == list(map(without, was.lines))
    assert after.pages == was.pages, "what is learned, and a threshold that moves by itself, stay"
    for unmoved, line in zip(was.lines, after.lines, strict=True):
        assert line.value is not None
        level = moved.of_value(line.series, line.value, line.expected)
        if level == THRESHOLD_SEVERITY:
            assert line == unmoved
            continue
        assert line.severity is not None
        assert (line.is_anomaly, line.severity_threshold) == (line.severity > level, level)
        assert line.rule == ("feedback" if line.is_anomaly != unmoved.is_anomaly else None)
        assert (line.anomaly is not None) == line.is_anomaly


def test_a_raised_threshold_is_told_with_the_decision_and_the_other_side_stays() -> None:
    was = at_spike(scored(RARITY, NOTHING_MOVED))
    high, low = was[SERIES], was[OTHER]
    assert (high.is_anomaly, low.is_anomaly) == (True, True)
    assert high.severity is not None
    assert 72 < high.severity < 95
    now = at_spike(scored(RARITY, MovedThresholds({"above": {SERIES: 95.0, OTHER: 95.0}})))
    assert (now[SERIES].is_anomaly, now[SERIES].rule, now[SERIES].anomaly) == (False, "feedback", None)
    assert now[OTHER] == low
    event = at_spike(scored(RARITY, MovedThresholds({"above": {SERIES: 71.6}})))[SERIES].anomaly
    assert event is not None
    assert high.anomaly is not None
    assert event == dataclasses.replace(high.anomaly, severity_threshold=71.6)
    assert f"Severity:  {high.severity:.0f} of 100 (limit 72 by feedback)" in alert_text(event)
    assert "by feedback" not in alert_text(high.anomaly)


def test_what_the_plan_always_wants_to_know_is_told_whatever_feedback_says() -> None:
    rules = MeasureRules(allowed_from=-100.0, allowed_to=7.0)
    moved = MovedThresholds({"above": {SERIES: 95.0}})
    found = at_spike(scored(RARITY, moved, measures=(MeasurePlan("m", "m", rules=rules),)))[SERIES]
    assert (found.is_anomaly, found.rule, found.severity_threshold) == (True, "allowed", 95.0)


def test_a_value_on_no_side_is_judged_by_the_lower_threshold() -> None:
    moved = MovedThresholds({"above": {SERIES: 80.0}, "below": {SERIES: 90.0}})
    assert moved.of_value(SERIES, 1.0, 1.0) == moved.of_value(SERIES, 1.0, None) == 80.0
    assert (moved.of_value(SERIES, 2.0, 1.0), moved.of_value(SERIES, 0.0, 1.0)) == (80.0, 90.0)
