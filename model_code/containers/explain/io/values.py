"""Values of a configuration's keys, checked by type; a wrong one is noted and read as absent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from containers.explain.io.configuration_keys import Problems, check_keys, shown

T = TypeVar("T")


class Reader:
    """Reads the keys of one section.

    Parameters
    ----------
    section
        Its path, such as `methods.shap`; empty for the document itself.
    document
        Its keys and values.
    problems
        Where what is wrong is noted.
    """

    def __init__(self, section: str, document: Mapping[str, Any], problems: Problems) -> None:
        self.section_name = section
        self.document = document
        self.problems = problems

    def problem(self, key: str, message: str) -> None:
        """Note a problem of a key."""
        self.problems.add(f"{self.section_name}.{key}" if self.section_name else key, message)

    def section(self, key: str) -> Reader:
        """Return the reader of a section below; an absent one is empty."""
        value = self.document.get(key, {})
        if not isinstance(value, Mapping):
            self.problem(key, f"{shown(value)} is not an object")
            value = {}
        return self.part(key, value)

    def part(self, key: str, document: Mapping[str, Any]) -> Reader:
        """Return the reader of some keys and values, which are checked as those of the section `key`."""
        path = f"{self.section_name}.{key}" if self.section_name else key
        check_keys(path, document, self.problems)
        return Reader(path, document, self.problems)

    def text(self, key: str, default: str | None) -> str | None:
        """Return text."""
        return self._read(key, default, lambda value: isinstance(value, str) and value != "", "text")

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        return self._read(key, default, lambda value: isinstance(value, bool), "true or false")

    def integer(self, key: str) -> int | None:
        """Return a whole number."""
        return self._read(key, None, _is_integer, "a whole number")

    def positive(self, key: str) -> int | None:
        """Return a whole number of at least 1."""
        return self._read(
            key, None, lambda value: _is_integer(value) and value >= 1, "a whole number of at least 1"
        )

    def number(self, key: str, default: float) -> float:
        """Return a number."""
        return float(self._read(key, default, _is_number, "a number"))

    def column(self, key: str) -> str | int | None:
        """Return a column's name or index."""
        return self._read(key, None, _is_column, "a column's name or index")

    def columns(self, key: str) -> tuple[str | int, ...] | None:
        """Return names or indices of columns."""
        return self._list(key, _is_column, "a list of columns' names or indices")

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Return a list of text."""
        return self._list(key, lambda value: isinstance(value, str), "a list of text")

    def cells(self, key: str) -> tuple[Any, ...] | None:
        """Return a list of numbers and text."""
        return self._list(
            key, lambda value: isinstance(value, str) or _is_number(value), "a list of numbers or text"
        )

    def _list(self, key: str, accepts: Callable[[Any], bool], what: str) -> tuple[Any, ...] | None:
        value = self._read(
            key,
            None,
            lambda found: isinstance(found, list) and bool(found) and all(map(accepts, found)),
            what,
        )
        return None if value is None else tuple(value)

    def _read(self, key: str, default: T, accepts: Callable[[Any], bool], what: str) -> Any | T:
        value = self.document.get(key)
        if value is None:
            return default
        if accepts(value):
            return value
        self.problem(key, f"{shown(value)} is not {what}")
        return default


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_column(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or _is_integer(value)
