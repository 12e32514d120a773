"""What is refused at the door of the anomaly service by the beginning of a file."""

from __future__ import annotations

import gzip

import pytest

from lambdas.service_api.file_head import check_head
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect

ROWS = b"1,2\n" * 1000


def test_a_decimal_comma_is_taken_where_it_is_said() -> None:
    check_head("table", "t.csv", b"a;b\n1;2,5\n3;1.234,5\n", whole=True, dialect=Dialect(decimal=","))


@pytest.mark.parametrize(
    "head",
    [
        b"time,load\n2024-01-01,1\n2024-01-02,NULL\n",
        b"2024-01-01,1\n2024-01-02,n/a\n",
        b'"a\na";"b"\n1;"2"\n',
        b"sep=;\na;b\n1;2\n",
        b"a,b\r1,2\r3,4\r",
        b"a,b\n" + ROWS + b"3,x",  # cut: the last line does not count
        b"a,b\n" + ROWS + b'3,"4\n5,6\n',  # a quote may be closed later
        "a,b\n1,2\n3,4\n".encode("utf-16")[:-1],
        "ä,b\n1,2\n".encode()[:1],
        gzip.compress(b"a,b\n1,2\n" * 9, mtime=0)[:30],
        b"PAR1",
        b'[{"a": 1}, {"a": 2',
        b"a," * 3000,
    ],
)
def test_takes_a_beginning_that_may_be_a_table(head: bytes) -> None:
    check_head("feature_file", "project/file/x.csv", head, whole=False)


@pytest.mark.parametrize(
    ("head", "reason", "said"),
    [
        (b"a,b\n1,2\n\n3,x\n", "non_numeric_value", "column 'b', row 1 (line 4 of the file): 'x'"),
        (b"1,2\n3,x\n", "non_numeric_value", "column 'column_2', row 1 (line 2 of the file): 'x'"),
        (b"a;b\n1;2,5\n", "non_numeric_value", 'send "decimal": ","'),
        (b"a,b\n1,\xe9\n", "unreadable_file", "save it as CSV in UTF-8"),
        (b"PK\x03\x04....\n", "unreadable_file", "Excel workbook"),
        (b"c," * 40_000, "too_many_columns", "10,000 are allowed"),
        (b"c," * 40_000 + b"c\n" + b"1," * 40_000 + b"1\n", "too_many_columns", "40,001 columns"),
    ],
)
def test_refuses_a_beginning_that_is_no_table(head: bytes, reason: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_head("feature_file", "project/file/x.csv", head, whole=False)
    assert refused.value.reason == reason
    assert said in str(refused.value)


def test_a_whole_file_has_no_open_quote() -> None:
    with pytest.raises(InvalidInputError, match="quote opened in line 1002 is not closed") as refused:
        check_head("feature_file", "x.csv", b"a,b\n" + ROWS + b'3,"4\n5,6\n', whole=True)
    assert refused.value.reason == "unclosed_quote"
