"""Contributions: what a score is made of, in numbers and in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.features.contributions import (
    _CYCLES,
    _OF_MEASURE,
    MEANINGS,
    Contribution,
    contributions_of,
    mostly_by,
)
from watchkeeper.features.schema import feature_names

NAMES = feature_names(
    WorkloadPlan(
        "w",
        TimestampPlan("t"),
        (MeasurePlan("m", "m"),),
        300,
        features=FeaturePlan(shingle=3, time_of_day=True, day_of_week=True),
    )
)
FEATURES = [
    ("value", "heat", 0),
    ("value", "heat", 1),
    ("value", "heat", 2),
    ("difference", "heat", 0),
    ("difference", "heat", 1),
    ("time_of_day", None, None),
    ("day_of_week", None, None),
]


def test_every_column_becomes_its_feature_measure_and_lag_and_cycles_are_one() -> None:
    parts = contributions_of(NAMES, [1.0] * len(NAMES), "heat", 9.0)

    assert {(part.feature, part.measure, part.lag): part.score for part in parts} == {
        feature: 2.0 if feature[1] is None else 1.0 for feature in FEATURES
    }
    assert len({part.key for part in parts}) == len(FEATURES)


@given(
    st.lists(st.floats(0, 1e6), min_size=len(NAMES), max_size=len(NAMES)).filter(
        lambda shares: sum(shares) > 0
    ),
    st.floats(1e-6, 1e6),
)
def test_contributions_add_up_to_the_score_the_largest_first(shares: list[float], score: float) -> None:
    parts = contributions_of(NAMES, shares, None, score)

    assert sum(part.score for part in parts) == pytest.approx(score, rel=1e-12)
    assert [part.score for part in parts] == sorted((part.score for part in parts), reverse=True)
    assert all(part.score > 0 for part in parts)


@pytest.mark.parametrize(
    ("part", "key", "words"),
    [
        (Contribution("value", "heat", 0, 1.0), "heat[lag 0]", "heat now"),
        (Contribution("value", "heat", 2, 1.0), "heat[lag 2]", "heat 10 minutes earlier"),
        (Contribution("value", "heat", 12, 1.0), "heat[lag 12]", "heat 1 hour earlier"),
        (Contribution("value", "heat", 576, 1.0), "heat[lag 576]", "heat 2 days earlier"),
        (Contribution("difference", "heat", 0, 1.0), "heat difference[lag 0]", "change of heat now"),
        (Contribution("time_of_day", None, None, 1.0), "time_of_day", "time of day"),
        (Contribution("profile", "heat", None, 1.0), "heat profile", "heat off its usual hour"),
    ],
)
def test_a_part_has_a_key_and_words(part: Contribution, key: str, words: str) -> None:
    assert (part.key, part.in_words(300)) == (key, words)


def test_words_name_the_largest_parts_with_their_percentage() -> None:
    parts = contributions_of(["value", "lag_1", "lag_2"], [1.0, 2.0, 1.0], "heat", 8.0)

    assert mostly_by(parts, 60, count=2) == "heat 1 minute earlier 50 %, heat now 25 %"


def test_every_part_of_a_score_has_a_meaning_for_people() -> None:
    assert MEANINGS.keys() == _OF_MEASURE.keys() | _CYCLES.keys()
