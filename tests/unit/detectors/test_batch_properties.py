"""What holds for every batch detector, whatever the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.catalogue import RULES, TABULAR
from watchkeeper.detectors.factory import detector_from_bytes, new_detector
from watchkeeper.detectors.forest import kernel as forest_kernel
from watchkeeper.detectors.protocol.detector import Detector

BATCH = (*RULES, *TABULAR)
IN_TIME_ORDER = ("persist",)
FEW_TREES: dict[str, dict[str, Any]] = {
    "rcf": {"n_trees": 5, "sample_size": 32},
    "isolation_forest": {"n_estimators": 5},
}
MAY_REFUSE = ("elliptic_envelope",)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


def detector_of(algorithm: str) -> Detector:
    return new_detector(algorithm, **FEW_TREES.get(algorithm, {}))


@pytest.fixture(autouse=True, scope="module")
def forests_without_compilation() -> Iterator[None]:
    """Compiling for each number of columns takes longer than the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest_kernel, "HAVE_NUMBA", False)
        yield


@st.composite
def tables(draw: st.DrawFn, elements: st.SearchStrategy[float]) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit on and rows to score, of one to three columns."""
    columns = draw(st.integers(1, 3))
    rows = draw(arrays(np.float64, (draw(st.integers(2, 40)), columns), elements=elements))
    queries = draw(arrays(np.float64, (draw(st.integers(1, 12)), columns), elements=elements))
    return rows, queries


@pytest.mark.parametrize("algorithm", BATCH)
@FEW
@given(table=tables(FINITE))
def test_any_finite_rows_have_finite_scores_or_are_refused(
    algorithm: str, table: tuple[np.ndarray, np.ndarray]
) -> None:
    rows, queries = table
    try:
        detector = detector_of(algorithm).fit(rows)
    except InvalidInputError:  # such as all rows equal, of which MinCovDet has no covariance
        assert algorithm in MAY_REFUSE
        return
    scores = detector.score_samples(queries)
    assert np.isfinite(detector.raw_scores(queries)).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert set(detector.predict(queries)) <= {-1, 1}


@pytest.mark.parametrize("algorithm", BATCH)
@FEW
@given(table=tables(st.floats(-1e6, 1e6)))
def test_state_goes_on_bit_for_bit_after_a_round_trip(
    algorithm: str, table: tuple[np.ndarray, np.ndarray]
) -> None:
    rows, queries = table
    detector = detector_of(algorithm)
    try:
        detector.fit(rows)
    except InvalidInputError:
        return
    read = detector_from_bytes(detector.to_bytes())
    np.testing.assert_array_equal(read.raw_scores(queries), detector.raw_scores(queries))
    np.testing.assert_array_equal(read.predict(queries), detector.predict(queries))
    assert read.to_bytes() == detector.to_bytes()


@pytest.mark.parametrize("algorithm", [name for name in BATCH if name not in IN_TIME_ORDER])
def test_a_score_depends_on_its_own_row_only(algorithm: str) -> None:
    generator = np.random.default_rng(1)
    detector = detector_of(algorithm).fit(generator.normal(size=(200, 3)))
    queries = generator.normal(size=(40, 3)) * 3
    together = detector.raw_scores(queries)
    alone = np.concatenate([detector.raw_scores(query[np.newaxis]) for query in queries])
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(detector.raw_scores(queries[::-1])[::-1], together, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("algorithm", BATCH)
@FEW
@given(exponents=st.tuples(*[st.integers(-30, 30)] * 3), seed=st.integers(0, 1000))
def test_multiplying_a_column_by_a_power_of_two_changes_no_score(
    algorithm: str, exponents: tuple[int, int, int], seed: int
) -> None:
    rows = np.random.default_rng(seed).normal(size=(60, 3))
    units = 2.0 ** np.array(exponents)
    plain, scaled = detector_of(algorithm).fit(rows[:45]), detector_of(algorithm).fit(rows[:45] * units)
    np.testing.assert_array_equal(scaled.score_samples(rows * units), plain.score_samples(rows))


@pytest.mark.parametrize("algorithm", BATCH)
@FEW
@given(
    seed=st.integers(0, 1000), missing=st.sets(st.tuples(st.integers(0, 59), st.integers(0, 2)), max_size=20)
)
def test_a_row_with_a_missing_value_scores_zero_and_changes_no_other(
    algorithm: str, seed: int, missing: set[tuple[int, int]]
) -> None:
    rows = np.random.default_rng(seed).normal(size=(60, 3))
    gaps = rows.copy()
    for place in missing:
        gaps[place] = np.nan
    complete = ~np.isnan(gaps).any(axis=1)
    with_gaps, without = detector_of(algorithm).fit(gaps), detector_of(algorithm).fit(rows[complete])
    scores = with_gaps.score_samples(gaps)
    np.testing.assert_array_equal(scores[complete], without.score_samples(rows[complete]))
    assert (scores[~complete] == 0).all()
    assert (with_gaps.predict(gaps)[~complete] == 1).all()


@pytest.mark.parametrize("algorithm", BATCH)
def test_a_fit_again_forgets_the_first(algorithm: str) -> None:
    generator = np.random.default_rng(2)
    first, second = generator.normal(size=(80, 2)), generator.normal(5, 3, size=(80, 3))
    again, fresh = detector_of(algorithm).fit(first).fit(second), detector_of(algorithm).fit(second)
    np.testing.assert_array_equal(again.raw_scores(second), fresh.raw_scores(second))
