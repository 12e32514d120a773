"""Expressions are read once a text, and mean what they meant."""

from __future__ import annotations

from typing import Any

import pytest
from ministack.services import dynamodb as ministack

from localcloud.dynamodb import DynamoDbPart
from localcloud.seams import dynamodb

RANGE = "pk = :pk AND sk BETWEEN :first AND :last"
VALUES = {":pk": {"S": "a"}, ":first": {"S": "1"}, ":last": {"S": "3"}}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were read, since the part is installed."""
    texts: list[str] = []
    for seam in (dynamodb.tokenize, dynamodb.condition_syntax_error):
        original = getattr(seam.module, seam.name)

        def reads(text: str, *others: Any, original: Any = original) -> Any:
            texts.append(text)
            return original(text, *others)

        monkeypatch.setattr(seam.module, seam.name, reads)
    DynamoDbPart().install()
    return texts


def taken(expression: str, sort_keys: str) -> list[str]:
    items = [{"pk": {"S": "a"}, "sk": {"S": key}} for key in sort_keys]
    return [
        item["sk"]["S"]
        for item in items
        if ministack._evaluate_condition(expression, item, VALUES, {}, slot="KeyConditionExpression")
    ]


def test_a_condition_is_read_once_for_all_items(read: list[str]) -> None:
    assert taken(RANGE, "012345") == ["1", "2", "3"]
    assert taken("sk > :first", "012") == ["2"]
    assert taken(RANGE, "3") == ["3"]
    assert read == [RANGE, RANGE, "sk > :first", "sk > :first"]  # its tokens, and its grammar


def test_what_is_no_condition_is_refused_each_time(read: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="Syntax error"):
            taken("sk > > :first", "1")
