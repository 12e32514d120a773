"""Feature and label files, as users bring them."""

import gzip
import time

import numpy as np
import pandas as pd
import pytest

from containers.service.labels import read_labels
from containers.service.predictions import PredictionsFile
from containers.service.tables import read_parts, read_table
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.telemetry import decoding


@pytest.fixture
def write(tmp_path):
    def put(text, name="features.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return put


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("a,b\n1,2\n3,4\n", ("a", "b"), [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", ("column_1", "column_2"), [[1, 2], [3, 4]]),
        ("a;b\n1;2\n", ("a", "b"), [[1, 2]]),
        ("a\tb\r\n1\t2\r\n", ("a", "b"), [[1, 2]]),
        ("﻿a,b\n1,2\n", ("a", "b"), [[1, 2]]),
        (",0,1\n0,5,6\n1,7,8\n", ("0", "1"), [[5, 6], [7, 8]]),
        ("a\n1\n\n2\n", ("a",), [[1], [2]]),
        ("a,b\n1,\nNaN,4\n", ("a", "b"), [[1, np.nan], [np.nan, 4]]),
        ("a,b\n1e3, -2\nTrue,0\n", None, None),
        ('"temp, °C",b\n1,2\n', ("temp, °C", "b"), [[1, 2]]),
    ],
)
def test_reads_tables_of_many_shapes(write, text, columns, rows):
    if columns is None:
        with pytest.raises(InvalidInputError, match="'True' is not a finite number"):
            read_table(write(text))
        return
    table = read_table(write(text))
    assert table.columns == columns
    assert table.times is None
    np.testing.assert_array_equal(table.values, rows)


@pytest.mark.parametrize(
    "text",
    [
        "time,a\n2024-01-01 00:00:00,1\n2024-01-01 00:05:00,2\n",
        "2024-01-01T00:00:00Z,1\n2024-01-01T01:05:00+01:00,2\n",
        "timestamp,a\n1704067200,1\n1704067500,2\n",
        "ts,a\n1704067200000,1\n1704067500000,2\n",
    ],
)
def test_takes_a_first_column_of_times_for_the_time(write, text):
    table = read_table(write(text))
    assert table.times.tolist() == [1704067200.0, 1704067500.0]
    assert table.values.tolist() == [[1.0], [2.0]]


def test_takes_the_first_column_for_the_time_when_a_task_needs_one(write):
    path = write("stamp,a\n1704067200,5\n1704067500,6\n")
    assert read_table(path).columns == ("stamp", "a")
    timed = read_table(path, needs_time=True)
    assert (timed.columns, timed.times.tolist()) == (("a",), [1704067200.0, 1704067500.0])


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_numbers_are_times_in_the_unit_that_they_have(write, unit):
    path = write(f"ts,a\n{1704067200 * unit},5\n{1704067500 * unit},6\n")
    assert read_table(path).times.tolist() == [1704067200.0, 1704067500.0]


@pytest.mark.parametrize(
    "column",
    [
        [20.0 + 0.1 * (row % 40) for row in range(300)],  # of a measurement
        list(range(300)),  # rows that were counted
        [1704067200 + row % 3 for row in range(300)],  # nearly all the same
    ],
)
@pytest.mark.parametrize(("name", "needs_time"), [("temperature", True), ("time", False)])
def test_numbers_that_cannot_be_times_are_refused_as_the_time(write, column, name, needs_time):
    path = write(f"{name},load\n" + "".join(f"{cell},{row}\n" for row, cell in enumerate(column)))
    with pytest.raises(InvalidInputError, match=f"column '{name}' is no time") as refused:
        read_table(path, needs_time=needs_time)
    assert refused.value.reason == "bad_time"
    if name != "time":
        assert read_table(path).columns == ("temperature", "load")


def test_a_leap_second_is_a_time(write):
    table = read_table(write("time,a\n2016-12-31T23:59:59Z,1\n2016-12-31T23:59:60Z,2\n"))
    assert table.times.tolist() == [1483228799.0, 1483228800.0]


def test_a_row_that_is_too_short_is_refused_with_its_line(write):
    rows = "".join(f"{row},{row},{row}\n" for row in range(70_000))
    for text in (f"a,b,c\n{rows}1,2\n{rows}", f'a,"b",c\n{rows}1,2\n{rows}'):
        with pytest.raises(InvalidInputError, match="line 70002: 2 cells, the header has 3 columns"):
            read_table(write(text))


def test_lines_are_counted_with_empty_ones_and_cells_of_several_lines(write):
    with pytest.raises(InvalidInputError, match=r"column 'b', row 1 \(line 8 of the file\): 'x'"):
        read_table(write('\nsep=;\n"a\na";b\n\n1;2\n\n3;x\n'))


def test_a_quote_that_is_not_closed_is_refused_with_its_line(write):
    rows = "1,2\n" * 600
    for bad in ('"3,4\n', '3,"4\n'):
        with pytest.raises(InvalidInputError, match="quote opened in line 602 is not closed") as refused:
            read_table(write(f"a,b\n{rows}{bad}{rows}"))
        assert refused.value.reason == "unclosed_quote"
    with pytest.raises(InvalidInputError, match=r"quote opened in line 602|a quote that is opened here"):
        read_table(write(f'a,b\n{rows}3,"4\n{rows}3,4"\n'))


def test_wide_tables_have_a_limit_and_are_checked_in_a_moment(write):
    def wide(columns):
        return write(
            ",".join(f"c{number}" for number in range(columns)) + "\n" + ",".join("1" * columns) + "\n"
        )

    started = time.process_time()
    assert len(read_table(wide(10_000)).columns) == 10_000
    with pytest.raises(InvalidInputError, match="40,000 columns, 10,000 are allowed"):
        read_table(wide(40_000))
    assert time.process_time() - started < 10


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_UNPACKED_BYTES", 2_000_000)
    pd.DataFrame({"a": np.zeros(300_000), "b": np.zeros(300_000)}).to_parquet(tmp_path / "bomb.parquet")
    (tmp_path / "bomb.csv").write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 600_000))
    for name in ("bomb.parquet", "bomb.csv"):
        with pytest.raises(InvalidInputError, match="unpacks to more than") as refused:
            read_table(tmp_path / name)
        assert refused.value.reason == "too_large"


def test_a_decimal_comma_is_told(write):
    with pytest.raises(
        InvalidInputError,
        match='\'1,5\' is not a finite number; if the comma is its decimal sign, send "decimal": ","',
    ):
        read_table(write("a;b\n1,5;2\n"))


def test_numbers_with_a_decimal_comma_are_read_where_it_is_said(write):
    path = write("time;a;b\n2024-01-01;1,5;1.234,5\n2024-01-02;1.5;\n2024-01-03;NA;-3\n")
    table = read_table(path, Dialect(decimal=","))

    assert table.columns == ("a", "b")
    np.testing.assert_array_equal(table.values, [[1.5, 1234.5], [1.5, np.nan], [np.nan, -3.0]])
    assert table.times is not None
    with pytest.raises(InvalidInputError, match=r"column 'a', row 1 \(line 3 of the file\): 'high'"):
        read_table(write("a;b\n1,5;2\nhigh;2\n"), Dialect(decimal=","))


def test_numbers_since_1970_are_times_in_json_too(write):
    lines = "".join(f'{{"time": {1704067200000 + 1000 * row}, "a": {row}}}\n' for row in range(3))

    assert read_table(write(lines)).times.tolist() == [1704067200.0, 1704067201.0, 1704067202.0]


def test_one_list_of_missing_values(write):
    table = read_table(write("a,b\n1,2\n NULL ,nat\nn/a,#n/a\nNone,-nan\n"))
    assert np.isnan(table.values[1:]).all()


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n".encode("utf-16"),
        gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0),
        b"a,b\r1,2\r3,4\r",
        b"sep=;\na;b\n1;2\n3;4\n",
        b"a|b\n1|2\n3|4\n",
        b'[{"a": 1, "b": 2}, {"a": 3, "b": 4}]',
        b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n',
    ],
)
def test_a_file_is_what_its_content_is(tmp_path, content):
    (tmp_path / "features.csv").write_bytes(content)
    table = read_table(tmp_path / "features.csv")
    assert table.columns == ("a", "b")
    assert table.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("text", "reason", "message"),
    [
        (
            "a,b\n1,2\n3,x4\n",
            "non_numeric_value",
            "column 'b', row 1 (line 3 of the file): 'x4' is not a finite",
        ),
        ("1,2\n3,?\n", "non_numeric_value", "column 'column_2', row 1 (line 2 of the file): '?'"),
        ("a\n1\ninf\n", "non_numeric_value", "column 'a', row 1 (line 3 of the file): 'inf'"),
        (
            "time,a\n2024-01-01,1\nyesterday,2\n",
            "bad_time",
            "column 'time', row 1 (line 3 of the file): 'yesterday'",
        ),
        ("time,a\n2024-01-01,1\n,2\n", "bad_time", "row 1"),
        ("", "empty_file", "is empty"),
        ("a,b\n", "empty_file", "has no rows"),
        ("time\n2024-01-01\n", "no_columns", "no numeric column beside the time"),
        ("a,a\n1,2\n", "bad_header", "2 columns are named 'a'"),
        ("a,b\n1,2\n1,2,3\n", "unreadable_file", "line 3: 3 cells, the header has 2 columns"),
    ],
)
def test_refuses_what_is_no_table_and_says_where(write, text, reason, message):
    with pytest.raises(InvalidInputError) as refused:
        read_table(write(text))
    assert refused.value.reason == reason
    assert message in str(refused.value)


def test_refuses_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "features.csv"
    path.write_bytes(b"a,b\n1,\xff\xfe\n")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        read_table(path)


def test_names_the_row_of_a_later_part(write):
    text = "a\n" + "".join(f"{row}\n" for row in range(25)) + "bad\n"
    with pytest.raises(InvalidInputError, match=r"row 25 \(line 27"):
        list(read_parts(write(text), rows=10))


def test_parts_joined_are_the_table(write):
    path = write("time,a,b\n" + "".join(f"2024-01-01T00:00:{s:02},{s},{s * s}\n" for s in range(60)))
    parts = list(read_parts(path, rows=7))
    whole = read_table(path)
    assert [part.first_row for part in parts] == list(range(0, 60, 7))
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), whole.values)
    np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), whole.times)


def test_a_parquet_file_reads_as_the_csv_file_of_the_same_rows(tmp_path):
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=100, freq="min", tz="UTC"),
            "a": np.arange(100),
            "b": [None, *np.linspace(0, 1, 99)],
            "c": np.arange(100) % 2 == 0,
        }
    )
    frame.to_parquet(tmp_path / "features.parquet", row_group_size=30)
    frame.assign(c=frame.c.astype(int)).to_csv(tmp_path / "features.csv", index=False)
    binary, text = (read_table(tmp_path / f"features.{kind}") for kind in ("parquet", "csv"))
    assert binary.columns == text.columns == ("a", "b", "c")
    np.testing.assert_array_equal(binary.values, text.values)
    np.testing.assert_array_equal(binary.times, text.times)


def test_names_the_text_in_a_parquet_file(tmp_path):
    pd.DataFrame({"a": [1.0, 2.0], "b": ["3", "four"]}).to_parquet(tmp_path / "features.parquet")
    with pytest.raises(InvalidInputError, match="column 'b', row 1"):
        read_table(tmp_path / "features.parquet")
    (tmp_path / "other.parquet").write_bytes(b"PAR1?")
    with pytest.raises(InvalidInputError, match="damaged Parquet"):
        read_table(tmp_path / "other.parquet")


@pytest.mark.parametrize(
    "text",
    [
        "label\n0\n1\n",
        "0\n1\n",
        "time,label\n2024-01-01,0\n2024-01-02,1\n",
        "id,anomaly\n7,0\n8,1\n",
        "y\nFalse\nTrue\n",
    ],
)
def test_reads_labels(write, text):
    assert read_labels(write(text, "labels.csv"), 2).tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\n0\n1\n1\n", "has 3 labels, the features have 2 rows"),
        ("label\n0\n2\n", "row 1 has the label 2; allowed are 1 for an anomaly and 0"),
        ("label\n0\n\n-1\n", "row 1 has the label -1"),
        ("a,b\n0,1\n0,1\n", "columns a, b: give one column, or name one of them label"),
        ("label\n0\nyes\n", "'yes' is not a finite number"),
    ],
)
def test_refuses_what_are_no_labels(write, text, message):
    with pytest.raises(InvalidInputError, match=message):
        read_labels(write(text, "labels.csv"), 2)


def test_a_name_that_is_a_formula_comes_back_inert(tmp_path):
    with PredictionsFile(tmp_path / "predictions.csv", ["=cmd()", "load", "-1"]):
        pass
    header = (tmp_path / "predictions.csv").read_text().strip().split(",")
    assert header[4::3] == ["'=cmd()_label", "load_label", "'-1_label"]
