"""What a changed plan means for a running workload is said key by key, in the words of the file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.spec import WorkloadSpec
from watchkeeper.spec.changes import changes, summary

Load = Callable[..., WorkloadSpec]

STREAM = "detector: {algorithm: watchkeeper}\n"


@pytest.mark.parametrize(
    ("before", "after", "said", "trains"),
    [
        (
            "",
            "gate: {max_alerts_per_week: 3}\n",
            "gate.max_alerts_per_week: 7 → 3: holds from the next",
            False,
        ),
        (
            "",
            "threshold: {rule: mean_sigma, k: 4}\n",
            "threshold.k: 3 → 4: holds from the next training",
            True,
        ),
        ("", "lateness: 5m\n", "lateness: 0 → 300: holds within a minute", False),
        ("", "alerts: {throttle: 2h}\n", "alerts.throttle: 3600 → 7200: holds within a minute", False),
        ("", "dimensions: [machine]\n", "dimensions: [] → [machine]: every series has another key", True),
        (
            "dimensions: [machine]\n",
            "dimensions: [machine]\nexclude: [{where: {machine: a}}]\n",
            "exclude: [] → [where machine: [a]]: excluded series end",
            False,
        ),
        (
            "dimensions: [machine]\n",
            "dimensions: [machine]\nmute: [{where: {machine: a}, until: 1970-01-02}]\n",
            "mute: [] → [series where machine: [a], until 86400]: holds within a minute",
            False,
        ),
    ],
)
def test_a_change_is_told_with_what_it_does(
    load: Load, before: str, after: str, said: str, trains: bool
) -> None:
    (change,) = changes(load(before).plan(), load(after).plan())

    assert str(change).startswith(said)
    assert change.trains is trains


def test_another_zone_moves_what_is_open(load: Load) -> None:
    zone = "topic: plant/press\n  timestamp: {timezone: Europe/Berlin}"
    good = load().plan()
    (change,) = changes(good, load(text=TEXT.replace("topic: plant/press", zone)).plan())
    assert (change.key, change.before, change.after) == ("source.timestamp.timezone", "UTC", "Europe/Berlin")
    assert "no reading is lost" in change.effect


TEXT = """\
name: press
kind: anomaly
source:
  topic: plant/press
measures:
  - {field: pressure, name: pressure}
interval: 5m
"""
MORE = TEXT.replace("interval", "  - {field: temp, name: temp}\ninterval")


@pytest.mark.parametrize(("detector", "effect"), [(STREAM, "learn from it on"), ("", "without a score")])
def test_a_measure_that_is_added_wants_a_training_and_one_that_is_removed_does_not(
    load: Load, detector: str, effect: str
) -> None:
    (added,) = changes(load(detector).plan(), load(detector, MORE).plan())
    (removed,) = changes(load(detector, MORE).plan(), load(detector).plan())
    assert (added.key, added.trains, effect in added.effect) == ("measures[temp]", True, True)
    assert (removed.key, removed.trains) == ("measures[temp]", False)


def test_a_rule_of_a_measure_holds_at_once(load: Load) -> None:
    ruled = TEXT.replace("name: pressure}", "name: pressure, direction: above}")
    (change,) = changes(load().plan(), load(text=ruled).plan())
    assert (change.key, change.trains) == ("measures[pressure]", False)


def test_a_measure_that_is_renamed_is_told_as_such(load: Load) -> None:
    renamed = TEXT.replace("name: pressure}", "name: bar}")
    gone, new = changes(load().plan(), load(text=renamed).plan())
    assert (gone.key, new.key) == ("measures[pressure]", "measures[bar]")
    assert "what pressure was: its scores stay under that name" in new.effect


def test_the_summary_says_what_to_do(load: Load) -> None:
    plan = load().plan()
    assert summary(changes(plan, plan)) == "the deployed plan is the file's: nothing changes"
    quieter = load("gate: {max_alerts_per_week: 3}\n").plan()
    assert "no training is needed" in summary(changes(plan, quieter))
    other = load("threshold: {rule: quantile}\n").plan()
    assert "train after the deployment, for threshold" in summary(changes(plan, other))


def test_every_part_of_a_plan_that_could_change_has_an_effect(load: Load) -> None:
    """No difference between two plans is passed over in silence."""
    plan = load().plan()
    assert isinstance(plan, WorkloadPlan)
    for name in ("interval_seconds", "delivery_seconds", "max_gap_intervals", "history_seconds"):
        (change,) = changes(plan, type(plan)(**{**vars(plan), name: 17}))
        assert change.effect
