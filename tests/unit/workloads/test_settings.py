"""A workload's file as fields, and the file with other values."""

from __future__ import annotations

from typing import Any

import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import AnomalyWorkload, load_workload
from watchkeeper.spec.settings import Setting, edited, settings_of

TEXT = """# a plant
name: plant
kind: anomaly
source: {topic: plant/+, timestamp: {field: t, format: iso8601}}
measures:
  - {field: m, name: m, ignore_below: {absolute: 2}, allowed: ~}  # in kPa
  - field: n
    name: n
    missing: zero
    direction: above
    allowed:
      lower: 1
      upper: 5
dimensions: [device]
interval: 1m
detector: {algorithm: watchkeeper}
threshold:
  rule: adaptive  # moves
  risk: 0.01
  step: 0.2
alerts:
  throttle: 2h  # no sooner

  routes:
    - {channel: operators}
training: {instance_type: ml.m5.large}
"""


def known(text: str = TEXT) -> list[Setting]:
    spec = load_workload("plant.yaml", text)
    assert isinstance(spec, AnomalyWorkload)
    return settings_of(spec)


def after(changes: dict[str, Any], text: str = TEXT) -> tuple[str, dict[str, Any]]:
    """Return the file with other values, and what is set in it."""
    found = edited(text, changes, known(text))
    rule = next(each.value for each in known(found) if each.key == "threshold.rule")
    return found, {
        each.key: each.value
        for each in known(found)
        if each.with_rule in (None, rule) and each.key in changes
    }


def test_a_field_says_what_it_is_and_what_may_be_in_it() -> None:
    by_key = {(each.key, each.with_rule): each for each in known()}

    direction = by_key["measures[1].direction", None]
    assert (direction.about, direction.value, direction.choices) == ("n", "above", ("above", "below", "both"))
    rarity = by_key["threshold.rarity", "rarity"]
    assert (rarity.value, rarity.at_least, rarity.at_most) == (3.75, 0, 9.9)
    assert by_key["alerts.throttle", None].value == "2h"
    assert by_key["measures[0].allowed.upper", None].value is None
    assert all(each.description for each in by_key.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"alerts.throttle": "30m", "alerts.routes[0].severity_at_least": 85},
        {"incidents.gap": "10m", "incidents.together_at_least": 4},
        {"measures[0].direction": "below", "measures[0].allowed.upper": 9, "threshold.risk": 0.02},
        {"measures[0].ignore_below.relative": 0.1, "measures[1].ignore_below.absolute": 0.5},
        {"measures[0].ignore_below.absolute": None, "measures[1].allowed.lower": None},
        {"threshold.rule": "alert_budget", "threshold.per_week": 3},
        {"threshold.step": 0.3, "threshold.reach": 0.6},
    ],
)
def test_only_what_is_changed_is_written_anew(changes: dict[str, Any]) -> None:
    text, values = after(changes)

    for key, value in changes.items():
        assert values[key] == (value if value is not None else 0 if "ignore" in key else None), key
    for comment in ("# a plant", "# in kPa", "# no sooner"):
        assert comment in text
    kept = set(TEXT.splitlines()) & set(text.splitlines())
    assert len(kept) >= len(TEXT.splitlines()) - 4
    assert after({key: None for key in changes if key not in TEXT}, text)  # it can be edited again


def test_parameters_bring_their_rule_and_another_rule_takes_them_away() -> None:
    without = TEXT.replace(TEXT[TEXT.index("threshold:") : TEXT.index("alerts:")], "")
    text, _ = after({"threshold.rarity": 5}, without)
    assert "threshold: {rule: rarity, rarity: 5}" in text
    text, _ = after({"threshold.rule": "mean_sigma"}, text)
    assert "rarity" not in text


def test_a_mapping_that_a_change_leaves_empty_goes() -> None:
    text, _ = after({"measures[1].allowed.lower": None, "measures[1].allowed.upper": None})
    assert "allowed:\n" not in text


def test_an_unknown_field_and_a_file_that_only_a_person_can_change_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"threshold\.nothing: not a field of this workload"):
        edited(TEXT, {"threshold.nothing": 1}, known())
    shared = TEXT.replace("allowed: ~", "allowed: &range {lower: 1}").replace(
        "allowed:\n      lower: 1\n      upper: 5", "allowed: *range"
    )
    with pytest.raises(InvalidInputError, match="edit its YAML"):
        edited(shared, {"measures[1].allowed.upper": 7}, known(shared))
