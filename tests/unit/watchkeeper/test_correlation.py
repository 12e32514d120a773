"""Measures that moved together or before others in the history."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from watchkeeper.features.correlation import relations_of
from watchkeeper.features.relations import pairs_of

INTERVAL = 300
ROWS = 2400

Floats = npt.NDArray[np.float64]


def _history(**values: Floats) -> dict[str, list[tuple[int, float]]]:
    return {
        series: [(INTERVAL * at, float(value)) for at, value in enumerate(row) if not np.isnan(value)]
        for series, row in values.items()
    }


def _noise(seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=ROWS)


def test_a_measure_that_moved_ten_minutes_before_is_found_with_its_lag_strength_and_evidence() -> None:
    no2, so2 = _noise(1), _noise(2)
    so2[2:] += no2[:-2]
    [found] = relations_of(_history(no2=no2, so2=so2, co=_noise(3)), INTERVAL)
    assert (found.leader, found.follower, found.lag_seconds) == ("no2", "so2", 600)
    assert found.strength == pytest.approx(0.71, abs=0.05)
    assert found.evidence == pytest.approx(ROWS, abs=10)
    [same] = relations_of(_history(a=so2, b=no2), INTERVAL)
    assert (same.leader, same.follower, same.lag_seconds) == ("b", "a", 600)


def test_measures_that_moved_at_once_in_opposite_directions_have_a_negative_strength() -> None:
    one = _noise(1)
    [found] = relations_of(_history(a=one, b=_noise(2) - 2 * one), INTERVAL)
    assert found.at_once
    assert found.strength < -0.8
    assert pairs_of([found]) == {("a", "b")}


def test_a_common_rhythm_or_trend_is_no_relation() -> None:
    at = np.arange(ROWS)
    day = 10 * np.sin(2 * np.pi * at / 288)
    assert relations_of(_history(a=day + _noise(1), b=day + _noise(2)), INTERVAL) == ()
    walks = [np.cumsum(_noise(seed)) for seed in (3, 4)]
    assert relations_of(_history(a=walks[0], b=walks[1]), INTERVAL) == ()


def test_one_record_at_the_same_time_is_no_relation() -> None:
    one, other = _noise(1), _noise(2)
    one[1000] = other[1000] = 1e6
    assert relations_of(_history(a=one, b=other), INTERVAL) == ()


def test_evidence_is_pooled_over_places_and_gaps_are_left_out() -> None:
    values: dict[str, list[tuple[int, float]]] = {}
    for place in range(4):
        one, other = _noise(place), _noise(10 + place)
        other[1:] += one[:-1]
        other[100:200] = np.nan
        values |= _history(**{f"a|station={place}": one, f"b|station={place}": other})
    [found] = relations_of(values, INTERVAL)
    assert found.lag_seconds == INTERVAL
    assert found.evidence == pytest.approx(4 * (ROWS - 100), abs=20)


def test_series_of_different_places_short_or_constant_ones_have_none() -> None:
    one = _noise(1)
    assert relations_of(_history(**{"a|s=1": one, "b|s=2": one}), INTERVAL) == ()
    assert relations_of(_history(a=one[:50], b=one[:50]), INTERVAL) == ()
    assert relations_of(_history(a=np.ones(ROWS), b=np.ones(ROWS)), INTERVAL) == ()
    assert relations_of({}, INTERVAL) == ()
