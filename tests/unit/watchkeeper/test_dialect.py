from __future__ import annotations

import csv
import gzip
import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.telemetry import decoding
from watchkeeper.telemetry.csv_rows import found_delimiter
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.dialect import TableFile
from watchkeeper.telemetry.parquet import ParquetRows

CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=8
)


def table(content: bytes, name: str = "a.csv", dialect: Dialect | None = None) -> TableFile:
    return TableFile(io.BytesIO(content), name, dialect or Dialect())


def fields(content: bytes, name: str = "a.csv", dialect: Dialect | None = None) -> list[object]:
    return [
        found.reason if isinstance(found, InvalidInputError) else found
        for _, _, found in table(content, name, dialect).records()
    ]


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["a,b\n", "1,2\n"], ","),
        (["a;b\n", "1,5;2,5\n"], ";"),
        (["a\tb\n"], "\t"),
        (["time;temp, outside\n", "2024;1,5\n"], ";"),
        (["timestamp,co|location=hall 1\n", "2024,5\n"], ","),
        (['"a;b;c",d\n', "1,2\n"], ","),
        (["value\n", "1\n"], ","),
        ([], ","),
    ],
)
def test_finds_the_delimiter_that_header_and_rows_agree_on(lines: list[str], delimiter: str) -> None:
    assert found_delimiter(lines) == delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_reads_every_dialect_alike(delimiter: str, line_break: str, encoding: str) -> None:
    lines = [["time", f"place{delimiter} or\nnot"], ["2024", 'a"b'], [], ["2025", f"x{delimiter}y\n\nz"]]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_break).writerows(lines)

    content = text.getvalue().encode(encoding)

    header = lines[0]
    expected = [dict(zip(header, row, strict=True)) for row in lines[1:] if row]
    assert fields(content) == expected
    assert fields(gzip.compress(content), "a.bin") == expected
    (chunk,) = table(content).chunks()
    assert [dict(zip(chunk.header, row, strict=True)) for row in chunk.rows] == expected


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_reads_back_what_the_standard_library_writes(rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("first", "second"), *rows])

    read = fields(text.getvalue().encode())

    assert [tuple(found.values()) for found in read if isinstance(found, dict)] == rows


def test_a_line_may_say_the_delimiter_and_is_not_the_header() -> None:
    content = b"sep=;\ntime;value\n2024;1\n2025\n"

    assert [(number, text) for number, text, _ in table(content).records()] == [(3, "2024;1"), (4, "2025")]
    assert fields(content) == [{"time": "2024", "value": "1"}, "wrong_width"]


def test_a_decimal_comma_is_read_where_it_is_said() -> None:
    content = b"time;value;text\n2024;1,5;a,b\n"

    assert fields(content, dialect=Dialect(decimal=",")) == [{"time": "2024", "value": "1.5", "text": "a,b"}]
    assert fields(content) == [{"time": "2024", "value": "1,5", "text": "a,b"}]


@pytest.mark.parametrize(
    ("rest", "line"),
    [
        ('"2024-01-03,3\n2024-01-04,4\n', 4),
        ('"2024-01-03,3\n2024-01-04,4\n2024-01-05,5\n2024-01-06,"6"\n2024-01-07,7\n', 4),
        ('"2024-01-03,3\n2024-01-04,4\n2024-01-05,5\n2024-01-06,6",7\n', 4),
        ("2024-01-03,3\n" * 30_000 + '2024-01-04,"4\n' + "2024-01-05,5\n" * 30_000, 30_004),
        ('2024-01-03,"3', 4),
    ],
)
def test_a_quote_that_is_not_closed_refuses_the_file_and_names_its_line(rest: str, line: int) -> None:
    content = f"time,value\n2024-01-01,1\n2024-01-02,2\n{rest}".encode()

    for read in (lambda: list(table(content).records()), lambda: list(table(content).chunks())):
        with pytest.raises(InvalidInputError, match=f"quote opened in line {line} is not closed") as refused:
            read()
        assert refused.value.reason == "unclosed_quote"


def test_a_text_of_several_lines_is_no_unclosed_quote() -> None:
    assert fields(b'time,note\n2024,"one\ntwo\nthree, or four\n"\n2025,x\n') == [
        {"time": "2024", "note": "one\ntwo\nthree, or four\n"},
        {"time": "2025", "note": "x"},
    ]


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (b"temp \xb0C,time\n1,2\n", "not_utf8", "byte 0xb0 in line 1), perhaps Latin-1"),
        (b"time,value\n2024,\x80\n", "not_utf8", "byte 0x80 in line 2), perhaps Windows-1252"),
        (b"PK\x03\x04rest", "unreadable_file", "Excel workbook"),
        ("a,b\n".encode("utf-32"), "unreadable_file", "UTF-32"),
        (b"BZh9", "unreadable_file", "bzip2"),
        (b"\x00\x01\x02\x00\x00\x00", "unreadable_file", "neither text nor Parquet"),
        (gzip.compress(b"a,b\n" * 100, mtime=0)[:-9], "corrupt_gzip", "damaged gzip"),
        (b"", "empty_file", "must name the columns"),
        (b" \n\n", "empty_file", "must name the columns"),
        (b"a,b,a\n1,2,3\n", "duplicate_column", "2 columns are named 'a'"),
        (b"PAR1 and no more", "unreadable_file", "damaged Parquet"),
        (b"[[1, 2]]", "not_json", "got an array"),
        (b'[{"a": 1}, {"a": ', "not_json", "cut off"),
        (b'{\n "a": 1\n}\n', "not_json", "one JSON document over several lines"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(content: bytes, reason: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        list(table(content, "press.csv").chunks())

    assert refused.value.reason == reason
    assert said in str(refused.value)
    assert str(refused.value).startswith("press.csv")
    assert len(str(refused.value)) < 300


def test_json_is_told_by_its_content_whatever_its_name() -> None:
    expected = [{"a": 1, "b": "x"}, {"a": 2}]
    lines = b'{"a": 1, "b": "x"}\n\n{"a": 2}\n'

    assert fields(lines, "a.csv") == expected
    assert fields(b'[{"a": 1, "b": "x"},\n{"a": 2}]', "a.csv") == expected
    (chunk,) = table(lines).chunks()
    assert (chunk.header, chunk.rows) == (["a", "b"], [["1", "x"], ["2", ""]])


def test_records_of_an_array_know_their_lines() -> None:
    content = b'[\n{"a": 1},\n{"a":\n 2}, 7,\n\n{"a": 3}\n]\n'

    assert [
        (line, found if isinstance(found, dict) else found.reason)
        for line, _, found in table(content).records()
    ] == [
        (2, {"a": 1}),
        (3, {"a": 2}),
        (4, "not_json"),
        (6, {"a": 3}),
    ]


def test_a_header_of_brackets_is_csv() -> None:
    assert fields(b"[time],[value]\n1,2\n") == [{"[time]": "1", "[value]": "2"}]


def test_a_row_of_a_chunk_knows_its_line() -> None:
    content = b'time,note\n\n2024,"one\ntwo"\n\n2025,x\n'
    (chunk,) = table(content).chunks()

    assert [chunk.line(row) for row in range(len(chunk.rows))] == [3, 6]


def test_a_chunk_refuses_the_first_bad_row_by_its_line() -> None:
    with pytest.raises(InvalidInputError, match=r"a\.csv, line 4: 1 cells, the header has 2 columns"):
        list(table(b"a,b\n1,2\n\n3\n4,5\n").chunks())


def test_columns_of_a_file_without_a_header_line_are_given() -> None:
    with_header = TableFile(io.BytesIO(b"b,a\n1,2\n"), "x", headers=("a", "b"))
    without = TableFile(io.BytesIO(b"2,1\n"), "x", headers=("a", "b"))

    assert [found for *_, found in with_header.records()] == [found for *_, found in without.records()]


def test_a_wide_header_is_read_in_linear_time_and_named_in_a_few_words() -> None:
    wide = ",".join(f"column_{number}" for number in range(100_000)).encode()

    assert len(table(wide + b"\n").header or ()) == 100_000
    with pytest.raises(InvalidInputError, match=r"2 columns are named 'column_7'") as refused:
        table(wide + b",column_7\n")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no such file|a folder"):
        open_file(tmp_path / name)


def test_zstd_is_read_where_its_package_is_installed() -> None:
    zstandard = pytest.importorskip("zstandard")

    packed = zstandard.compress(b"a,b\n" + b"1,2\n" * 100_000)

    assert fields(packed + zstandard.compress(b"3,4\n"))[-2:] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    for damaged in (packed[:-5], packed[:40] + b"damaged" + packed[47:]):
        with pytest.raises(InvalidInputError, match="damaged zstd") as refused:
            fields(damaged)
        assert refused.value.reason == "corrupt_zstd"


def test_zstd_without_its_package_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)

    with pytest.raises(InvalidInputError, match="zstd: reading it needs zstandard"):
        fields(b"\x28\xb5\x2f\xfd\x00")


def test_parquet_reads_like_csv(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "table.bin"
    parquet.write_table(pyarrow.table({"a": [1, None], "b": ["x", "y"]}), path)

    def opened() -> TableFile:
        return TableFile(open_file(path), str(path))

    assert opened().header == ["a", "b"]
    assert [found for *_, found in opened().records()] == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    (chunk,) = opened().chunks()
    assert chunk.rows == [["1", "x"], ["", "y"]]


def test_a_small_parquet_of_a_huge_table_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow
    from pyarrow import parquet

    monkeypatch.setattr(decoding, "MAX_UNPACKED_BYTES", 1_000_000)
    for name, column in {
        "zeros": pyarrow.array([0.0] * 300_000),
        "letters": pyarrow.array(["x" * 2_000_000]),
    }.items():
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(pyarrow.table({"a": column}), path, compression="zstd")
        with path.open("rb") as stream, pytest.raises(InvalidInputError, match="unpacks to more") as refused:
            ParquetRows(stream, path.name)
        assert refused.value.reason == "too_large"
