from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.regression.plans import PLAN
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.rows import features_of, format_cells, labelled_row
from watchkeeper.telemetry.payloads import csv_records

numbers = st.floats(-1e30, 1e30)
categories = st.text(
    st.characters(exclude_categories=["C", "Z"], include_characters=" ,\"'"), min_size=1, max_size=40
).filter(lambda text: text.strip() == text)


@given(numbers, categories)
def test_a_row_reads_back_as_it_was_written(number: float, category: str) -> None:
    assert features_of(next(csv_records([format_cells([number, category])])), PLAN) == (number, category)


def test_numbers_may_be_text_and_categories_whole_numbers() -> None:
    assert labelled_row({"force": " 1.5 ", "line": 7, "wear": "2", "more": 1}, PLAN) == (2.0, (1.5, "7"))


@pytest.mark.parametrize(
    ("fields", "reason", "said"),
    [
        ({"force": 1, "line": "a"}, "missing_value", "column 'wear' is empty"),
        ({"force": "", "line": "a", "wear": 1}, "missing_value", "column 'force' is empty"),
        ({"force": "x", "line": "a", "wear": 1}, "not_a_number", "column 'force': 'x' is not a number"),
        ({"force": float("inf"), "line": "a", "wear": 1}, "not_finite", "column 'force'"),
        ({"force": 1, "line": " ", "wear": 1}, "missing_value", "column 'line' is empty"),
        ({"force": 1, "line": 1.5, "wear": 1}, "bad_category", "column 'line'"),
        ({"force": 1, "line": "a\nb", "wear": 1}, "bad_category", "printable"),
    ],
)
def test_a_row_that_does_not_parse_is_refused_with_its_column(
    fields: dict[str, object], reason: str, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said) as refused:
        labelled_row(fields, PLAN)
    assert refused.value.reason == reason


def test_a_request_of_another_width_is_told_the_columns() -> None:
    with pytest.raises(InvalidInputError, match="3 cells, the model takes 2: force,line"):
        features_of(["1", "a", "2"], PLAN)
