"""Reading a state machine: what follows what, and which paths each state uses."""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from pipeline.contracts import Failure

Definition = dict[str, Any]

_NO_INPUT_PATHS = ("ResultSelector", "Catch", "ResultPath")


def successors(state: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Give each following state with the path that the transition itself writes (a catch's error)."""
    if "Next" in state:
        yield state["Next"], None
    if "Default" in state:
        yield state["Default"], None
    for rule in state.get("Choices", []):
        yield rule["Next"], None
    for catch in state.get("Catch", []):
        yield catch["Next"], catch.get("ResultPath", "$")


def known_paths(
    states: dict[str, dict[str, Any]], start: str, given: set[str], outputs: Mapping[str, tuple[str, Any]]
) -> dict[str, set[str]]:
    """Return for each state that is reached the paths that exist whichever way it is reached."""
    known = {start: given}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        after = before = known[name]
        if name in outputs:
            place, contract = outputs[name]
            after = expanded(place, contract) | (set() if place == "$" else before)
        for following, error_path in successors(states[name]):
            arriving = after if error_path is None else before | expanded(error_path, Failure)
            joined = arriving if following not in known else known[following] & arriving
            if known.get(following) != joined:
                known[following] = joined
                waiting.append(following)
    return known


def used_paths(state: dict[str, Any]) -> set[str]:
    """Return the paths that a state reads from the workflow's state."""
    found: set[str] = set()
    for key, value in _pairs({name: part for name, part in state.items() if name not in _NO_INPUT_PATHS}):
        if isinstance(value, str) and (key.endswith((".$", "Path")) or key == "Variable"):
            found |= paths_in(value)
    return found


def paths_in(expression: str) -> set[str]:
    """Return the state paths in a path or an intrinsic function; quoted text and context paths are none."""
    unquoted = re.sub(r"'(?:\\.|[^'\\])*'", "''", expression)
    return {match[0] for match in re.finditer(r"(?<!\$)\$(?:\.[A-Za-z_]\w*)+", unquoted)}


def expanded(place: str, kind: Any) -> set[str]:
    """Return the paths of a contract's fields at a place of the workflow's state, at any depth."""
    found = {place}
    if dataclasses.is_dataclass(kind):
        for field, inner in get_type_hints(kind).items():
            found |= expanded(f"{place}.{field}", inner)
    return found


def _pairs(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _pairs(value)
    elif isinstance(node, list):
        for item in node:
            yield from _pairs(item)
