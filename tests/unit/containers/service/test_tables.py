"""Feature and label files, as users bring them."""

import numpy as np
import pandas as pd
import pytest

from containers.service.labels import read_labels
from containers.service.tables import read_parts, read_table
from watchkeeper.core.errors import InvalidInputError


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
    path = write("step,a\n1,5\n2,6\n")
    assert read_table(path).columns == ("step", "a")
    timed = read_table(path, needs_time=True)
    assert (timed.columns, timed.times.tolist()) == (("a",), [1.0, 2.0])


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
        ("a,a\n1,2\n", "bad_header", "column 'a' is there twice"),
        ("a,b\n1,2\n1,2,3\n", "unreadable_file", "2 columns in every line"),
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
    (tmp_path / "other.parquet").write_bytes(b"PAR?")
    with pytest.raises(InvalidInputError, match="not a Parquet file"):
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
        ("label\n0\n2\n", "row 1: the label is 2; allowed are 1 for an anomaly and 0"),
        ("label\n0\n\n-1\n", "row 1: the label is -1"),
        ("a,b\n0,1\n0,1\n", "columns a, b: give one column, or name one of them label"),
        ("label\n0\nyes\n", "'yes' is not a finite number"),
    ],
)
def test_refuses_what_are_no_labels(write, text, message):
    with pytest.raises(InvalidInputError, match=message):
        read_labels(write(text, "labels.csv"), 2)
