from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.payloads import Instance
from watchkeeper.telemetry.rows import NUMBER_WORDS, Row, format_row, parse_rows, rows_of
from watchkeeper.telemetry.series import SeriesKey

UTC = timezone.utc
NUMBERS = st.floats(-1e30, 1e30)
KEYS = st.builds(
    lambda measure, value: str(SeriesKey(measure, (("hall", value),))),
    st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True).filter(lambda name: name not in NUMBER_WORDS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
)
ROWS = st.builds(
    Row,
    st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),
    st.none() | KEYS,
    NUMBERS,
    st.lists(NUMBERS, max_size=5).map(tuple),
)


@given(ROWS)
def test_rows_survive_writing_and_reading(row: Row) -> None:
    assert list(parse_rows([format_row(row)])) == [row]


def test_reads_a_row_with_a_space_after_the_comma() -> None:
    assert list(parse_rows(["2013-12-02 21:15:00, 75"])) == [
        Row(datetime(2013, 12, 2, 21, 15, tzinfo=UTC), None, 75.0)
    ]


def test_cells_may_be_quoted() -> None:
    quoted = ['"2013-12-02 21:15:00","co|hall=a","2.5", "2.4"']

    assert list(parse_rows(quoted)) == list(parse_rows(["2013-12-02 21:15:00,co|hall=a,2.5,2.4"]))


def test_a_quote_that_is_not_closed_is_refused_with_its_record() -> None:
    with pytest.raises(InvalidInputError, match=r"^record 2: not CSV: a quote is opened and not closed"):
        list(parse_rows(["2013-12-02 21:15:00,75", '"2013-12-02 21:20:00,76', "2013-12-02 21:25:00,77"]))


def test_a_records_cells_and_its_object_are_the_same_row() -> None:
    cells = ["2013-12-02T21:15:00Z", "co|hall=a", 2.5, 2.4]
    fields = {"timestamp": cells[0], "series": cells[1], "value": cells[2], "lags": cells[3:]}

    (row,) = set(rows_of([cells, fields, list(map(str, cells))]))

    assert (row.series, row.value, row.lags) == ("co|hall=a", 2.5, (2.4,))


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        ({"timestamp": "2013-12-02"}, "no field 'value'; a record has lags, series, timestamp, value"),
        ({"timestamp": "2013-12-02", "value": 1, "unit": "K"}, "unknown field 'unit'"),
        (["2013-12-02", True], "True is neither a number nor text"),
        ({"timestamp": "2013-12-02", "value": None}, "None is neither a number nor text"),
    ],
)
def test_a_record_that_is_no_row_is_refused_with_its_number(instance: Instance, said: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^record 2: {said}"):
        rows_of([["2013-12-02", 1], instance])


def test_values_alone_are_rows_where_the_model_needs_no_time() -> None:
    volumes = ["123412", "465125"]
    expected = [("123412",), {"value": 465125}, {"value": 3, "lags": [2, 1]}]

    assert [row.value for row in rows_of([[volume] for volume in volumes], needs_time=False)] == [
        123412,
        465125,
    ]
    assert [(row.value, row.lags) for row in rows_of(expected, needs_time=False)] == [
        (123412, ()),
        (465125, ()),
        (3, (2, 1)),
    ]
    with pytest.raises(InvalidInputError, match=r"^record 1: expected timestamp,value"):
        rows_of([["123412"]])


@pytest.mark.parametrize("needs_time", [True, False])
def test_numbers_with_spaces_between_are_refused_with_what_separates_records(needs_time: bool) -> None:
    with pytest.raises(InvalidInputError, match=r"'123412 465125' is several .* separated by newlines"):
        rows_of([["123412 465125"]], needs_time=needs_time)


def test_a_second_cell_that_is_no_number_is_the_series() -> None:
    (row,) = parse_rows(["2013-12-02T21:15:00Z,co|hall=a,2.5,2.4\r\n"])

    assert (row.series, row.value, row.lags) == ("co|hall=a", 2.5, (2.4,))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty_row"),
        ("   \n", "empty_row"),
        ("75", "wrong_width"),
        ("2013-12-02T21:15:00Z,75,74,73,72", "wrong_width"),
        ("noon,75", "bad_timestamp"),
        ("2013-12-02T21:15:00Z,", "not_a_number"),
        ("2013-12-02T21:15:00Z,,75", "not_a_number"),
        ("2013-12-02T21:15:00Z,co", "not_a_number"),
        ("2013-12-02T21:15:00Z,co|hall=a,high", "not_a_number"),
        ("2013-12-02T21:15:00Z,75,low", "not_a_number"),
        ("2013-12-02T21:15:00Z,NaN", "not_finite"),
        ("2013-12-02T21:15:00Z,nan,75", "not_finite"),
        ("2013-12-02T21:15:00Z,75,inf", "not_finite"),
        ("2013-12-02T21:15:00Z,1e99", "out_of_range"),
        ("2013-12-02T21:15:00Z,co|hall,75", "bad_series"),
    ],
)
def test_says_which_record_is_wrong_and_why(line: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^record 3: ") as refused:
        list(parse_rows(["2013-12-02,1", "2013-12-03,1", line], max_lags=2))

    assert refused.value.reason == reason


def test_counts_the_records_of_a_request_from_one() -> None:
    with pytest.raises(InvalidInputError, match=r"^record 2: value: 'nan' is not finite; leave the cell"):
        list(parse_rows(["2013-12-02 21:15:00, 75", "2013-12-02 21:20:00, nan"]))


def test_absent_lags_are_the_oldest_known_value() -> None:
    instant = datetime(2013, 12, 2, tzinfo=UTC)

    assert Row(instant, None, 5.0).filled(2) == (5.0, 5.0)
    assert Row(instant, None, 5.0, (4.0, 3.0)).filled(4) == (4.0, 3.0, 3.0, 3.0)
    assert Row(instant, None, 5.0, (4.0, 3.0)).filled(1) == (4.0,)
