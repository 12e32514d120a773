"""What is wrong with a spec, in words: each problem with its file, line, key, value, and what is allowed."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec.source import Path, YamlSource

_VALUE_LENGTH = 60

_EXPECTED = {
    "string_type": "must be text; put it in quotes if it is",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "finite_number": "must be finite",
    "invalid_key": "keys must be text; put it in quotes",
}


@dataclass(frozen=True)
class Problem:
    """One mistake in a spec."""

    file: str
    line: int
    key: str
    """Such as `measures[0].aggregate`; empty for the file as a whole."""
    value: str
    """As it was read, shortened; empty where nothing is there."""
    message: str
    """What is wrong, what is allowed and, for a misspelt key or word, the nearest known one."""

    def __str__(self) -> str:
        return ": ".join(filter(None, [f"{self.file}:{self.line}", self.key, self.value, self.message]))


class WorkloadSpecError(InvalidInputError):
    """A spec is wrong. `problems` has every mistake; the text is one line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.key))
        super().__init__("\n".join(map(str, self.problems)), reason="bad_workload_spec")


def problem_at(file: str, source: YamlSource, path: Path, message: str, value: object = None) -> Problem:
    """Return a problem with the line of its key."""
    return Problem(file, source.line(path), key_text(path), "" if value is None else _shown(value), message)


def explain(file: str, source: YamlSource, error: ErrorDetails, kind_of_spec: Any) -> Problem:
    """Put a validation error of pydantic into words.

    Parameters
    ----------
    file
        Name of the spec's file.
    source
        The document that was validated.
    error
        One of `ValidationError.errors()`.
    kind_of_spec
        The type that the document was validated as: a model, or a union of models told apart by a key.
    """
    path, owner, field = _locate(kind_of_spec, error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return problem_at(file, source, path, _unknown_key(str(path[-1]), owner), error["input"])
    if kind == "missing":
        return problem_at(file, source, path, f"is missing{_meaning(field)}")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _wrong_tag(file, source, path, error, field.annotation if field else kind_of_spec)
    if kind == "literal_error":
        message = f"must be {context['expected']}{_nearest(error['input'], _words(context['expected']))}"
    elif kind == "value_error":
        message = str(context["error"])
    elif allowed := _allowed(kind, field):
        message = allowed
    else:
        message = _EXPECTED.get(kind, error["msg"])
    return problem_at(file, source, path, message, error["input"])


def key_text(path: Path) -> str:
    """Write a path as `measures[0].aggregate`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _wrong_tag(file: str, source: YamlSource, path: Path, error: ErrorDetails, union: Any) -> Problem:
    context = error["ctx"]
    discriminator = context["discriminator"].strip("'")
    if error["type"] == "union_tag_not_found":
        choices = ", ".join(_members(union))
        return problem_at(file, source, (*path, discriminator), f"is missing; it must be one of {choices}")
    expected = context["expected_tags"]
    message = f"must be one of {expected.replace(chr(39), '')}{_nearest(context['tag'], _words(expected))}"
    return problem_at(file, source, (*path, discriminator), message, context["tag"])


def _unknown_key(name: str, owner: type[BaseModel] | None) -> str:
    known = sorted(owner.model_fields) if owner else []
    return f"unknown key{_nearest(name, known)}; known keys: {', '.join(known) or 'none'}"


def _nearest(word: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6) if isinstance(word, str) else []
    return f"; did you mean {close[0]}?" if close else ""


def _words(expected: str) -> list[str]:
    return [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]


def _meaning(field: FieldInfo | None) -> str:
    return f": {field.description}" if field is not None and field.description else ""


def _allowed(kind: str, field: FieldInfo | None) -> str:
    limits = {type(item): item for item in field.metadata} if field is not None else {}
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        words = {
            annotated_types.Ge: ("at least", "ge"),
            annotated_types.Gt: ("more than", "gt"),
            annotated_types.Le: ("at most", "le"),
            annotated_types.Lt: ("less than", "lt"),
        }
        parts = [
            f"{text} {getattr(limits[limit], name):g}"
            for limit, (text, name) in words.items()
            if limit in limits
        ]
        return "must be " + " and ".join(parts)
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        unit = "characters" if kind.startswith("string") else "items"
        low, high = limits.get(annotated_types.MinLen), limits.get(annotated_types.MaxLen)
        parts = [f"at least {low.min_length}"] if low else []
        parts += [f"at most {high.max_length}"] if high else []
        return f"must have {' and '.join(parts)} {unit}"
    return ""


def _locate(
    kind_of_spec: Any, location: Sequence[str | int]
) -> tuple[Path, type[BaseModel] | None, FieldInfo | None]:
    """Follow pydantic's location: drop the tags of unions, and find the type and the field that it ends
    in."""
    path: list[str | int] = []
    kind: Any = kind_of_spec
    owner: type[BaseModel] | None = None
    field: FieldInfo | None = None
    for part in location:
        tagged = _members(kind)
        if part in tagged and len(tagged) > 1:
            kind = tagged[str(part)]
            continue
        kind = _plain(kind)
        path.append(part if typing.get_origin(kind) is list else str(part))
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            owner, field = kind, kind.model_fields.get(str(part))
            kind = field.annotation if field is not None else None
        else:
            kind = next(iter(typing.get_args(kind)), None)
    return tuple(path), owner, field


def _plain(kind: Any) -> Any:
    """Strip what is around a type: Annotated, and `| None`."""
    if typing.get_origin(kind) is typing.Annotated:
        return _plain(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        members = [member for member in typing.get_args(kind) if member is not type(None)]
        return _plain(members[0]) if len(members) == 1 else kind
    return kind


def _members(kind: Any) -> dict[str, Any]:
    """Return the models of a union by their tag: the value of the one literal field that all of them have."""
    kind = _plain(kind)
    if typing.get_origin(kind) not in (types.UnionType, typing.Union):
        return {}
    members = {}
    for member in typing.get_args(kind):
        for field in member.model_fields.values() if hasattr(member, "model_fields") else ():
            if typing.get_origin(field.annotation) is typing.Literal:
                members[typing.get_args(field.annotation)[0]] = member
                break
    return members


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_LENGTH else text[: _VALUE_LENGTH - 3] + "..."
