"""Columns on disk."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.service.column_file import ColumnFile


@given(
    parts=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    n_columns=st.integers(1, 5),
    seed=st.integers(0, 99),
)
@settings(max_examples=50)
def test_what_was_written_by_rows_is_read_by_columns_and_the_other_way_round(
    tmp_path_factory, parts, n_columns, seed
):
    folder = tmp_path_factory.mktemp("columns")
    table = np.random.default_rng(seed).normal(size=(sum(parts), n_columns))
    bounds = np.cumsum([0, *parts])
    with ColumnFile(folder / "a", np.float64) as by_rows, ColumnFile(folder / "b", np.float64) as by_columns:
        for start, end in pairwise(bounds):
            by_rows.add_rows(table[start:end])
        for column in by_rows.columns():
            by_columns.add_column(column)
        assert (by_columns.n_rows, by_columns.n_columns) == table.shape
        np.testing.assert_array_equal(np.column_stack(list(by_rows.columns())), table)
        for start, end in pairwise(bounds):
            np.testing.assert_array_equal(by_columns.rows(start, end), table[start:end])
    assert not list(folder.iterdir())
