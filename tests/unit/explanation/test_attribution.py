"""Global importance and the NDCG of rankings."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from containers.explain.measures import attribution
from containers.explain.measures.attribution import attribution_ndcg, global_importance
from watchkeeper.core.errors import ContractViolationError, InvalidInputError

IMPORTANCES = st.lists(
    st.tuples(
        st.integers(0, 5).map(float) | st.floats(1e-6, 100.0),
        st.integers(0, 5).map(float) | st.floats(1e-6, 100.0),
    ),
    min_size=2,
    max_size=12,
)


def named(values: list[float]) -> dict[str, float]:
    return {f"feature_{index}": value for index, value in enumerate(values)}


def test_examples_in_docstrings_run() -> None:
    result = doctest.testmod(attribution)

    assert result.attempted >= 4
    assert result.failed == 0


@pytest.mark.parametrize(
    ("method", "expected"), [("mean_abs", [2.0, 3.0]), ("median", [1.0, -3.0]), ("mean_sq", [14 / 3, 9.0])]
)
def test_importance_is_summed_up_as_configured(method: str, expected: list[float]) -> None:
    local = [[1.0, -3.0], [-2.0, -3.0], [3.0, -3.0]]

    assert global_importance(local, method).tolist() == pytest.approx(expected)  # type: ignore[arg-type]


def test_importance_keeps_outputs_apart() -> None:
    local = np.stack([np.ones((4, 3)), np.full((4, 3), -2.0)], axis=2)

    assert global_importance(local).tolist() == [[1.0, 2.0]] * 3


def test_importance_of_no_rows_and_of_an_unknown_method_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no row"):
        global_importance(np.empty((0, 3)))
    with pytest.raises(InvalidInputError, match=r"'mean'.*mean_abs, median, mean_sq"):
        global_importance([[1.0]], "mean")  # type: ignore[arg-type]


@given(IMPORTANCES)
def test_ndcg_is_that_of_scikit_learn_also_with_ties(pairs: list[tuple[float, float]]) -> None:
    baseline, current = ([pair[side] for pair in pairs] for side in (0, 1))
    if not any(baseline):
        baseline[0] = 1.0

    assert attribution_ndcg(named(baseline), named(current)) == pytest.approx(
        ndcg_score([baseline], [current]), abs=1e-9
    )


@given(IMPORTANCES)
def test_ndcg_is_between_0_and_1_and_1_for_the_same_ranking(pairs: list[tuple[float, float]]) -> None:
    baseline, current = (named([pair[side] for pair in pairs]) for side in (0, 1))

    assert 0.0 < attribution_ndcg(baseline, current) <= 1.0
    assert attribution_ndcg(baseline, baseline) == 1.0
    assert attribution_ndcg(baseline, {name: 3.0 * value for name, value in baseline.items()}) == 1.0


def test_ndcg_falls_further_when_the_most_important_feature_falls() -> None:
    baseline = {"a": 0.8, "b": 0.5, "c": 0.1, "d": 0.05}

    first_falls = attribution_ndcg(baseline, {"a": 0.1, "b": 0.9, "c": 0.8, "d": 0.05})
    last_two_change = attribution_ndcg(baseline, {"a": 0.9, "b": 0.8, "c": 0.1, "d": 0.2})

    assert first_falls < last_two_change < 1.0


def test_ndcg_of_other_features_or_of_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ContractViolationError, match="b, c"):
        attribution_ndcg({"a": 1.0, "b": 2.0}, {"a": 1.0, "c": 2.0})
    with pytest.raises(InvalidInputError, match="not finite"):
        attribution_ndcg({"a": 1.0}, {"a": float("nan")})
    with pytest.raises(InvalidInputError, match="no feature"):
        attribution_ndcg({}, {})
