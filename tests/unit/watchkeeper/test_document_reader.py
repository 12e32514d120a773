"""What a document's annotations accept, and how the rest is refused; see `tests/contract/documents`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

import pytest

from watchkeeper.core.documents import Document, parsed, plain, read_part
from watchkeeper.core.errors import ContractViolationError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Knob:
    name: str
    at: tuple[int, float] = (0, 0.0)


@dataclass(frozen=True)
class Panel(Document, name="panel", remedy="build it again"):
    knobs: tuple[Knob, ...]
    side: Literal["left", "right"] = "left"
    colour: Colour = Colour.RED
    label: str | None = None
    limit: int | float | str = 1
    on: bool = False
    sizes: Mapping[str, list[float]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    main: Knob | None = None
    version: int = 2

    @classmethod
    def _upgraded(cls, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "version": 2} if document.get("version") == 1 else document


PANEL = Panel(
    (Knob("a", (1, 2.5)), Knob("b")),
    colour=Colour.BLUE,
    label="x",
    limit="much",
    sizes={"z": [1.0, 2], "a": []},
    more={"b": [{"z": None, "a": ()}]},
    main=Knob("c"),
)


def test_nested_documents_are_read_as_they_were_written() -> None:
    again = Panel.from_json(PANEL.to_json())

    assert again == Panel(**{**vars(PANEL), "more": {"b": [{"a": [], "z": None}]}})
    assert again.colour is Colour.BLUE
    assert isinstance(again.knobs, tuple)


def test_keys_are_in_alphabetical_order_at_every_level() -> None:
    assert PANEL.to_json() == (
        '{"colour":"blue","knobs":[{"at":[1,2.5],"name":"a"},{"at":[0,0.0],"name":"b"}],"label":"x",'
        '"limit":"much","main":{"at":[0,0.0],"name":"c"},"more":{"b":[{"a":[],"z":null}]},"on":false,'
        '"side":"left","sizes":{"a":[],"z":[1.0,2]},"version":2}'
    )


def test_keys_that_are_absent_have_their_default_and_an_older_version_is_upgraded() -> None:
    assert Panel.from_dict({"knobs": [], "version": 1}) == Panel(())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"knobs": [{"name": "a"}, {"name": 1}]}, "panel.knobs[1].name: 1, expected text"),
        ({"knobs": [{"at": [1, 2]}]}, "panel.knobs[0]: no key 'name'"),
        ({"knobs": [{"name": "a", "at": [1]}]}, "panel.knobs[0].at: [1], expected a list of 2 items"),
        ({"knobs": [{"name": "a", "at": [1.5, 2]}]}, "panel.knobs[0].at[0]: 1.5, expected a whole number"),
        ({"knobs": {}}, "panel.knobs: {}, expected a list"),
        ({"side": "top"}, "panel.side: 'top', expected 'left' or 'right'"),
        ({"side": []}, "panel.side: [], expected 'left' or 'right'"),
        ({"colour": "green"}, "panel.colour: 'green', expected 'red' or 'blue'"),
        ({"label": 1}, "panel.label: 1, expected text"),
        ({"limit": True}, "panel.limit: True, expected text"),
        ({"on": 1}, "panel.on: 1, expected true or false"),
        ({"sizes": {"a": ["1"]}}, "panel.sizes.a[0]: '1', expected a number"),
        ({"main": "c"}, "panel.main: 'c', expected an object"),
        ({"shape": 1}, "panel: unknown key 'shape'"),
        ({"version": 3}, "panel of version 3, this release reads 2"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place_with_the_remedy(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractViolationError) as refused:
        Panel.from_dict({**PANEL.to_dict(), **change})

    assert str(refused.value) == f"{message}: build it again"


def test_long_values_are_told_by_their_beginning() -> None:
    with pytest.raises(ContractViolationError) as refused:
        Panel.from_json("x" * 10_000)

    assert len(str(refused.value)) < 150
    assert "is not JSON: build it again" in str(refused.value)


def test_lines_are_told_by_their_number() -> None:
    with pytest.raises(ContractViolationError, match="line 2: panel: no key 'knobs'"):
        list(Panel.from_lines([PANEL.to_json(), '{"version": 2}']))


def test_parts_are_read_without_a_document() -> None:
    assert read_part(Knob, plain(Knob("a", (1, 2.0))), "knob") == Knob("a", (1, 2.0))
    assert parsed(b"[1]", "list") == [1]


def test_what_is_not_a_number_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        Panel((), limit=float("nan")).to_json()
