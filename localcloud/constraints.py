"""The constraints of the service models: presence, enumeration, length, range, pattern; in AWS's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def broken_constraints(shape: Shape | None, request: Any) -> str:
    """Return AWS's text of every constraint that a request breaks; nothing if it keeps them all."""
    problems = list(_problems(shape, request, "")) if shape else []
    plural = "s" if len(problems) > 1 else ""
    return f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}" if problems else ""


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            yield f"Value at '{path}' failed to satisfy constraint: Member must be an object"
            return
        for name in shape.required_members:
            if value.get(name) is None:
                where = _join(path, name)
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        for name, member in value.items():
            if name in shape.members and member is not None:
                yield from _problems(shape.members[name], member, _join(path, name))
    elif isinstance(shape, ListShape):
        yield from _size_problems(shape, value, path)
        for index, member in enumerate(value, start=1):
            yield from _problems(shape.member, member, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        yield from _size_problems(shape, value, path)
        for key, member in value.items():
            yield from _problems(shape.value, member, f"{path}.{key}.member")
    else:
        yield from _scalar_problems(shape, value, path)


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    head = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "string":
        if not isinstance(value, str):
            yield f"{head} be a string"
            return
        allowed = getattr(shape, "enum", None)
        if allowed and value not in allowed:
            yield f"{head} satisfy enum value set: [{', '.join(allowed)}]"
        yield from _size_problems(shape, value, path)
        pattern = shape.metadata.get("pattern")
        compiled = _pattern(pattern) if pattern else None
        if compiled and not compiled.fullmatch(value):
            yield f"{head} satisfy regular expression pattern: {pattern}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{head} be a number"
        elif low is not None and value < low:
            yield f"{head} have value greater than or equal to {low}"
        elif high is not None and value > high:
            yield f"{head} have value less than or equal to {high}"
    elif shape.type_name == "boolean" and not isinstance(value, bool):
        yield f"{head} be a boolean"


def _size_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    head = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have length"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        yield f"{head} greater than or equal to {low}"
    if high is not None and len(value) > high:
        yield f"{head} less than or equal to {high}"


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:  # Java's \p{L} classes, which Python has not
        return None


def _join(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name
