"""Captured requests: their records, and a sample that does not hang on their order."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.captures import CapturedInstance, Sample, instances_in


def line(data: str, content_type: str = "text/csv", encoding: str = "CSV", **changes: Any) -> bytes:
    if encoding == "BASE64":
        data = base64.b64encode(data.encode()).decode()
    entry = {"observedContentType": content_type, "mode": "INPUT", "data": data, "encoding": encoding}
    document = {
        "captureData": {"endpointInput": entry, "endpointOutput": {"data": "1", "encoding": "CSV"}},
        "eventMetadata": {"eventId": "e-1", "inferenceTime": "2024-01-01T00:00:05Z"},
        "eventVersion": "0",
        **changes,
    }
    return json.dumps(document).encode()


def contents(*lines: bytes) -> list[Any]:
    found = list(instances_in(lines))
    assert all(isinstance(item, CapturedInstance) for item in found), found
    return [item.content for item in found if isinstance(item, CapturedInstance)]


@pytest.mark.parametrize(
    ("data", "content_type", "encoding", "expected"),
    [
        ("1,2\n3,4\n", "text/csv", "CSV", [["1", "2"], ["3", "4"]]),
        ("1,2\r\n3,4", "text/csv; charset=utf-8", "BASE64", [["1", "2"], ["3", "4"]]),
        ('1,"a\nb"\r3,4', "text/csv", "CSV", [["1", "a\nb"], ["3", "4"]]),
        ('{"instances": [{"a": 1}, {"a": 2}]}', "application/json", "JSON", [{"a": 1}, {"a": 2}]),
        ('{"a": 1}\n{"a": "\u2028"}', "application/jsonlines", "BASE64", [{"a": 1}, {"a": "\u2028"}]),
    ],
)
def test_records_of_every_content_type_are_found(
    data: str, content_type: str, encoding: str, expected: list[Any]
) -> None:
    assert contents(line(data, content_type, encoding)) == expected


def test_records_know_their_request_their_place_and_their_time() -> None:
    first, second = instances_in([line("1\n2")])

    assert isinstance(first, CapturedInstance)
    assert isinstance(second, CapturedInstance)
    assert first.identity != second.identity
    assert first.captured_at.isoformat() == "2024-01-01T00:00:05+00:00"


def test_a_request_whose_input_was_not_captured_has_no_records() -> None:
    assert contents(line("1", captureData={"endpointOutput": {}}), b"") == []


@pytest.mark.parametrize(
    "broken",
    [
        b"{",
        b"[]",
        b'{"captureData": {"endpointInput": {"data": "1"}}}',
        line("1", eventMetadata={"eventId": "e", "inferenceTime": "yesterday"}),
        line("x", "image/png"),
        line("1,2\n\n3,4"),
        line("[1]", "application/jsonlines"),
        line("{}", "application/json"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_hides_no_other(broken: bytes) -> None:
    first, second = instances_in([broken, line("7")])

    assert isinstance(first, InvalidInputError)
    assert str(first).startswith("line 1: ")
    assert isinstance(second, CapturedInstance)


@given(st.lists(st.text(), unique=True, max_size=50), st.integers(1, 60), st.randoms(use_true_random=False))
def test_a_sample_is_the_same_in_any_order(names: list[str], size: int, chooser: random.Random) -> None:
    first, second = Sample(size), Sample(size)
    for name in names:
        first.add(name, name.upper())
    for name in chooser.sample(names, len(names)):
        second.add(name, name.upper())

    assert first.items() == second.items()
    assert len(first.items()) == min(size, len(names))
    assert first.seen == len(names)


def test_a_sample_prefers_no_position() -> None:
    chosen: Counter[int] = Counter()
    for trial in range(300):
        sample = Sample(10)
        for position in range(40):
            sample.add(f"{trial}-{position}", position)
        chosen.update(sample.items())

    assert set(chosen) == set(range(40))
    assert max(chosen.values()) < 2 * 300 * 10 / 40
