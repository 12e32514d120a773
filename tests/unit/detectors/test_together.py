"""Several columns: what all of them say together, and what may not change a decision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.streaming.detector import FORMAT, WatchkeeperDetector, score_series
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.detectors.streaming.together import advance_together, new_together

FloatArray = npt.NDArray[np.float64]
ROWS = 2500
TIMES = 300.0 * np.arange(ROWS)


def plant(seed: int = 0, columns: int = 6) -> FloatArray:
    """Columns that follow two hidden causes, each with noise of its own."""
    generator = np.random.default_rng(seed)
    causes = generator.normal(size=(ROWS, 2))
    loads = generator.uniform(0.5, 1.5, size=(2, columns))
    values: FloatArray = causes @ loads + 0.2 * generator.normal(size=(ROWS, columns))
    return values


def incident() -> FloatArray:
    values = plant()
    values[2000:2040] += 1.2
    return values


def assert_same_decisions(first: SeriesScores, second: SeriesScores) -> None:
    np.testing.assert_array_equal(first.is_anomaly, second.is_anomaly)
    np.testing.assert_allclose(first.anomaly_score, second.anomaly_score, atol=1e-6)


def test_a_broken_correlation_is_an_anomaly_that_its_column_does_not_show_alone() -> None:
    alone, together = 0, 0
    for seed in range(5):
        values = plant(seed)
        values[2000:2020, 0] = -values[2000:2020, 0]
        alone += int(score_series(TIMES, values[:, 0]).is_anomaly[2000:2020].any())
        together += int(score_series(TIMES, values).is_anomaly[2000:2020].any())
    assert (alone, together) == (0, 5)


def test_ordinary_columns_alert_rarely_together() -> None:
    alerts = sum(int(score_series(TIMES, plant(seed)).is_anomaly[300:].sum()) for seed in range(5))
    assert alerts <= 10


def test_the_contributions_of_the_columns_add_up_and_name_the_one_that_broke() -> None:
    values = plant(3)
    values[2000:2020, 4] = -values[2000:2020, 4]
    scores = score_series(TIMES, values)
    np.testing.assert_allclose(scores.contributions.sum(axis=1), scores.anomaly_score, atol=1e-12)
    assert (scores.contributions >= 0).all()
    assert scores.contributions[2000:2020].sum(axis=0).argmax() == 4


def test_constant_columns_change_no_decision() -> None:
    values = incident()
    constant = np.full((ROWS, 3), 7.5)
    assert_same_decisions(score_series(TIMES, values), score_series(TIMES, np.hstack((values, constant))))
    single = values[:, :1]
    assert_same_decisions(score_series(TIMES, single), score_series(TIMES, np.hstack((single, constant))))


def test_the_order_of_columns_changes_no_decision() -> None:
    values = incident()
    order = np.random.default_rng(1).permutation(values.shape[1])
    first, second = score_series(TIMES, values), score_series(TIMES, values[:, order])
    assert_same_decisions(first, second)
    np.testing.assert_allclose(first.contributions[:, order], second.contributions, atol=1e-6)


def test_the_scale_of_a_column_changes_no_decision() -> None:
    values = incident()
    assert_same_decisions(
        score_series(TIMES, values), score_series(TIMES, values * [1, 1e3, 1e-3, 64, 7, 0.1])
    )


def test_a_row_at_a_time_a_stored_state_and_a_whole_table_are_the_same() -> None:
    values = incident()
    values[1000:1010, 2] = np.nan
    values[1500] = np.nan
    whole = score_series(TIMES, values)
    detector = WatchkeeperDetector()
    first = detector.update_all(values[:1900], timestamps=TIMES[:1900])
    detector = WatchkeeperDetector.from_bytes(detector.to_bytes())
    rows = [detector.update(row, time) for row, time in zip(values[1900:], TIMES[1900:], strict=True)]
    np.testing.assert_array_equal(first.anomaly_score, whole.anomaly_score[:1900])
    np.testing.assert_array_equal([row.anomaly_score for row in rows], whole.anomaly_score[1900:])
    np.testing.assert_array_equal([row.contributions for row in rows], whole.contributions[1900:])


def test_scoring_without_learning_leaves_what_is_known_of_the_columns_together() -> None:
    detector = WatchkeeperDetector().fit(plant(), timestamps=TIMES)
    before = detector.to_bytes()
    detector.score_rows(plant(1), timestamps=TIMES + TIMES[-1] + 300)
    assert detector.to_bytes() == before


def test_a_row_without_any_value_is_no_surprise_and_is_not_learned() -> None:
    record = new_together(3)
    values = np.random.default_rng(0).normal(size=(400, 3))
    advance_together(record, np.zeros(400, dtype=np.int64), values)
    before = record.copy()
    found = advance_together(record, np.zeros(1, dtype=np.int64), np.full((1, 3), np.nan))
    assert found.surprise.tolist() == [0.0]
    assert record == before


def test_a_state_of_other_columns_is_refused() -> None:
    content = WatchkeeperDetector().fit(plant()).to_bytes()
    settings, found = persistence.load(FORMAT, content)
    with pytest.raises(ContractViolationError, match="train again"):
        WatchkeeperDetector.from_bytes(
            persistence.dump(FORMAT, settings, {**found, "together": new_together(2)})
        )
