"""How a transform job cuts an object and joins the answers."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.sagemaker.errors import JobFailedError
from localcloud.sagemaker.transform import assemble, batches

lines = st.lists(st.text(alphabet="0123456789,", min_size=1, max_size=20).map(str.encode), max_size=40)


@given(lines=lines, limit=st.integers(min_value=20, max_value=200), many=st.booleans(), ended=st.booleans())
def test_batches_keep_every_record_in_order_within_the_limit(
    lines: list[bytes], limit: int, many: bool, ended: bool
) -> None:
    body = b"\n".join(lines) + (b"\n" if ended else b"")
    cut = list(batches(body, limit, many=many))
    assert b"\n".join(cut).split(b"\n") == (lines or [b""])
    assert all(len(batch) <= limit for batch in cut)
    if not many:
        assert cut == lines


@given(lines=lines, limit=st.integers(min_value=20, max_value=200))
def test_many_records_fill_a_batch_before_the_next_begins(lines: list[bytes], limit: int) -> None:
    cut = list(batches(b"\n".join(lines), limit, many=True))
    for batch, following in itertools.pairwise(cut):
        assert len(batch) + 1 + len(following.split(b"\n")[0]) + 1 > limit


def test_blank_lines_and_line_ends_of_windows_are_no_records() -> None:
    assert list(batches(b"1\r\n\r\n\n2\n", 100, many=False)) == [b"1\r", b"2"]


def test_record_over_the_limit_is_named() -> None:
    with pytest.raises(JobFailedError, match="record 2 has 5 bytes"):
        list(batches(b"1\n12345\n", 4, many=True))


def test_lines_end_every_answer_exactly_once() -> None:
    assert assemble([b"1\n2", b"3\n"], lines=True) == b"1\n2\n3\n"
    assert assemble([b"1\n2", b"3"], lines=False) == b"1\n23"
