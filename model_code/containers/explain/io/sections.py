"""Sections of a configuration: dataclasses whose annotations say what each key's value has to be.

Everything that is wrong is noted, and read as absent, so that all of it is reported at once: a key that no
field has, a value that its rule does not accept, and what the section itself finds wrong.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

S = TypeVar("S", bound="Section")


@dataclass(frozen=True)
class Rule:
    """What a value has to be."""

    refusal: str
    """What is said of another value, after it."""
    accepts: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: tuple(value) if isinstance(value, list) else value


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_cell(value: Any) -> bool:
    return isinstance(value, str | float) or is_integer(value)


def _is_column(value: Any) -> bool:
    return _is_text(value) or is_integer(value)


def listed(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return the check of a list that is not empty, by that of an item."""
    return lambda value: isinstance(value, list) and bool(value) and all(map(accepts, value))


def one_of(*choices: str, what: str = "known") -> Rule:
    """Return the rule of a text that is one of some, in any case."""
    allowed = ", ".join(choices)
    return Rule(f"is not {what}; use {allowed}", lambda value: str(value).lower() in choices, str.lower)


ColumnReference = str | int
"""A column's name, or its index from 0."""
Cell = str | int | float | None
Text = Annotated[str, Rule("is not text", _is_text)]
Flag = Annotated[bool, Rule("is not true or false", lambda value: isinstance(value, bool))]
Number = Annotated[
    float, Rule("is not a number", lambda value: is_integer(value) or isinstance(value, float), float)
]
Integer = Annotated[int, Rule("is not a whole number", is_integer)]
Positive = Annotated[
    int, Rule("is not a whole number of at least 1", lambda value: is_integer(value) and value >= 1)
]
Column = Annotated[ColumnReference, Rule("is not a column's name or index", _is_column)]
Columns = Annotated[
    tuple[ColumnReference, ...], Rule("is not a list of columns' names or indices", listed(_is_column))
]
Texts = Annotated[
    tuple[str, ...], Rule("is not a list of text", listed(lambda value: isinstance(value, str)))
]
Cells = Annotated[tuple[Cell, ...], Rule("is not a list of numbers or text", listed(_is_cell))]


class Section:
    """What a dataclass inherits that is a section: each field has a default, for a key that is absent."""

    def problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Say what is wrong beyond the rules of single keys.

        Parameters
        ----------
        given
            The section as it is in the file.

        Yields
        ------
        key, message
        """
        yield from ()


def read_section(kind: type[S], path: str, given: Any, refused: Mapping[str, str], found: list[str]) -> S:
    """Read a section; what is wrong is noted.

    Parameters
    ----------
    path
        Of the section, such as `methods.shap`; empty for the document.
    refused
        Why keys are not honoured that are known, by path.
    found
        Where it is noted.
    """
    if not isinstance(given, Mapping):
        found.append(f"{path}: {shown(given)} is not an object")
        given = {}
    prefix = f"{path}." if path else ""
    parts = _parts(kind)
    for key in [key for key in given if key not in parts]:
        reason = refused.get(prefix + key)
        found.append(f"{prefix}{key}: {f'not supported: {reason}' if reason else _unknown(key, list(parts))}")
    values: dict[str, Any] = {}
    for key, (rule, part, several) in parts.items():
        value = given.get(key)
        if value is None:
            continue
        if part is not None and several:
            if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
                values[key] = tuple(read_section(part, prefix + key, item, refused, found) for item in value)
            else:
                found.append(f"{prefix}{key}: {shown(value)} is not a list of objects")
        elif part is not None:
            values[key] = read_section(part, prefix + key, value, refused, found)
        elif rule is None or rule.accepts(value):
            values[key] = value if rule is None else rule.convert(value)
        else:
            found.append(f"{prefix}{key}: {shown(value)} {rule.refusal}")
    section = kind(**values)
    found += [f"{prefix}{key}: {message}" for key, message in section.problems(given)]
    return section


def honoured_keys(kind: type[Section], path: str = "") -> set[str]:
    """Return the paths of all keys that a section and those below it have."""
    prefix = f"{path}." if path else ""
    found = set()
    for key, (_, part, _) in _parts(kind).items():
        found |= {prefix + key} | (honoured_keys(part, prefix + key) if part else set())
    return found


def shown(value: Any) -> str:
    """Return a value as it stands in the file, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _parts(kind: type[Section]) -> dict[str, tuple[Rule | None, type[Section] | None, bool]]:
    """Return of each key: its rule, or the section that it holds and whether it holds a list of them."""
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # sections are dataclasses
        hint = hints[field.name]
        members = get_args(hint) if get_origin(hint) not in (Annotated, tuple, None) else (hint,)
        (hint,) = (member for member in members if member is not type(None))
        rule = next((one for one in get_args(hint) if isinstance(one, Rule)), None)
        several = get_origin(hint) is tuple
        part = get_args(hint)[0] if several else hint
        found[field.name] = (rule, part if _is_section(part) else None, several)
    return found


def _is_section(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Section)


def _unknown(key: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(key, allowed, n=1, cutoff=0.5)
    return "unknown key; " + (f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}")
