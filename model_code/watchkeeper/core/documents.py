"""Documents: dataclasses that travel as JSON, between functions, jobs and releases of the software.

A field's annotation is its contract: what a document lacks, has beside it, or holds in another type is
refused by its place, such as `release.threshold.value`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

from watchkeeper.core.errors import ContractViolationError, InvalidInputError, WatchkeeperError

if TYPE_CHECKING:
    from typing import Self

Part = TypeVar("Part")
Reader = Callable[[Any, str], Any]
"""Takes a JSON value and the name of its place, and returns what a field holds."""

_TAGS = ("kind", "version")
"""Fields whose default is the only value that is read."""
_SHOWN_CHARACTERS = 80
_PLAIN: dict[Any, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}
_WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


class Document:
    """What a dataclass inherits that is written as one JSON object.

    Parameters
    ----------
    name
        What errors call the document.
    remedy
        What to do about one that is not as this release writes it.
    indent
        Spaces by which levels are indented; None writes one line.
    sort_keys
        Whether keys are in alphabetical order, or in that of the fields.
    refused_as
        Reason of the `InvalidInputError` by which one that others send is refused; None for what a release
        has written itself, which breaks a contract.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Reading(Document, name="reading"):
    ...     value: float
    ...     unit: str | None = None
    >>> Reading.from_json('{"value": 1.5}').to_json()
    '{"unit":null,"value":1.5}'
    """

    _name: ClassVar[str]
    _remedy: ClassVar[str]
    _indent: ClassVar[int | None]
    _sort_keys: ClassVar[bool]
    _refused_as: ClassVar[str | None]

    def __init_subclass__(
        cls,
        *,
        name: str,
        remedy: str = "deploy the stacks again",
        indent: int | None = None,
        sort_keys: bool = True,
        refused_as: str | None = None,
    ) -> None:
        cls._name, cls._remedy, cls._indent, cls._sort_keys = name, remedy, indent, sort_keys
        cls._refused_as = refused_as

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready objects."""
        document: dict[str, Any] = plain(_fields(self), sort_keys=self._sort_keys)
        return document

    def to_json(self) -> str:
        """Return JSON; equal documents give equal text."""
        separators = None if self._indent else (",", ":")
        return json.dumps(self.to_dict(), indent=self._indent, separators=separators, allow_nan=False)

    @classmethod
    def from_dict(cls, document: Any) -> Self:
        """Read JSON-ready objects.

        Raises
        ------
        ContractViolationError
            If the document is of another kind or version, lacks a key, has an unknown one, or a value of
            another type.
        """
        try:
            return cls._read(document, cls._name)
        except ContractViolationError as error:
            raise cls._refusal(str(error)) from error

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read JSON; see `from_dict`."""
        try:
            document = parsed(text, cls._name)
        except ContractViolationError as error:
            raise cls._refusal(str(error)) from error
        return cls.from_dict(document)

    @classmethod
    def from_lines(cls, lines: Iterable[str | bytes]) -> Iterator[Self]:
        """Read JSON lines; an error names the line's number."""
        for number, line in enumerate(lines, start=1):
            try:
                document = cls.from_json(line)
            except ContractViolationError as error:
                raise ContractViolationError(f"line {number}: {error}") from error
            yield document

    @classmethod
    def _refusal(cls, message: str) -> WatchkeeperError:
        """Return the error of a document that cannot be read."""
        if cls._refused_as is not None:
            return InvalidInputError(message, reason=cls._refused_as)
        return ContractViolationError(f"{message}: {cls._remedy}")

    @classmethod
    def _upgraded(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return an older document as one of this version, where that can be done."""
        return document

    @classmethod
    def _read(cls, value: Any, place: str) -> Self:
        document = cls._upgraded(_object(value, place))
        for tag in _TAGS:
            expected = getattr(cls, tag, None)
            if document.get(tag) != expected:
                found = _shown(document.get(tag))
                raise ContractViolationError(f"{place} of {tag} {found}, this release reads {expected!r}")
        read: Self = _fields_reader(cls)(document, place)  # type: ignore[arg-type]  # a class is hashable
        return read


_SCALARS = frozenset({str, int, float, bool, type(None)})


def plain(value: Any, *, sort_keys: bool = False) -> Any:
    """Return a dataclass, or what holds some, as JSON-ready objects."""
    if type(value) in _SCALARS:  # most of what there is: it shall cost nothing
        return value
    if isinstance(value, Document):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [plain(item, sort_keys=sort_keys) for item in value]
    if dataclasses.is_dataclass(value):
        value = _fields(value)
    if isinstance(value, Mapping):
        items = sorted(value.items()) if sort_keys else value.items()
        return {key: plain(item, sort_keys=sort_keys) for key, item in items}
    return value.value if isinstance(value, Enum) else value


def read_part(kind: type[Part], value: Any, place: str) -> Part:
    """Read a dataclass that is no document of its own; see `Document.from_dict`.

    Parameters
    ----------
    place
        What errors call it.
    """
    part: Part = _reader(kind)(value, place)  # type: ignore[arg-type]  # a class is hashable
    return part


def parsed(text: str | bytes, name: str) -> Any:
    """Return what a JSON text holds.

    Raises
    ------
    ContractViolationError
        If it is not JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise ContractViolationError(f"{name}: {_shown(text)} is not JSON") from error


@functools.cache
def _reader(kind: Any) -> Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value, place: value
    if kind in _PLAIN:
        return functools.partial(_read_plain, kind)
    if isinstance(kind, type) and issubclass(kind, Document):
        return kind._read
    if dataclasses.is_dataclass(kind):
        return _fields_reader(kind)  # type: ignore[arg-type]  # a class is hashable
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        return functools.partial(
            _read_union, [_reader(member) for member in members], type(None) in arguments
        )
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return functools.partial(_read_items, origin, _reader(arguments[0]))
    if origin is tuple:
        return functools.partial(_read_tuple, [_reader(argument) for argument in arguments])
    if origin in (dict, Mapping):
        return functools.partial(_read_mapping, _reader(arguments[1]))
    choices = {one.value: one for one in kind} if origin is None else {one: one for one in arguments}
    return functools.partial(_read_choice, choices)


@functools.cache
def _fields_reader(kind: Any) -> Reader:
    hints, absent = get_type_hints(kind), dataclasses.MISSING
    fields = dataclasses.fields(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields}
    needed = {one.name for one in fields if one.default is absent and one.default_factory is absent}

    def read(value: Any, place: str) -> Any:
        document = _object(value, place)
        missing, unknown = needed - document.keys(), document.keys() - readers
        if missing or unknown:
            what = f"unknown key {_shown(min(unknown))}" if unknown else f"no key {min(missing)!r}"
            raise ContractViolationError(f"{place}: {what}")
        return kind(**{name: readers[name](item, f"{place}.{name}") for name, item in document.items()})

    return read


def _read_plain(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, _PLAIN[kind]) or (isinstance(value, bool) and kind is not bool):
        raise _unexpected(value, place, _WORDS[kind])
    return value


def _read_union(members: Sequence[Reader], optional: bool, value: Any, place: str) -> Any:
    if value is None and optional:
        return None
    for read in members[:-1]:
        with contextlib.suppress(ContractViolationError):
            return read(value, place)
    return members[-1](value, place)


def _read_items(kind: Any, read: Reader, value: Any, place: str) -> Any:
    return kind(read(item, f"{place}[{at}]") for at, item in enumerate(_list(value, place)))


def _read_tuple(readers: Sequence[Reader], value: Any, place: str) -> tuple[Any, ...]:
    if len(_list(value, place)) != len(readers):
        raise _unexpected(value, place, f"a list of {len(readers)} items")
    return tuple(
        read(item, f"{place}[{at}]") for at, (read, item) in enumerate(zip(readers, value, strict=True))
    )


def _read_mapping(read: Reader, value: Any, place: str) -> dict[str, Any]:
    return {key: read(item, f"{place}.{key}") for key, item in _object(value, place).items()}


def _read_choice(choices: dict[Any, Any], value: Any, place: str) -> Any:
    for choice, found in choices.items():
        if type(choice) is type(value) and choice == value:
            return found
    raise _unexpected(value, place, " or ".join(map(repr, choices)))


def _list(value: Any, place: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise _unexpected(value, place, "a list")
    return value


def _fields(part: Any) -> dict[str, Any]:
    kind: Any = type(part)
    return {name: getattr(part, name) for name in _field_names(kind)}


@functools.cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(value, place, "an object")
    return value


def _unexpected(value: Any, place: str, expected: str) -> ContractViolationError:
    return ContractViolationError(f"{place}: {_shown(value)}, expected {expected}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
