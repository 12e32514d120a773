"""The persistence rule against its definition, and after gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.tabular.persist_rule import PersistRule, begins_of, differences

SERIES = np.random.default_rng(4).normal(size=(300, 1))


def by_definition(rows, before, begins, window):
    """Row by row, the median of what is before it since the last beginning."""
    joined = np.concatenate((before, rows))
    found = []
    for row in range(len(rows)):
        begin = max(each for each in begins if each <= row)
        first = 0 if begin == 0 else begin + len(before)
        place = row + len(before)
        earlier = joined[max(place - window, first) : place]
        found.append(rows[row] - (np.median(earlier, axis=0) if len(earlier) else rows[row]))
    return np.array(found)


@given(
    n_rows=st.integers(1, 60),
    n_columns=st.integers(1, 3),
    n_before=st.integers(0, 8),
    window=st.integers(1, 8),
    begins=st.sets(st.integers(1, 59)),
    seed=st.integers(0, 99),
)
@settings(max_examples=150)
def test_differences_are_from_the_median_of_the_rows_before_since_the_last_gap(
    n_rows, n_columns, n_before, window, begins, seed
):
    generator = np.random.default_rng(seed)
    rows = np.round(generator.normal(size=(n_rows, n_columns)), 1)
    before = generator.normal(size=(min(n_before, window), n_columns))
    starts = np.array([0, *sorted(each for each in begins if each < n_rows)])
    np.testing.assert_array_equal(
        differences(rows, before, starts, window), by_definition(rows, before, starts, window)
    )


def test_regular_times_change_nothing():
    without, with_times = PersistRule(), PersistRule()
    np.testing.assert_array_equal(
        with_times.fit_scores(SERIES, np.arange(300) * 60.0), without.fit_scores(SERIES)
    )
    assert with_times.to_bytes() == without.to_bytes()


def test_scores_of_the_fit_are_those_of_the_rows_as_new_ones():
    rule = PersistRule()
    scores = rule.fit_scores(np.where(np.arange(300)[:, np.newaxis] % 50 == 3, np.nan, SERIES))
    rule.before_ = rule.before_[:0]
    np.testing.assert_array_equal(
        scores, rule.raw_scores(np.where(np.arange(300)[:, np.newaxis] % 50 == 3, np.nan, SERIES))
    )


@pytest.mark.parametrize(("missing_steps", "begins_anew"), [(11, False), (12, True)])
@pytest.mark.parametrize("absent", [True, False])
def test_a_level_after_a_gap_longer_than_the_window_is_no_anomaly(missing_steps, begins_anew, absent):
    values = SERIES[:, 0] * 0.01
    values[100:] += 30.0
    times = np.arange(300) * 60.0
    missing = slice(100, 100 + missing_steps)
    if absent:  # or empty cells, which are the same to the rule
        values, times = np.delete(values, missing), np.delete(times, missing)
    else:
        values[missing] = np.nan
    rule = PersistRule()
    first = 100 if absent else 100 + missing_steps
    assert (rule.fit_scores(values, times)[first] <= rule.threshold_) == begins_anew


def test_the_longest_gap_is_a_parameter():
    times = np.array([0.0, 60, 120, 180, 180, 480, 540])
    assert begins_of(times, 5).tolist() == [0]
    assert begins_of(times, 4).tolist() == [0, 5]
    assert begins_of(np.zeros(4), 4).tolist() == [0]
    rule = PersistRule(max_gap=1)
    rule.fit_scores(np.arange(7.0), times)
    assert rule.before_[:, 0].tolist() == [5.0, 6.0]


def test_times_of_other_rows_are_refused():
    with pytest.raises(InvalidInputError, match="3 times of 300 rows"):
        PersistRule().fit_scores(SERIES, np.arange(3.0))
