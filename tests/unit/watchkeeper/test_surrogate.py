"""The forest without numpy: the same features and the same attributions as with it."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.detectors.forest.surrogate import MAGIC, SurrogateForest
from watchkeeper.detectors.forest.surrogate_fit import FittedSurrogate, fit_surrogate, rank_agreement
from watchkeeper.features.matrix import feature_matrix, fit_scales, row_arrays
from watchkeeper.features.schema import feature_vector
from watchkeeper.telemetry.rows import Row

PLAN = WorkloadPlan(
    "w",
    TimestampPlan("t"),
    (MeasurePlan("heat", "h"), MeasurePlan("flow", "f")),
    300,
    features=FeaturePlan(shingle=4, time_of_day=True, day_of_week=True),
)
numbers = st.floats(-1e9, 1e9)


def rows_of(values: np.ndarray, series: str, shingle: int = 4) -> list[Row]:  # type: ignore[type-arg]
    return [
        Row(
            EPOCH + timedelta(seconds=300 * at),
            series,
            float(values[at]),
            tuple(values[at - shingle + 1 : at][::-1].tolist()),
        )
        for at in range(shingle, len(values))
    ]


@cache
def fitted(shingle: int = 4) -> tuple[FittedSurrogate, list[Row]]:
    plan = dataclasses.replace(PLAN, features=dataclasses.replace(PLAN.features, shingle=shingle))
    generator = np.random.default_rng(1)
    rows = [
        *rows_of(np.sin(np.arange(600) / 9) + generator.normal(0, 0.1, 600), "heat", shingle),
        *rows_of(50 + generator.normal(0, 5, 600), "flow", shingle),
    ]
    return fit_surrogate(rows, plan), rows


@cache
def portable() -> SurrogateForest:
    return SurrogateForest.from_bytes(fitted()[0].portable().to_bytes())


@settings(max_examples=200)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["heat", "flow", "heat|device=new"]),
    numbers,
    st.lists(numbers, max_size=6),
    st.booleans(),
    st.integers(1, 6),
)
def test_a_vector_is_the_one_that_numpy_makes(
    seconds: int, series: str, value: float, lags: list[float], differences: bool, shingle: int
) -> None:
    features = FeaturePlan(shingle=shingle, differences=differences, time_of_day=True, day_of_week=True)
    plan = dataclasses.replace(PLAN, features=features)
    scales = fit_scales(row_arrays(fitted()[1], PLAN))
    row = Row(EPOCH + timedelta(seconds=seconds), series, value, tuple(lags))

    expected = feature_matrix(row_arrays([row], plan), plan, scales)[0]

    np.testing.assert_allclose(feature_vector(row, features, scales), expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=100)
@given(st.lists(st.floats(-50, 50), min_size=11, max_size=11))
def test_attributions_are_those_of_the_frozen_forest(vector: list[float]) -> None:
    rounded = np.array([vector], dtype=np.float32).astype(np.float64)

    found = portable().attribute(vector)

    np.testing.assert_allclose(found, fitted()[0].forest.attribute(rounded)[0], rtol=1e-9, atol=1e-12)
    assert sum(found) == pytest.approx(float(fitted()[0].forest.score_samples(rounded)[0]), rel=1e-9)


def test_a_training_row_is_attributed_as_by_the_frozen_forest() -> None:
    forest = fitted()[0]
    vector = feature_vector(fitted()[1][17], PLAN.features, forest.scales)
    rounded = np.array([vector], dtype=np.float32).astype(np.float64)

    np.testing.assert_allclose(portable().attribute(vector), forest.forest.attribute(rounded)[0], rtol=1e-9)


@pytest.mark.parametrize("lag", range(4))
def test_a_spike_is_found_where_it_is_and_the_parts_add_up_to_the_served_score(lag: int) -> None:
    row = fitted()[1][100]
    window = [row.value, *row.lags]
    window[lag] += 8.0
    spiked = dataclasses.replace(row, value=window[0], lags=tuple(window[1:]))

    explained = portable().explain(spiked, 3.25, rank_agreement=0.9)

    # a spike is a value, the change into it and the change out of it
    by_lag = {part.lag: 0.0 for part in explained.contributions}
    for part in explained.contributions:
        if part.feature == "value":
            by_lag[part.lag] += part.score
    assert max(by_lag, key=by_lag.__getitem__) == lag
    assert {part.measure for part in explained.contributions} <= {"heat", None}
    assert sum(part.score for part in explained.contributions) == pytest.approx(3.25, abs=1e-12)
    assert explained.explanation.rank_agreement == 0.9
    assert explained.explanation.surrogate_score == pytest.approx(
        float(fitted()[0].score([spiked])[0]), rel=1e-9
    )


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="knows no measure 'noise'"):
        portable().explain(Row(EPOCH, "noise", 1.0), 1.0)


@pytest.mark.parametrize("damage", ["short", "long", "magic", "version", "text"])
def test_what_is_no_whole_forest_is_refused(damage: str) -> None:
    content = fitted()[0].portable().to_bytes()
    size = int.from_bytes(content[4:8], "little")
    header = json.loads(content[8 : 8 + size])
    other = json.dumps({**header, "version": 2}).encode()
    broken = {
        "short": content[:-3],
        "long": content + b"\0",
        "magic": b"PK" + content[2:],
        "version": MAGIC + len(other).to_bytes(4, "little") + other + content[8 + size :],
        "text": MAGIC + (3).to_bytes(4, "little") + b"{x}",
    }[damage]

    with pytest.raises(ContractViolationError, match="surrogate forest"):
        SurrogateForest.from_bytes(broken)


def test_fitting_twice_gives_the_same_file() -> None:
    forest, rows = fitted()

    assert fit_surrogate(rows, PLAN).portable().to_bytes() == forest.portable().to_bytes()


@pytest.mark.parametrize(
    ("first", "second", "agreement"),
    [
        ([1.0, 2.0, 3.0], [10.0, 20.0, 21.0], 1.0),
        ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -1.0),
        ([1.0, 1.0, 2.0, 3.0], [5.0, 5.0, 6.0, 7.0], 1.0),
        ([1.0, 1.0], [1.0, 2.0], None),
        ([1.0], [2.0], None),
    ],
)
def test_agreement_is_that_of_ranks(first: list[float], second: list[float], agreement: float | None) -> None:
    assert rank_agreement(first, second) == (None if agreement is None else pytest.approx(agreement))
