"""A backtest says of a history what the scoring loop says of it."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.unit.watchkeeper.backtest.histories import csv_of, plan_of_two, readings_of, version_of
from tests.unit.watchkeeper.shelves import Shelves
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.backtest.kept import NOT_KEPT, rejudged
from watchkeeper.backtest.outcome import Version, backtested
from watchkeeper.backtest.scores import Closed, KeptSeries
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import DetectorPlan, MeasurePlan, MeasureRules, ThresholdPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.incidents.grouping import incidents_of, rule_of
from watchkeeper.judgement.moved import MovedThresholds
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.judging import Answer, judged
from watchkeeper.stream.page import new_page, with_series
from watchkeeper.stream.placement import ROOT
from watchkeeper.telemetry.context import ContextRow

STREAM = DetectorPlan("watchkeeper")


def loop_events(plan: WorkloadPlan, release: Release) -> list[AnomalyEvent]:
    """Deliver the history in objects of 100 minutes, as devices would send it."""
    shelves = Shelves(plan, release)
    for number, part in itertools.groupby(readings_of(), key=lambda one: one[0] // 100):
        lines = []
        for minute, device, value, other in part:
            time = (EPOCH + timedelta(minutes=minute)).isoformat()
            fields = {"t": time, "device": device, "m": value, **({} if other is None else {"n": other})}
            lines.append(json.dumps(fields).encode())
        shelves.deliver(f"object {number:04d}", lines)
    events = [line.anomaly for line in shelves.lines if line.anomaly is not None]
    return sorted(events, key=lambda event: (event.interval_start, event.series))


@pytest.mark.parametrize(
    "threshold",
    [
        ThresholdPlan("rarity", rarity=3.0),
        ThresholdPlan("mean_sigma", k=4.0),
        ThresholdPlan("adaptive", risk=0.01),
    ],
    ids=lambda plan: plan.rule,
)
def test_anomalies_are_those_of_the_step(threshold: ThresholdPlan) -> None:
    plan = plan_of_two(detector=STREAM, threshold=threshold)

    [outcome] = backtested([version_of(csv_of(readings_of()), plan)], since=0)

    expected = loop_events(plan, outcome.release)
    assert len({event.series for event in expected}) > 2
    assert any(event.also_anomalous for event in expected)
    assert list(outcome.anomalies) == expected
    final = incidents_of(expected, rule_of(plan, outcome.release.relations), outcome.around)
    assert [(each.incident_id, each.title, each.touched) for each in outcome.incidents] == [
        (each.incident_id, each.title, each.touched) for each in final
    ]
    assert len([notice for notice in outcome.notices if notice.what == "opened"]) >= len(final)


@pytest.mark.parametrize("rule", ["rarity", "mean_sigma", "adaptive"])
def test_rules_of_a_measure_decide_as_in_the_step(rule: Any) -> None:
    rules = MeasureRules(direction="above", allowed_to=12.5)
    threshold = ThresholdPlan(rule, rarity=2.5, risk=0.01)
    plan = plan_of_two(detector=STREAM, threshold=threshold)
    plan = dataclasses.replace(plan, measures=(MeasurePlan("m", "m", rules=rules), plan.measures[1]))

    [outcome] = backtested([version_of(csv_of(readings_of()), plan)], since=0)

    expected = loop_events(plan, outcome.release)
    assert any(event.explanation.method == "rule" for event in expected)
    assert list(outcome.anomalies) == expected


@pytest.mark.parametrize("rule", ["rarity", "mean_sigma", "adaptive"])
def test_feedback_decides_as_in_the_step(rule: Any) -> None:
    plan = plan_of_two(detector=STREAM, threshold=ThresholdPlan(rule, rarity=3.0, risk=0.01, k=4.0))
    version = version_of(csv_of(readings_of()), plan)
    [before] = backtested([version], since=0)
    series = sorted({event.series for event in before.anomalies})
    moved = MovedThresholds(
        {"above": {series[0]: 80.0, series[1]: 65.0}, "below": {series[0]: 80.0, series[1]: 65.0}}
    )

    [outcome] = backtested([dataclasses.replace(version, moved=moved)], since=0)

    assert list(outcome.anomalies) == loop_events(plan, outcome.release)
    assert {event.severity_threshold for event in outcome.anomalies} > {None}
    keys = [{(event.series, event.at) for event in each.anomalies} for each in (before, outcome)]
    assert {name for name, _ in keys[0] - keys[1]} == {series[0]}
    assert {name for name, _ in keys[1] - keys[0]} <= {series[1]}


def test_versions_that_learn_alike_are_scored_once_and_say_what_each_alone_says() -> None:
    content = csv_of(readings_of())
    plans = [
        plan_of_two(detector=STREAM, threshold=threshold)
        for threshold in (ThresholdPlan("rarity", rarity=2.0), ThresholdPlan("rarity", rarity=4.0))
    ]
    versions = [version_of(content, plan, name) for name, plan in zip(("old", "new"), plans, strict=True)]

    both = backtested(versions)

    assert both[0].scoring_seconds > 0
    assert both[1].scoring_seconds == 0
    assert len(both[0].anomalies) > len(both[1].anomalies) > 0
    for version, outcome in zip(versions, both, strict=True):
        [alone] = backtested([version])
        assert alone.anomalies == outcome.anomalies


def test_a_threshold_that_is_fitted_is_judged_by_what_it_was_not_fitted_on() -> None:
    content = csv_of(readings_of())
    fitted = plan_of_two(detector=STREAM, threshold=ThresholdPlan("mean_sigma"))
    stated = plan_of_two(detector=STREAM, threshold=ThresholdPlan("rarity"))
    of_fitted, of_stated = version_of(content, fitted), version_of(content, stated)

    [first, second] = backtested([of_fitted, of_stated])

    assert of_stated.judged_from() < of_fitted.judged_from() == first.since == second.since


@pytest.mark.parametrize("rule", ["mean_sigma", "adaptive"])
def test_scores_that_are_kept_are_judged_as_the_step_judges_a_models(rule: Any) -> None:
    rules = MeasureRules(direction="above", allowed_from=-2.5)
    plan = plan_of_two(threshold=ThresholdPlan(rule, k=2.0, risk=0.01), lateness_seconds=0)
    plan = dataclasses.replace(plan, measures=(MeasurePlan("m", "m", rules=rules),))
    chooser, starts = random.Random(2), np.arange(0, 600 * 60, 60)
    kept = {
        f"m|device={device}": KeptSeries(
            Closed(starts, np.array([chooser.gauss(0, 1) for _ in starts])),
            np.array([chooser.random() ** 2 for _ in starts]),
            np.full(len(starts), 0.1),
            0.5,
        )
        for device in "ab"
    }
    moved = MovedThresholds({"above": {"m|device=a": 65.0}, "below": {}})
    version = Version("new", plan, {series: one.closed for series, one in kept.items()}, None, moved)

    [outcome] = rejudged([version], kept, since=0)

    page = with_series(new_page(plan.workload, ROOT, 60), sorted(kept))
    columns = [(at, one) for at, one in enumerate(kept.values())]
    rows = [
        (at, ContextRow(start, value, (), 0.1))
        for at, one in columns
        for start, value in zip(starts.tolist(), one.closed.values.tolist(), strict=True)
    ]
    answers = [Answer(score, outcome.release) for _, one in columns for score in one.score.tolist()]
    said = judged(page, rows, answers, plan)
    expected = [(line.interval_start, line.series, line.severity) for line in said.lines if line.is_anomaly]
    assert [(each.interval_start, each.series, each.severity) for each in outcome.anomalies] == sorted(
        expected
    )
    assert {line.rule for line in said.lines} > {None, "allowed", "direction"}
    assert {event.explanation.reason for event in outcome.anomalies} > {NOT_KEPT}


def test_a_detector_at_an_endpoint_is_refused_with_what_to_do_instead() -> None:
    version = version_of(csv_of(readings_of(minutes=300)), plan_of_two(), "old")

    with pytest.raises(InvalidInputError, match=r"old: the detector rcf scores at an endpoint.*watchkeeper"):
        backtested([version])
