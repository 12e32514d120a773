"""Bias metrics against tables worked out by hand, and their ranges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.explain.measures.bias import POST_TRAINING, PRE_TRAINING, above, measure_bias
from containers.explain.measures.bias_sample import BiasSample
from watchkeeper.core.errors import InvalidInputError


def rows(*counts: tuple[int, bool, bool, bool]) -> BiasSample:
    """Build a sample of (number of rows, in group d, favourable label, favourable prediction)."""
    table = np.repeat([count[1:] for count in counts], [count[0] for count in counts], axis=0)
    return BiasSample(table[:, 0], table[:, 1], table[:, 2])


# Group a: 100 rows; TP 65, FP 10, FN 5, TN 20. Group d: 50 rows; TP 20, FP 5, FN 7, TN 18.
LOANS = rows(
    *((65, False, True, True), (10, False, False, True), (5, False, True, False), (20, False, False, False)),
    *((20, True, True, True), (5, True, False, True), (7, True, True, False), (18, True, False, False)),
)


def value(name: str, sample: BiasSample = LOANS) -> float:
    kinds = PRE_TRAINING if name in PRE_TRAINING else POST_TRAINING
    (metric,) = measure_bias(sample, kinds, [name])
    assert metric.error is None, metric.error
    assert metric.value is not None
    return metric.value


def error(name: str, sample: BiasSample) -> str:
    kinds = PRE_TRAINING if name in PRE_TRAINING else POST_TRAINING
    (metric,) = measure_bias(sample, kinds, [name])
    assert metric.value is None
    return str(metric.error)


PA, PD = np.array([0.30, 0.70]), np.array([0.46, 0.54])  # unfavourable and favourable labels: 30, 70; 23, 27
MEAN = (PA + PD) / 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CI", (100 - 50) / 150),
        ("DPL", 70 / 100 - 27 / 50),
        ("KL", 0.30 * math.log(0.30 / 0.46) + 0.70 * math.log(0.70 / 0.54)),
        ("JS", float((PA * np.log(PA / MEAN)).sum() + (PD * np.log(PD / MEAN)).sum()) / 2),
        ("LP", math.hypot(0.16, 0.16)),
        ("TVD", 0.16),
        ("KS", 0.16),
        ("DPPL", 75 / 100 - 25 / 50),
        ("DI", (25 / 50) / (75 / 100)),
        ("DCA", 70 / 75 - 27 / 25),
        ("DCR", 23 / 25 - 30 / 25),
        ("RD", 65 / 70 - 20 / 27),
        ("SD", 18 / 23 - 20 / 30),
        ("DAR", 65 / 75 - 20 / 25),
        ("DRR", 18 / 25 - 20 / 25),
        ("AD", 85 / 100 - 38 / 50),
        ("TE", 7 / 5 - 5 / 10),
    ],
)
def test_metric_is_the_one_worked_out_by_hand(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected, abs=1e-12)


def test_developer_guides_own_examples() -> None:
    acceptance = rows(
        *((60, False, True, True), (10, False, True, False), (30, False, False, False)),
        *((20, True, True, True), (10, True, False, True), (20, True, False, False)),
    )
    assert value("DCA", acceptance) == pytest.approx(0.5)  # 70/60 - 20/30
    assert value("SD") == pytest.approx(0.1159, abs=5e-5)


def test_generalized_entropy_is_half_the_squared_coefficient_of_variation_of_the_benefits() -> None:
    benefits = np.repeat([2.0, 0.0, 1.0], [15, 12, 123])  # wrongly favourable, wrongly unfavourable, right

    assert value("GE") == pytest.approx(benefits.var() / benefits.mean() ** 2 / 2)


def test_conditional_disparity_vanishes_where_each_subgroup_treats_both_alike() -> None:
    # Berkeley's admissions in small: d applies to the harder department more often, and is not treated worse.
    sensitive = np.repeat([True, False, True, False], [80, 20, 20, 80])
    department = np.repeat(["hard", "hard", "easy", "easy"], [80, 20, 20, 80])
    admitted = np.concatenate([np.arange(80) < 16, np.arange(20) < 4, np.arange(20) < 16, np.arange(80) < 64])
    sample = BiasSample(sensitive, admitted, admitted, department)

    assert value("DPL", sample) == pytest.approx(0.36)
    assert value("CDDL", sample) == pytest.approx(0.0)
    assert value("CDDPL", sample) == pytest.approx(0.0)


def test_conditional_disparity_is_weighted_by_the_subgroups_rows() -> None:
    sensitive = np.array([True, True, False, False, True, False])
    labels = np.array([False, True, True, True, False, True])
    group = np.array([1, 1, 1, 1, 2, 2])
    # group 1: rejected d 1/1, accepted d 1/3; group 2: rejected 1/1, accepted 0/1
    assert value("CDDL", BiasSample(sensitive, labels, None, group)) == pytest.approx(
        (4 * (1 - 1 / 3) + 2 * 1.0) / 6
    )


def test_flip_test_counts_rows_whose_nearest_rows_of_the_other_group_are_treated_otherwise() -> None:
    # Up to 5: unfavourable in a; above: favourable. d gets its favourable prediction only above 10.
    a, d = np.arange(0.0, 20.0), np.array([2.0, 7.1, 8.1, 15.0])
    features = np.concatenate([a, d])[:, None]
    sensitive = np.repeat([False, True], [20, 4])
    predicted = np.concatenate([a > 5, d > 10])

    assert value("FT", BiasSample(sensitive, predicted, predicted, features=features)) == pytest.approx(0.5)
    assert value("FT", BiasSample(~sensitive, predicted, predicted, features=features)) < 0.0


def test_metric_that_cannot_be_computed_says_why() -> None:
    nobody = rows((3, False, False, False), (3, True, False, False))

    assert error("CDDL", LOANS) == "group_variable is not configured"
    assert error("FT", LOANS) == "the flip test needs the features"
    assert error("DI", nobody) == "no prediction is favourable in either group"
    assert error("RD", nobody) == "a group has no favourable label"
    assert error("TE", nobody) == "a group has no wrong prediction"
    all_missed = rows((3, False, True, False), (3, True, True, False))
    assert error("GE", all_missed) == "every prediction is a false negative"


def test_division_of_something_by_nothing_is_infinite() -> None:
    sample = rows((5, False, False, False), (4, True, True, True), (1, True, True, False))

    assert value("DI", sample) == math.inf
    assert value("KL", rows((5, False, True, True), (5, True, False, True))) == math.inf


def test_all_leaves_out_what_needs_a_group_variable_that_is_not_configured() -> None:
    assert [metric.name for metric in measure_bias(LOANS, PRE_TRAINING)] == [
        *("CI", "DPL", "JS", "KL", "KS", "LP", "TVD")
    ]
    assert [metric.name for metric in measure_bias(LOANS, POST_TRAINING, ["RD", "AD", "RD"])] == ["AD", "RD"]


def test_unknown_metric_and_groups_without_rows_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'XY' is not known; use all, or some of CDDL, CI"):
        measure_bias(LOANS, PRE_TRAINING, ["XY"])
    flags = np.array([True, False])
    with pytest.raises(InvalidInputError, match="need predictions"):
        measure_bias(BiasSample(flags, flags), POST_TRAINING)
    with pytest.raises(InvalidInputError, match="no row is in the sensitive group"):
        BiasSample(np.array([False, False]), flags)
    with pytest.raises(InvalidInputError, match="every row is in the sensitive group"):
        BiasSample(np.array([True, True]), flags)
    with pytest.raises(InvalidInputError, match="differ in length"):
        BiasSample(np.array([True]), flags)


def test_threshold_itself_is_not_above_it() -> None:
    assert above(np.array([9.0, 10.0, 10.5]), 10.0).tolist() == [False, False, True]


RANGES = {
    **dict.fromkeys(
        ("CDDL", "CI", "DPL", "AD", "CDDPL", "DAR", "DPPL", "DRR", "RD", "SD", "FT"), (-1.0, 1.0)
    ),
    **dict.fromkeys(("KS", "TVD"), (0.0, 1.0)),
    **dict.fromkeys(("KL", "DI", "GE"), (0.0, math.inf)),
    "JS": (0.0, math.log(2.0)),
    "LP": (0.0, math.sqrt(2.0)),
    **dict.fromkeys(("DCA", "DCR", "TE"), (-math.inf, math.inf)),
}


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2), st.floats(-9.0, 9.0)),
        min_size=2,
        max_size=60,
    )
)
def test_values_are_in_their_ranges_and_swap_sign_with_the_groups(
    table: list[tuple[bool, bool, bool, int, float]],
) -> None:
    sensitive, labelled, predicted, group, feature = map(np.array, zip(*table, strict=True))
    if sensitive.all() or not sensitive.any():
        sensitive = np.arange(len(table)) == 0

    def metrics(members: np.ndarray) -> dict[str, float | None]:
        sample = BiasSample(members, labelled, predicted, group, feature[:, None])
        found = [*measure_bias(sample, PRE_TRAINING), *measure_bias(sample, POST_TRAINING)]
        return {metric.name: metric.value for metric in found}

    found, swapped = metrics(sensitive), metrics(~sensitive)

    assert found.keys() == RANGES.keys()
    for name, number in found.items():
        low, high = RANGES[name]
        assert number is None or low - 1e-12 <= number <= high + 1e-12, name
    for name in ("CI", "DPL", "AD", "DAR", "DCA", "DCR", "DPPL", "DRR", "RD", "SD", "TE"):
        one, other = found[name], swapped[name]
        assert one == other is None or one == pytest.approx(-other), name  # type: ignore[operator]
