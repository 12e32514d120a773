from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watchkeeper.core.documents import plain, read_part
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.features.matrix import (
    CLIP,
    RowArrays,
    Scales,
    feature_dim,
    feature_matrix,
    feature_names,
    fit_scales,
    row_arrays,
    schema_hash,
)
from watchkeeper.telemetry.rows import Row

MONDAY = datetime(2024, 5, 13, tzinfo=timezone.utc)
PLAN = WorkloadPlan(
    "w",
    TimestampPlan("t"),
    (MeasurePlan("co", "CO"), MeasurePlan("no2", "NO2")),
    3600,
    dimensions=("hall",),
    features=FeaturePlan(shingle=3),
)
TIMED = dataclasses.replace(
    PLAN, features=FeaturePlan(shingle=1, differences=False, time_of_day=True, day_of_week=True)
)


def rows(values: list[float], series: str | None = "co|hall=a", plan: WorkloadPlan = PLAN) -> RowArrays:
    count = plan.features.shingle - 1
    return row_arrays(
        [
            Row(
                MONDAY + timedelta(hours=hour),
                series,
                value,
                tuple(values[max(0, hour - count) : hour][::-1]),
            )
            for hour, value in enumerate(values)
        ],
        plan,
    )


def test_names_are_the_columns() -> None:
    plan = dataclasses.replace(PLAN, features=FeaturePlan(3, True, True, True))
    values = rows([1.0, 4.0, 2.0, 8.0], plan=plan)

    assert feature_names(plan) == [
        "value",
        "lag_1",
        "lag_2",
        "difference_1",
        "difference_2",
        "time_of_day_sin",
        "time_of_day_cos",
        "day_of_week_sin",
        "day_of_week_cos",
    ]
    assert feature_matrix(values, plan, fit_scales(values)).shape == (4, feature_dim(plan)) == (4, 9)


def test_values_and_differences_are_in_scales_of_the_training_part() -> None:
    training = rows([float(value) for value in range(101)])
    scales = fit_scales(training)

    matrix = feature_matrix(rows([50.0, 52.0, 49.0]), PLAN, scales)

    scale = 50 / 1.349
    step = scales.series["co|hall=a"].difference_scale
    np.testing.assert_allclose(matrix[2], [-1 / scale, 2 / scale, 0.0, -3 / step, 2 / step])


def test_scales_come_from_the_training_part_only() -> None:
    training = rows([1.0, 2.0, 3.0, 4.0] * 10)
    scales = fit_scales(training)
    before = feature_matrix(rows([2.0]), PLAN, scales)

    assert feature_matrix(rows([2.0, 1e9]), PLAN, scales)[:1].tolist() == before.tolist()


def test_time_is_on_a_circle_and_weeks_begin_on_monday() -> None:
    values = rows([1.0] * 49, plan=TIMED)
    matrix = feature_matrix(values, TIMED, fit_scales(values))

    np.testing.assert_allclose(matrix[[0, 6, 12], 1:3], [[0, 1], [1, 0], [0, -1]], atol=1e-12)
    np.testing.assert_allclose(matrix[0, 3:], [0, 1], atol=1e-12)
    np.testing.assert_allclose(matrix[48, 3], np.sin(2 * np.pi * 2 / 7))


@pytest.mark.parametrize(("constant", "scale"), [(0.0, 1.0), (200.0, 2.0), (-200.0, 2.0)])
def test_a_constant_series_has_a_scale(constant: float, scale: float) -> None:
    fitted = fit_scales(rows([constant] * 20)).series["co|hall=a"]

    assert (fitted.center, fitted.scale, fitted.difference_scale) == (constant, scale, scale)


def test_a_series_that_is_mostly_zero_is_scaled_by_its_spread() -> None:
    values = [0.0] * 95 + [10.0] * 5

    assert fit_scales(rows(values)).series["co|hall=a"].scale == pytest.approx(np.std(values))


def test_rounding_noise_on_a_constant_is_not_its_scale() -> None:
    values = [0.1 + 0.2, 0.3] * 20

    assert fit_scales(rows(values)).series["co|hall=a"].scale == pytest.approx(0.003)


def test_one_model_scales_every_series_alike() -> None:
    small, large = [1.0, 3.0, 2.0, 5.0, 4.0], [1000.0, 3000.0, 2000.0, 5000.0, 4000.0]
    both = row_arrays(
        [
            Row(MONDAY + timedelta(hours=hour), series, value)
            for series, values in (("co|hall=a", small), ("no2|hall=a", large))
            for hour, value in enumerate(values)
        ],
        PLAN,
    )
    matrix = feature_matrix(both, PLAN, fit_scales(both))

    np.testing.assert_allclose(matrix[:5], matrix[5:])


def test_an_unknown_series_is_scaled_like_its_measure() -> None:
    training = row_arrays(
        [
            Row(MONDAY, f"co|hall={hall}", value)
            for hall, factor in (("a", 1.0), ("b", 10.0), ("c", 100.0))
            for value in (factor, 2 * factor, 3 * factor)
        ],
        PLAN,
    )
    scales = fit_scales(training)

    assert scales.of("co|hall=new") == scales.series["co|hall=b"]
    with pytest.raises(InvalidInputError, match="no measure 'so2'"):
        scales.of("so2|hall=a")


def test_the_level_of_a_series_that_training_has_not_seen_is_not_unusual() -> None:
    training = row_arrays([Row(MONDAY, "co|hall=a", value) for value in (1.0, 2.0, 3.0)], PLAN)
    new = row_arrays([Row(MONDAY, "co|hall=new", 900.0), Row(MONDAY, "co|hall=new", 901.0, (900.0,))], PLAN)

    at_first, then = feature_matrix(new, PLAN, fit_scales(training))

    assert not at_first[: PLAN.features.shingle].any()
    assert np.abs(then[: PLAN.features.shingle]).max() < 1.5


def test_a_row_without_series_is_answered_by_a_model_of_one_series_only() -> None:
    one = fit_scales(rows([1.0, 2.0, 3.0]))
    two = fit_scales(row_arrays([Row(MONDAY, key, 1.0) for key in ("co|hall=a", "co|hall=b")], PLAN))

    assert one.of(None) == one.series["co|hall=a"]
    with pytest.raises(InvalidInputError, match="such as co"):
        two.of(None)


def test_absent_lags_are_the_oldest_known_value() -> None:
    built = row_arrays([Row(MONDAY, None, 5.0), Row(MONDAY, None, 5.0, (4.0,))], PLAN)

    assert built.lags.tolist() == [[5.0, 5.0], [4.0, 4.0]]


def test_scales_survive_json() -> None:
    scales = fit_scales(rows([0.1, 0.7, 0.2]))

    assert read_part(Scales, json.loads(json.dumps(plain(scales))), "scales") == scales


def test_no_rows_cannot_be_fitted() -> None:
    with pytest.raises(InvalidInputError, match="no training rows"):
        fit_scales(rows([]))


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e30, 1e30)))
def test_features_are_finite_and_bounded_for_any_values(values: np.ndarray) -> None:
    built = rows(values.tolist())
    matrix = feature_matrix(built, PLAN, fit_scales(built))

    assert np.isfinite(matrix.astype(np.float32)).all()
    assert np.abs(matrix).max() <= CLIP


@given(
    arrays(np.float64, st.integers(4, 30), elements=st.integers(-1000, 1000).map(float)),
    st.sampled_from([2.0**power for power in range(-8, 9)]),
)
def test_features_do_not_depend_on_the_unit(values: np.ndarray, factor: float) -> None:
    if np.ptp(values) == 0:
        values[0] += 1.0
    one, other = rows(values.tolist()), rows((values * factor).tolist())

    np.testing.assert_array_equal(
        feature_matrix(one, PLAN, fit_scales(one))[:, :3],
        feature_matrix(other, PLAN, fit_scales(other))[:, :3],
    )


def test_schema_hash_changes_with_what_a_vector_means_and_with_nothing_else() -> None:
    hashes = {
        schema_hash(PLAN),
        schema_hash(dataclasses.replace(PLAN, features=FeaturePlan(shingle=4))),
        schema_hash(dataclasses.replace(PLAN, features=FeaturePlan(shingle=3, time_of_day=True))),
        schema_hash(dataclasses.replace(PLAN, interval_seconds=60)),
        schema_hash(dataclasses.replace(PLAN, measures=(MeasurePlan("co", "CO", "max"), PLAN.measures[1]))),
    }

    assert len(hashes) == 5
    assert schema_hash(dataclasses.replace(PLAN, lateness_seconds=60, workload="other")) == schema_hash(PLAN)


def _before(values: list[float], hour: int, count: int) -> tuple[float, ...]:
    return tuple(reversed(values[max(0, hour - count) : hour]))
