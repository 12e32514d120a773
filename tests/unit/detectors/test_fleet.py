"""The fleet: one detector a series, many at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.fleet import SHELF, Fleet
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.detectors.streaming.state import STATE, Parameters

START, STEP = 1_700_000_000.0, 300.0


def walk(rows: int, series: int, seed: int = 0) -> np.ndarray:
    """Values of several series, shape (rows, series), with spikes and missing intervals."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rows, series)).cumsum(axis=0) + 5 * np.sin(np.arange(rows) / 20)[:, None]
    values[generator.random(values.shape) < 0.01] += 60
    values[generator.random(values.shape) < 0.02] = np.nan
    return values


def run(fleet: Fleet, series: np.ndarray, values: np.ndarray, first: int = 0) -> list[SeriesScores]:
    return [fleet.update(series, row, START + STEP * (first + index)) for index, row in enumerate(values)]


def assert_series_equal(fleet: list[SeriesScores], position: int, single: SeriesScores) -> None:
    for name in vars(single):
        found = np.array([getattr(scores, name)[position] for scores in fleet])
        np.testing.assert_array_equal(found, getattr(single, name), err_msg=name)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("step", [STEP, 3600.0])
def test_scores_are_those_of_one_detector_a_series_to_the_bit(threads: int, step: float) -> None:
    values = walk(900, 3)
    values += 30 * (np.arange(900) // 24 % 7 >= 5)[:, None]  # weekends, where a row is an hour
    fleet = Fleet(interval_seconds=step, threads=threads)
    series = fleet.join(SHELF + 2)[[5, SHELF, 0]]
    times = START + step * np.arange(len(values))
    scores = [fleet.update(series, row, time) for row, time in zip(values, times, strict=True)]
    assert any(one.is_anomaly.any() for one in scores)
    for position in range(3):
        detector = WatchkeeperDetector(interval_seconds=step)
        single = detector.update_all(values[:, position], timestamps=times)
        assert_series_equal(scores, position, single)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans())
def test_series_that_are_not_named_miss_intervals_like_a_single_one(
    seed: int, count: int, timed: bool
) -> None:
    generator = np.random.default_rng(seed)
    values, named = walk(60, count, seed), generator.random((60, count)) < 0.7
    times = START + STEP * np.arange(60)
    fleet = Fleet(interval_seconds=STEP)
    series = fleet.join(count)
    found: dict[int, list[float]] = {position: [] for position in range(count)}
    for row in range(60):
        chosen = generator.permutation(np.flatnonzero(named[row]))
        scores = fleet.update(series[chosen], values[row, chosen], times[row] if timed else None)
        for place, position in enumerate(chosen):
            found[position].append(scores.anomaly_score[place])
    for position in range(count):
        rows = named[:, position]
        if not rows.any():
            continue
        detector = WatchkeeperDetector(interval_seconds=STEP)
        single = detector.update_all(values[rows, position], timestamps=times[rows] if timed else None)
        np.testing.assert_array_equal(found[position], single.anomaly_score)


def test_a_number_that_is_free_again_starts_a_series_that_knows_nothing() -> None:
    fleet = Fleet()
    series = fleet.join(4)
    run(fleet, series, walk(300, 4))
    fleet.leave(series[[1, 2]])
    assert len(fleet) == 2
    joined = fleet.join(2)
    assert set(joined) == {1, 2}
    values = walk(50, 2, seed=3)
    fresh = Fleet()
    both = fresh.join(2)
    for row in values:
        first, second = fleet.update(joined, row), fresh.update(both, row)
        np.testing.assert_array_equal(first.anomaly_score, second.anomaly_score)
        np.testing.assert_array_equal(first.expected, second.expected)


def test_a_detectors_series_go_on_in_a_fleet() -> None:
    values = walk(200, 2)
    detector = WatchkeeperDetector().fit(values[:150])
    fleet = Fleet()
    series = fleet.join(2, detector.states_)
    found = run(fleet, series, values[150:])
    single = WatchkeeperDetector().fit(values[:150, 1])
    scores = single.update_all(values[150:, 1], timestamps=START + STEP * np.arange(50))
    assert_series_equal(found, 1, scores)
    with pytest.raises(InvalidInputError, match="states for 3 series"):
        fleet.join(3, detector.states_)


def test_a_loaded_fleet_goes_on_to_the_bit_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    values = walk(400, 5)
    fleet = Fleet(alert_rarity=3, interval_seconds=STEP, parameters=replace(Parameters(), tolerance=0.01))
    series = fleet.join(5)
    run(fleet, series, values[:300])
    fleet.leave(series[3:4])
    fleet.save(tmp_path / "fleet")
    fleet.save(tmp_path / "fleet")
    written = {path.name: path.read_bytes() for path in (tmp_path / "fleet").iterdir()}
    assert len(written) == 2
    restored = Fleet.load(tmp_path / "fleet", threads=2)
    assert (restored.alert_rarity, restored.parameters) == (3, fleet.parameters)
    np.testing.assert_array_equal(restored.series, [0, 1, 2, 4])
    rest = values[300:][:, [0, 1, 2, 4]]
    for first, second in zip(
        run(fleet, fleet.series, rest, 300), run(restored, restored.series, rest, 300), strict=True
    ):
        for name in vars(first):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert {path.name: path.read_bytes() for path in (tmp_path / "fleet").iterdir()} == written
    assert restored.join(1) == [3]


def test_an_empty_fleet_can_be_saved_and_grows_after_it_was_loaded(tmp_path: Path) -> None:
    Fleet().save(tmp_path)
    fleet = Fleet.load(tmp_path)
    assert len(fleet) == 0
    assert fleet.update([], []).anomaly_score.shape == (0,)
    series = fleet.join(SHELF + 1)
    assert fleet.update(series, np.zeros(SHELF + 1), datetime(2026, 1, 1, tzinfo=UTC)).severity.max() == 0
    assert fleet.state_bytes == 2 * SHELF * STATE.itemsize


def test_a_state_is_under_16_kib() -> None:
    assert STATE.itemsize < 16 * 1024


def test_says_what_is_wrong(tmp_path: Path) -> None:
    fleet = Fleet()
    fleet.join(3)
    with pytest.raises(InvalidInputError, match="series 3 is not in the fleet"):
        fleet.update([0, 3], [1.0, 2.0])
    with pytest.raises(InvalidInputError, match="series 1 is given twice"):
        fleet.update([1, 1], [1.0, 2.0])
    with pytest.raises(InvalidInputError, match="series 2 is infinite"):
        fleet.update([1, 2], [1.0, np.inf])
    with pytest.raises(InvalidInputError, match=r"\(1,\) values for \(2,\) series"):
        fleet.update([1, 2], [1.0])
    with pytest.raises(InvalidInputError, match="threads is 0"):
        Fleet(threads=0)
    with pytest.raises(InvalidInputError, match=r"fleet\.npz: No such file"):
        Fleet.load(tmp_path)
    fleet.save(tmp_path)
    next(tmp_path.glob("states-*")).write_bytes(b"nothing")
    with pytest.raises(ContractViolationError, match="states-"):
        Fleet.load(tmp_path)
