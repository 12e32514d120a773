"""The Watchkeeper detector: what it promises for every series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.protocol import calibration, persistence
from watchkeeper.detectors.streaming.detector import FORMAT, WatchkeeperDetector, score_series
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.detectors.streaming.state import CHANNELS, STATE, Parameters
from watchkeeper.detectors.streaming.times import hours_of_week, to_seconds

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ORDINARY = st.floats(-1e6, 1e6, allow_nan=False)


def telemetry(rows: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Five-minute rows with a daily period and noise."""
    start = np.datetime64("2026-03-01T00:00:00", "s")
    timestamps = start + np.arange(rows) * np.timedelta64(300, "s")
    noise = np.random.default_rng(seed).normal(size=rows)
    return timestamps, 50 + 10 * np.sin(2 * np.pi * np.arange(rows) / 288) + noise


def assert_equal(first: SeriesScores, second: SeriesScores, rows: slice = slice(None)) -> None:
    for name in vars(first):
        np.testing.assert_array_equal(getattr(first, name)[rows], getattr(second, name)[rows], err_msg=name)


def test_a_spike_is_the_most_severe_row_and_an_alert() -> None:
    timestamps, values = telemetry()
    values[2000] += 60
    scores = score_series(timestamps, values)
    assert scores.severity[500:].argmax() + 500 == 2000
    assert scores.is_anomaly[2000]
    assert not scores.lower[2000] <= values[2000] <= scores.upper[2000]


def test_a_stuck_value_raises_the_level_of_the_hours_it_lasts() -> None:
    timestamps, values = telemetry()
    values[2000:2150] = values[1999]
    scores = score_series(timestamps, values)
    assert scores.severity[2100:2150].mean() > 2 * np.median(scores.severity[1000:2000])


def test_a_lasting_change_alerts_once_not_on_every_row() -> None:
    timestamps, values = telemetry()
    values[2000:] += 200
    scores = score_series(timestamps, values)
    assert scores.is_anomaly[2000:2010].any()
    assert scores.is_anomaly[2000:2200].sum() <= 5


def noise(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=rows)


@pytest.mark.parametrize(
    ("earlier", "size", "rows"), [(3, 60.0, 2000), (1500, 30.0, 2000), (4900, 15.0, 5000)]
)
def test_an_extreme_that_came_once_does_not_hide_the_next_one(earlier: int, size: float, rows: int) -> None:
    for seed in range(5):
        values = noise(rows + 10, seed)
        values[earlier] += size
        values[rows] += 15.0
        assert score_series(None, values).is_anomaly[rows]


def test_an_extreme_that_came_twice_is_known() -> None:
    values = noise(2000, 0)
    values[[1200, 1500, 1800]] = 15.0
    assert score_series(None, values).is_anomaly[[1200, 1500, 1800]].tolist() == [True, True, False]


def test_a_frozen_sensor_and_noise_that_is_gone_are_alerts() -> None:
    for factor in (0.0, 0.1):
        values = noise(3000, 1)
        values[2000:2144] *= factor
        assert score_series(None, values).is_anomaly[2000:2144].any()


def test_a_series_that_was_always_still_at_times_is_not_calm() -> None:
    values = noise(6000, 2)
    still = np.arange(6000) % 600 > 400
    values[still] = 0.0
    assert not score_series(None, values).is_anomaly[2000:][still[2000:]].any()


def test_a_trend_becomes_a_habit() -> None:
    alerts = [score_series(None, np.arange(8000) / 100 + noise(8000, seed)).is_anomaly for seed in range(3)]
    assert sum(int(one[4000:].sum()) for one in alerts) <= 3 * 4


def test_ordinary_telemetry_alerts_no_more_often_than_the_rarity_states() -> None:
    alerts = sum(int(score_series(*telemetry(6000, seed)).is_anomaly[750:].sum()) for seed in range(10))
    assert alerts <= 3 * calibration.false_alarm_rate(3.75) * 10 * 5250


def test_the_first_hours_of_noise_raise_almost_no_alert() -> None:
    generator = np.random.default_rng(0)
    alerts = [score_series(None, generator.normal(size=250)).is_anomaly.sum() for _ in range(40)]
    assert sum(alerts) <= 10


def test_a_wild_value_in_the_first_hours_is_an_alert() -> None:
    values = np.random.default_rng(0).normal(size=120)
    values[100] = 60.0
    assert np.flatnonzero(score_series(None, values).is_anomaly).tolist() == [100]


def test_the_band_contains_about_the_stated_share_of_rows() -> None:
    timestamps, values = telemetry(8000)
    scores = score_series(timestamps, values)
    inside = (values >= scores.lower) & (values <= scores.upper)
    assert 0.975 < inside[1000:].mean() < 0.999


def test_expected_follows_the_hour_of_day_when_the_series_does() -> None:
    timestamps, _ = telemetry(6000)
    hour = (np.arange(6000) * 300 // 3600) % 24
    values = np.where(hour < 6, 5.0, 20.0) + np.random.default_rng(1).normal(scale=3, size=6000)
    scores = score_series(timestamps, values)
    assert abs(scores.expected[5000:][hour[5000:] < 6].mean() - 5) < 1
    assert abs(scores.expected[5000:][hour[5000:] >= 6].mean() - 20) < 1


def weekly_telemetry(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Hourly rows with a daily period and noise, lower on two days a week."""
    timestamps = np.datetime64("2026-03-02T00:00:00", "s") + np.arange(rows) * np.timedelta64(3600, "s")
    days = np.where(np.arange(rows) // 24 % 7 >= 5, 0.4, 1.0) * (
        22 - 10 * np.cos(2 * np.pi * np.arange(rows) / 24)
    )
    return timestamps, days + np.random.default_rng(seed).normal(scale=0.5, size=rows)


def test_the_weeks_profile_finds_a_working_day_that_is_like_a_sunday() -> None:
    scored: dict[float, list[float]] = {0.8: [], 0.0: []}
    for seed in range(5):
        timestamps, values = weekly_telemetry(24 * 7 * 12, seed)
        wednesday = slice(24 * (7 * 11 + 2), 24 * (7 * 11 + 3))
        values[wednesday] = weekly_telemetry(24 * 7, seed + 100)[1][24 * 6 :]
        for margin, found in scored.items():
            scores = score_series(timestamps, values, parameters=Parameters(week_margin=margin))
            found.append(scores.anomaly_score[wednesday].max())
    assert np.median(scored[0.8]) >= 0.375
    assert np.median(scored[0.0]) < 0.3


def test_a_series_without_a_weekly_rhythm_is_scored_by_the_days_profile() -> None:
    timestamps, values = telemetry(8000)
    with_week = score_series(timestamps, values)
    without = score_series(timestamps, values, parameters=Parameters(week_margin=0.0))
    np.testing.assert_array_equal(with_week.anomaly_score, without.anomaly_score)


def test_a_rhythm_of_the_week_is_not_believed_before_it_was_seen_to_forecast_for_a_week() -> None:
    timestamps, values = weekly_telemetry(24 * 7 * 6, seed=1)
    with_week = score_series(timestamps, values)
    without = score_series(timestamps, values, parameters=Parameters(week_margin=0.0))
    differs = np.flatnonzero(with_week.anomaly_score != without.anomaly_score)
    assert len(differs)
    assert differs[0] >= 2 * 24 * 7


def test_the_hour_of_the_week_begins_on_thursday_and_contains_the_hour_of_the_day() -> None:
    times = np.array(["2026-03-05T00:00", "2026-03-05T13:59", "2026-03-04T23:00"], dtype="datetime64[s]")
    assert hours_of_week(to_seconds(times, 3)).tolist() == [0, 13, 167]
    assert hours_of_week(np.array([np.nan, -3600.0])).tolist() == [0, 167]


def test_the_first_day_of_a_daily_rhythm_alerts_about_as_rarely_as_stated() -> None:
    alerts = sum(int(score_series(*telemetry(288, seed)).is_anomaly.sum()) for seed in range(60))
    assert alerts <= 3 * calibration.false_alarm_rate(3.75) * 60 * 288


@settings(max_examples=30)
@given(arrays(np.float64, st.integers(2, 120), elements=ORDINARY), st.data())
def test_a_score_never_depends_on_later_rows(values: np.ndarray, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(values)))
    changed = values.copy()
    changed[cut:] = data.draw(arrays(np.float64, len(values) - cut, elements=FINITE))
    assert_equal(score_series(None, values), score_series(None, changed), slice(cut))


@settings(max_examples=30)
@given(arrays(np.float64, st.integers(1, 400), elements=FINITE))
def test_any_finite_input_has_finite_scores(values: np.ndarray) -> None:
    scores = score_series(None, values)
    for name in ("anomaly_score", "severity", "expected", "lower", "upper", "confidence"):
        assert np.isfinite(getattr(scores, name)).all(), name
    assert ((scores.anomaly_score >= 0) & (scores.anomaly_score <= 1)).all()
    assert ((scores.severity >= 0) & (scores.severity <= 100)).all()


@settings(max_examples=25)
@given(st.integers(-20, 20), st.integers(0, 1000))
def test_multiplying_by_a_power_of_two_changes_no_score(exponent: int, seed: int) -> None:
    timestamps, values = telemetry(700, seed)
    original = score_series(timestamps, values)
    scaled = score_series(timestamps, values * 2.0**exponent)
    np.testing.assert_array_equal(original.anomaly_score, scaled.anomaly_score)
    np.testing.assert_array_equal(original.expected * 2.0**exponent, scaled.expected)


@settings(max_examples=25)
@given(st.integers(-1000, 1000), st.integers(0, 1000))
def test_adding_a_constant_changes_no_score(constant: int, seed: int) -> None:
    timestamps, values = telemetry(700, seed)
    values = np.round(values * 1024) / 1024
    original = score_series(timestamps, values)
    shifted = score_series(timestamps, values + constant)
    np.testing.assert_allclose(original.anomaly_score, shifted.anomaly_score, atol=1e-9)


@settings(max_examples=20)
@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_row_by_row_equals_the_batch(values: np.ndarray) -> None:
    batch = score_series(None, values)
    detector = WatchkeeperDetector()
    for index, value in enumerate(values):
        peeked = detector.score_one(value) if index else None
        streamed = detector.update(value)
        expected = batch.row(index)
        if not np.isnan(expected.expected):
            assert streamed == expected
            assert peeked in (None, streamed)


def test_fit_then_score_equals_one_pass() -> None:
    timestamps, values = telemetry(2000)
    whole = score_series(timestamps, values)
    detector = WatchkeeperDetector().fit(values[:1200], timestamps=timestamps[:1200])
    tail = detector.score_rows(values[1200:], timestamps=timestamps[1200:])
    np.testing.assert_array_equal(whole.anomaly_score[1200:], tail.anomaly_score)
    np.testing.assert_array_equal(
        detector.score_samples(values[1200:], timestamps=timestamps[1200:]), tail.anomaly_score
    )
    assert set(detector.predict(values[1200:], timestamps=timestamps[1200:])) <= {-1, 1}


@settings(max_examples=15)
@given(st.integers(1, 900), st.integers(0, 100))
def test_state_goes_on_bit_for_bit_after_a_round_trip(cut: int, seed: int) -> None:
    timestamps, values = telemetry(1000, seed)
    values[::97] = np.nan
    detector = WatchkeeperDetector(interval_seconds=300).fit(values[:cut], timestamps=timestamps[:cut])
    content = detector.to_bytes()
    restored = WatchkeeperDetector.from_bytes(content)
    assert restored.to_bytes() == content
    first = detector.update_all(values[cut:], timestamps=timestamps[cut:])
    assert_equal(first, restored.update_all(values[cut:], timestamps=timestamps[cut:]))
    assert restored.to_bytes() == detector.to_bytes()


def test_state_of_a_series_is_at_most_ten_and_a_half_kib() -> None:
    assert STATE.itemsize <= 10.5 * 1024
    assert len(CHANNELS) == 4


def test_refuses_a_state_of_another_version_or_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    content = WatchkeeperDetector().fit([1.0, 2.0]).to_bytes()
    states = persistence.load(FORMAT, content)[1]
    with monkeypatch.context() as later:
        later.setattr(persistence, "VERSION", 9)
        written_later = persistence.dump(FORMAT, {}, states)
    with pytest.raises(ContractViolationError, match="version 9"):
        WatchkeeperDetector.from_bytes(written_later)
    with pytest.raises(ContractViolationError, match="fields"):
        WatchkeeperDetector.from_bytes(persistence.dump(FORMAT, {}, {"states": np.zeros(1)}))
    for damaged in (b"nothing of the kind", content[:-100], content.replace(b"3.75", b"3.76")):
        with pytest.raises(InvalidInputError, match="not a watchkeeper-detector archive"):
            WatchkeeperDetector.from_bytes(damaged)


def test_a_missing_interval_scores_zero_and_stops_nothing() -> None:
    timestamps, values = telemetry(2500)
    values[[1000, 1001, 2000]] = np.nan
    values[2200] += 80
    scores = score_series(timestamps, values)
    assert (scores.anomaly_score[[1000, 1001, 2000]] == 0).all()
    assert scores.is_anomaly[2200]


def test_skipped_timestamps_count_as_missing_intervals() -> None:
    timestamps, values = telemetry(2500)
    kept = np.ones(2500, dtype=bool)
    kept[1200:1260] = False
    with_nan = np.where(kept, values, np.nan)
    skipped = score_series(timestamps[kept], values[kept], interval_seconds=300)
    explicit = score_series(timestamps, with_nan)
    np.testing.assert_array_equal(skipped.anomaly_score, explicit.anomaly_score[kept])


def test_a_constant_series_never_alerts_and_its_first_change_does() -> None:
    values = np.full(2000, 7.3)
    assert not score_series(None, values).is_anomaly.any()
    values[1500] = 8.0
    assert np.flatnonzero(score_series(None, values).is_anomaly).tolist() == [1500]


def test_confidence_rises_to_one() -> None:
    confidence = score_series(*telemetry(2500)).confidence
    assert confidence[0] == 0
    assert (np.diff(confidence) >= 0).all()
    assert confidence[-1] == 1


def test_columns_contribute_what_adds_up_to_the_score() -> None:
    timestamps, values = telemetry(1500)
    columns = np.stack([values, telemetry(1500, 1)[1], telemetry(1500, 2)[1]], axis=1)
    columns[1200, 1] += 90
    scores = score_series(timestamps, columns)
    assert scores.expected.shape == (1500, 3)
    np.testing.assert_allclose(scores.contributions.sum(axis=1), scores.anomaly_score, atol=1e-12)
    assert scores.contributions[1200].argmax() == 1
    assert scores.is_anomaly[1200]


def test_datetimes_numbers_and_numpy_times_are_the_same() -> None:
    timestamps, values = telemetry(600)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    datetimes = [start + timedelta(seconds=300 * row) for row in range(600)]
    expected = score_series(timestamps, values).anomaly_score
    np.testing.assert_array_equal(score_series(datetimes, values).anomaly_score, expected)
    seconds = timestamps.astype(np.int64).astype(float)
    np.testing.assert_array_equal(score_series(seconds, values).anomaly_score, expected)


@pytest.mark.parametrize(
    ("timestamps", "values", "message"),
    [
        (None, [1.0, np.inf], "row 1 is infinite"),
        (None, [[[1.0]]], "shape"),
        (None, ["warm"], "not all numbers"),
        (np.arange(3.0), [1.0, 2.0], "3 timestamps for 2 rows"),
        ([datetime(2026, 1, 1)], [1.0], "no time zone"),
        (np.array([0.0, np.nan]), [1.0, 2.0], "row 1 has no timestamp"),
    ],
)
def test_says_what_is_wrong_with_the_input(timestamps: object, values: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        score_series(timestamps, values)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"alert_rarity": 12}, "alert_rarity is 12"),
        ({"interval_seconds": 0}, "interval_seconds is 0"),
        ({"parameters": Parameters(coverage=1.5)}, "coverage is 1.5"),
    ],
)
def test_says_which_parameter_is_out_of_range(setting: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        WatchkeeperDetector(**setting).fit([1.0, 2.0])


def test_another_number_of_columns_is_refused() -> None:
    detector = WatchkeeperDetector().fit(np.zeros((10, 2)))
    with pytest.raises(InvalidInputError, match="3 columns: the detector has learned 2"):
        detector.score_samples(np.zeros((1, 3)))


def test_parameters_are_read_and_set_as_scikit_learn_does() -> None:
    detector = WatchkeeperDetector(alert_rarity=3)
    assert detector.get_params()["alert_rarity"] == 3
    assert detector.set_params(interval_seconds=60).interval_seconds == 60
    with pytest.raises(InvalidInputError, match="speed is not a parameter"):
        detector.set_params(speed=3)
