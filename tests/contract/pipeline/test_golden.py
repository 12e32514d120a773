"""The definitions of the shipped workloads change on purpose only: `python -m pipeline` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonpatch
import pytest

from localcloud.definitions import refusal
from pipeline.__main__ import WORKLOADS, definitions, whole_of

GOLDEN = Path(__file__).parent / "golden"
STORED = sorted(
    str(path.relative_to(GOLDEN)).removesuffix(".json").removesuffix(".asl").removesuffix(".patch")
    for path in GOLDEN.rglob("*.json")
)


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Any]]:
    return definitions()


def golden(name: str) -> Any:
    """Return a stored definition, composed of the whole one and its patch where it is stored so."""
    whole = json.loads((GOLDEN / f"{whole_of(name)}.asl.json").read_text())
    if whole_of(name) == name:
        return whole
    return jsonpatch.apply_patch(whole, json.loads((GOLDEN / f"{name}.patch.json").read_text()))


@pytest.mark.parametrize("name", STORED)
def test_definition_is_the_golden_one(name: str, made: dict[str, dict[str, Any]]) -> None:
    assert made[name] == golden(name), "run `python -m pipeline` and review the change"


def test_every_definition_is_stored(made: dict[str, dict[str, Any]]) -> None:
    assert set(STORED) == set(made)
    assert {path.stem for path in WORKLOADS.glob("*.yaml")} <= set(STORED)


@pytest.mark.parametrize("name", STORED)
def test_step_functions_would_take_the_definition(name: str, made: dict[str, dict[str, Any]]) -> None:
    assert refusal(json.dumps(made[name])) is None
