"""Pages as bytes, and pages in two."""

from __future__ import annotations

import dataclasses
import json
import struct
from fractions import Fraction

import numpy as np
import pytest

from tests.unit.watchkeeper.shelves import (
    PLAN,
    Shelves,
    plan_of,
    reading,
    readings,
    source,
    streaming_release,
)
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.stream.health import PageHead
from watchkeeper.stream.intake import take_in
from watchkeeper.stream.page import NEVER, Folded, Page, new_page, overflows, split, tombstone
from watchkeeper.stream.page_format import MAGIC, PAGE_VERSION, from_bytes, head_from_bytes, to_bytes
from watchkeeper.stream.placement import bits_of
from watchkeeper.stream.step import step
from watchkeeper.telemetry.intervals import Aggregation


def full_page() -> Page:
    """A page with something of everything."""
    lines = [reading(10 * second, 1.5, device) for device in "abc" for second in range(60)]
    outcome, _ = step(
        new_page("w", "", 60),
        readings([*lines, b'{"t": "1970-01-01T00:00:11Z", "device": "z", "m": 2}']),
        source("1"),
        streaming_release(),
        PLAN,
    )
    waiting = take_in(outcome.page, readings([reading(5000, 2.5)]), source("2"), PLAN).page
    folded = Folded(1, 540, Aggregation(2, Fraction(1, 3), 0.1, 0.2))
    return dataclasses.replace(waiting, folded=(folded,))


def test_a_page_is_read_as_it_was_written_and_equal_pages_have_equal_bytes() -> None:
    page = full_page()
    content = to_bytes(page)
    assert to_bytes(from_bytes(content)) == content
    assert from_bytes(content).pending == page.pending
    assert from_bytes(content).folded == page.folded
    assert to_bytes(full_page()) == content


def test_a_page_does_not_depend_on_the_order_of_readings() -> None:
    lines = [reading(30 * minute, minute, device) for minute in range(9) for device in "cab"]
    plan = plan_of(lateness_seconds=1000)
    pages = set()
    for order in (lines, lines[::-1]):
        shelves = Shelves(plan)
        shelves.deliver("1", order)
        pages.add(shelves.pages[""])
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is too short"),
        (b"PK" * 20, "begins with b'PKPK'"),
        (struct.pack("<4sII", MAGIC, 99, 0), f"version 99, this release reads {PAGE_VERSION}"),
        (struct.pack("<4sII", MAGIC, PAGE_VERSION, 2) + b"{}", "KeyError"),
        (to_bytes(full_page())[:-1], "bytes, .* are described"),
    ],
)
def test_what_is_no_page_of_this_release_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ContractViolationError, match=message):
        from_bytes(content)


def test_columns_that_do_not_have_one_item_a_series_are_refused() -> None:
    content = to_bytes(new_page("w", "", 60))
    length = struct.unpack_from("<4sII", content)[2]
    header = {**json.loads(content[12 : 12 + length]), "series": ["m"]}
    text = json.dumps(header).encode()
    with pytest.raises(ContractViolationError, match="not one item a series"):
        from_bytes(struct.pack("<4sII", MAGIC, PAGE_VERSION, len(text)) + text + bytes(-(12 + len(text)) % 8))


def test_children_have_what_their_parent_had_and_nothing_twice() -> None:
    page = dataclasses.replace(full_page(), pending=())
    parts = split(page)
    assert sorted(name for part in parts for name in part.series) == list(page.series)
    for column in ("readings", "waiting", "states", "folded"):
        assert sum(len(getattr(part, column)) for part in parts) == len(getattr(page, column))
    for bit, part in enumerate(parts):
        assert all(bits_of(name)[0] == str(bit) for name in part.series)
        assert part.applied.tolist() == page.applied.tolist()
        for at, name in enumerate(part.series):
            assert part.states[at].tobytes() == page.states[page.series.index(name)].tobytes()
    assert tombstone(page).series == ()


def test_a_shelf_of_one_place_grows_instead_of_splitting() -> None:
    page = take_in(new_page("w", "", 60), readings([reading(1)]), source("1"), PLAN).page
    assert overflows(page, ["m|device=b"], most=1)
    assert not overflows(page, ["n|device=a"], most=1)
    assert not overflows(page, ["m|device=a"], most=1)


def test_a_page_of_before_is_read_and_its_series_are_not_heard_yet() -> None:
    page = dataclasses.replace(full_page(), pending=(), recent=np.zeros(0, dtype=np.uint32))
    content = to_bytes(page)
    length = struct.unpack_from("<4sII", content)[2]
    header = json.loads(content[12 : 12 + length])
    del header["quality"], header["columns"]["heard"], header["columns"]["recent"]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(12 + len(text)) % 8)
    begin = 12 + length + -(12 + length) % 8
    before = struct.pack("<4sII", MAGIC, PAGE_VERSION, len(text)) + text + content[begin : -8 * len(page)]
    found = from_bytes(before)
    assert found.heard.tolist() == [NEVER] * len(page)
    assert found.quality.measures == ()
    assert found.states.tobytes() == page.states.tobytes()
    head = head_from_bytes(before)
    assert isinstance(head, PageHead)
    assert head.unusual == {}
