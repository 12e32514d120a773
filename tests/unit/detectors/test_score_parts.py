"""What a score of the streaming detector is made of."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import SCORE_RARITY
from watchkeeper.detectors.native.library import address, library
from watchkeeper.detectors.protocol import calibration
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.kernel import week_counts
from watchkeeper.detectors.streaming.score_parts import squared_differences
from watchkeeper.detectors.streaming.state import Parameters

ROWS = 1500


@cache
def learned() -> bytes:
    noise = np.random.default_rng(3).normal(size=ROWS)
    values = 50 + 10 * np.sin(2 * np.pi * np.arange(ROWS) / 288) + noise
    return WatchkeeperDetector().fit(values, timestamps=300.0 * np.arange(ROWS)).to_bytes()


def nearest(ring: npt.NDArray[np.float32], newest: int, filled: int, length: int) -> float:
    function = library().nearest_earlier_pattern
    function.restype = ctypes.c_double
    places = (ctypes.c_longlong(number) for number in (len(ring), newest, filled, length))
    return float(function(address(ring, np.dtype(np.float32)), *places))


def detector() -> WatchkeeperDetector:
    return WatchkeeperDetector.from_bytes(learned())


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_parts_are_positive_and_add_up_to_the_score(values: list[float]) -> None:
    model = detector()
    for position, value in enumerate(values):
        time = 300.0 * (ROWS + position)

        score, parts = model.explain_one(value, time)

        assert score == model.update(value, time)
        assert sum(part.score for part in parts) == pytest.approx(score.anomaly_score, abs=1e-12)
        assert all(part.score > 0 for part in parts)


def test_explaining_learns_nothing() -> None:
    model = detector()

    assert model.explain_one(500.0, 300.0 * ROWS) == model.explain_one(500.0, 300.0 * ROWS)
    assert model.to_bytes() == learned()


def test_a_spike_is_explained_by_its_own_row() -> None:
    score, parts = detector().explain_one(500.0, 300.0 * ROWS)

    by_feature = {(part.feature, part.lag): part.score for part in parts}
    assert score.anomaly_score > calibration.SMALLEST_ONSET / SCORE_RARITY
    assert by_feature["range", 0] > 0
    now = sum(part.score for part in parts if part.lag == 0)
    assert now > 0.9 * score.anomaly_score


def test_what_goes_on_after_a_spike_is_explained_by_it_and_not_by_the_row() -> None:
    model = detector()
    for at in range(4):
        model.update(500.0, 300.0 * (ROWS + at))

    score, parts = model.explain_one(500.0, 300.0 * (ROWS + 4))

    assert score.anomaly_score > 0
    assert {part.feature for part in parts} == {"level", "aftermath"}
    assert all(part.lag is None for part in parts)


def test_a_day_off_the_rhythm_of_the_week_is_explained_by_the_residuals_against_that_rhythm() -> None:
    hours = np.arange(24 * 7 * 8)
    values = np.where(hours // 24 % 7 >= 5, 20.0, 60.0) + np.random.default_rng(4).normal(size=len(hours))
    model = WatchkeeperDetector().fit(values, timestamps=3600.0 * hours)
    assert week_counts(model.states_, Parameters().record())

    score, parts = model.explain_one(45.0, 3600.0 * len(hours))

    assert sum(part.score for part in parts) == pytest.approx(score.anomaly_score, abs=1e-12)
    assert max(parts, key=lambda part: part.score)[:2] == ("profile", 0)


def test_a_frozen_sensor_is_explained_by_its_calm() -> None:
    model = WatchkeeperDetector().fit(np.random.default_rng(5).normal(size=ROWS))
    found = []
    for _ in range(140):
        score, parts = model.explain_one(0.5)
        if score.is_anomaly:
            found.append([(part.feature, part.lag) for part in parts])
        model.update(0.5)

    assert found[0] == [("calm", None)]


def test_several_columns_are_refused() -> None:
    model = WatchkeeperDetector().fit(np.zeros((10, 2)))

    with pytest.raises(InvalidInputError, match="2 columns"):
        model.explain_one(np.array([1.0, 2.0]))  # type: ignore[arg-type]


@settings(max_examples=60)
@given(
    st.lists(st.floats(-1e3, 1e3, width=32) | st.just(float("nan")), min_size=8, max_size=8),
    st.integers(0, 20),
    st.integers(1, 3),
)
def test_squared_differences_belong_to_the_nearest_earlier_pattern(
    values: list[float], newest: int, length: int
) -> None:
    ring = np.array(values, dtype=np.float32)
    filled = min(newest + 1, len(ring))

    distance = nearest(ring, newest, filled, length)
    squares = squared_differences(ring, newest, filled, length)

    assert np.sqrt(squares.mean()) == pytest.approx(0.0 if np.isnan(distance) else distance, rel=1e-9)
