"""Documents that an earlier release stored: read as they are, and written again byte for byte.

`stored.jsonl` was written by the release before `watchkeeper.core.documents`. A field that came since has a
default and stands beside the others; any other change needs a new version, and a reader of the old one.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import watchkeeper
from containers.service.artifact import ServiceManifest
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import WatchkeeperError

LINES = [json.loads(line) for line in Path(__file__).with_name("stored.jsonl").read_text().splitlines()]


def kinds_of(parent: type[Document]) -> Iterator[type[Document]]:
    """Every class of document that is not only a parent of others."""
    for kind in parent.__subclasses__():
        yield from kinds_of(kind) if kind.__subclasses__() else [kind]


for module in pkgutil.walk_packages(watchkeeper.__path__, "watchkeeper."):
    importlib.import_module(module.name)
KINDS = {kind.__name__: kind for kind in kinds_of(Document) if kind.__module__.startswith("watchkeeper")}
KINDS[ServiceManifest.__name__] = ServiceManifest


def refusal(kind: type[Document], document: Any) -> str:
    with pytest.raises(WatchkeeperError) as refused:
        kind.from_json(json.dumps(document))
    return str(refused.value)


def test_every_kind_of_document_is_stored() -> None:
    assert {line["type"] for line in LINES} == KINDS.keys()


def without_newer(written: Any, stored: Any) -> Any:
    """Leave out the keys that the stored objects lack."""
    if isinstance(stored, dict):
        return {key: without_newer(value, stored[key]) for key, value in written.items() if key in stored}
    if isinstance(stored, list):
        return [without_newer(*pair) for pair in zip(written, stored, strict=True)]
    return written


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["type"])
def test_is_read_and_written_byte_for_byte(line: dict[str, str]) -> None:
    document = KINDS[line["type"]].from_json(line["text"])
    written, stored = document.to_json(), json.loads(line["text"])
    style: dict[str, Any] = {"indent": 2} if "\n" in written else {"separators": (",", ":")}

    assert json.dumps(json.loads(written), **style) == written
    assert json.dumps(without_newer(json.loads(written), stored), **style) == line["text"]
    assert type(document).from_dict(document.to_dict()) == document


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["type"])
def test_anything_else_is_refused_by_its_place(line: dict[str, str]) -> None:
    kind, document = KINDS[line["type"]], json.loads(line["text"])

    assert "unknown key 'colour'" in refusal(kind, {**document, "colour": 1})
    assert "of kind 'colour'" in refusal(kind, {**document, "kind": "colour"})
    assert "of version 99" in refusal(kind, {**document, "version": 99})
    assert "expected an object" in refusal(kind, [document])
    for key in ("workload", "series", "algorithm", "tenant"):
        if isinstance(document.get(key), str):
            assert f"no key {key!r}" in refusal(kind, {k: v for k, v in document.items() if k != key})
            assert f".{key}: 7, expected text" in refusal(kind, {**document, key: 7})
