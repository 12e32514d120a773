"""Heads of pages: the same as the page says, by a part of its bytes, read again only where it has changed."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from lambdas.adapters import clients
from lambdas.console import page_heads
from lambdas.console.page_heads import LISTED_SECONDS, S3PageHeads
from tests.unit.lambdas.builders import BUCKET, WORKLOAD
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.layout import page_key
from watchkeeper.detectors.streaming.state import new_states
from watchkeeper.stream.health import PageHead, head_of
from watchkeeper.stream.page import READING, WAITING, Page, new_page, tombstone, with_series
from watchkeeper.stream.page_format import head_from_bytes, to_bytes


def page_of(shelf: str, count: int, readings: int = 0) -> Page:
    page = with_series(new_page(WORKLOAD, shelf, 60), [f"pressure|device={n:04}" for n in range(count)])
    waiting = np.zeros(1, dtype=WAITING)
    waiting["start"] = 60
    return dataclasses.replace(
        page,
        waiting=waiting,
        readings=np.zeros(readings, dtype=READING),
        states=new_states(count),
    )


def put(page: Page) -> None:
    clients.s3().put_object(Bucket=BUCKET, Key=page_key(WORKLOAD, page.shelf), Body=to_bytes(page))


def same(one: PageHead, other: PageHead) -> bool:
    names = [field.name for field in dataclasses.fields(PageHead)]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("readings", [0, 5000])
def test_a_head_is_read_of_the_beginning_which_says_how_much_it_takes(readings: int) -> None:
    page = page_of("", 40, readings)
    content = to_bytes(page)
    size: int | PageHead = 64
    while isinstance(size, int):
        asked, size = size, head_from_bytes(content[:size])
        assert isinstance(size, PageHead) or size > asked
    assert same(size, head_of(page))
    assert asked < len(content) / 2, "what detectors have learned is not read"


def test_what_is_no_page_is_refused() -> None:
    with pytest.raises(ContractViolationError, match="is too short"):
        head_from_bytes(b"WK")
    with pytest.raises(ContractViolationError, match="begins with"):
        head_from_bytes(b"PK" * 50)


def test_heads_of_all_shelves_are_read_and_only_new_ones_again(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_heads, "FIRST_BYTES", 500)
    now = [0.0]
    heads = S3PageHeads(clients.s3(), BUCKET, clock=lambda: now[0])
    read: list[str] = []
    beginning = heads._beginning
    monkeypatch.setattr(heads, "_beginning", lambda key, size: (read.append(key), beginning(key, size))[1])
    assert heads.of(WORKLOAD) == []
    now[0] += LISTED_SECONDS
    for page in (page_of("0", 30), page_of("1", 20), tombstone(page_of("", 2))):
        put(page)
    assert [(each.shelf, len(each)) for each in heads.of(WORKLOAD)] == [("0", 30), ("1", 20)]
    assert len(read) > 3, "the first bytes were too few"
    read.clear()
    put(page_of("1", 21))
    assert [len(each) for each in heads.of(WORKLOAD)] == [30, 20], "asked for a moment ago"
    now[0] += LISTED_SECONDS
    assert [len(each) for each in heads.of(WORKLOAD)] == [30, 21]
    assert set(read) == {page_key(WORKLOAD, "1")}
