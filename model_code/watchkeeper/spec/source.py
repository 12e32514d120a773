"""YAML with line numbers: which line a key is on, and keys that are there twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from watchkeeper.core.errors import InvalidInputError

MAX_BYTES = 262_144
MAX_DEPTH = 20
MAX_PARTS = 20_000
"""Keys and list items of a document, those that aliases repeat counted each time."""

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a document."""


@dataclass(frozen=True)
class YamlSource:
    """A parsed document and where its parts are."""

    document: Any
    lines: dict[Path, int]
    """Line, from 1, of each key and list item; the top is `()`."""
    duplicates: tuple[tuple[Path, int, int], ...]
    """Path of a repeated key, its line, and the line of its first use."""

    def line(self, path: Path) -> int:
        """Return the line of a key or, where it is not there, of the nearest part around it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


class YamlSyntaxError(InvalidInputError):
    """Text that is not YAML; `line` says where."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message, reason="bad_yaml")
        self.line = line


def parse_yaml(text: str) -> YamlSource:
    """Parse one YAML document with plain types only.

    Raises
    ------
    YamlSyntaxError
        If it is not YAML, holds what the safe loader does not build, or is larger or deeper than any spec.
    """
    if len(text.encode()) > MAX_BYTES:
        raise YamlSyntaxError(f"has more than {MAX_BYTES} bytes: not a workload", 1)
    try:
        _check_depth(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return YamlSource(None, {(): 1}, ())
        duplicates: list[tuple[Path, int, int]] = []
        lines: dict[Path, int] = {}
        for path, line in _walk(node, (), duplicates, ()):
            if len(lines) == MAX_PARTS:
                raise YamlSyntaxError(
                    f"has more than {MAX_PARTS} parts; do not nest aliases in one another", line
                )
            lines[path] = line
        return YamlSource(loader.construct_document(node), lines, tuple(duplicates))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlSyntaxError(f"not YAML: {error.problem}", mark.line + 1 if mark else 1) from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlSyntaxError(f"not YAML: {error}", 1) from error


def _check_depth(text: str) -> None:
    """Refuse what would be too deep for the composer, which calls itself."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise YamlSyntaxError(f"is nested more than {MAX_DEPTH} levels deep", line)


def _walk(
    node: yaml.Node, path: Path, duplicates: list[tuple[Path, int, int]], above: tuple[int, ...]
) -> Iterator[tuple[Path, int]]:
    yield path, node.start_mark.line + 1
    if id(node) in above:
        raise YamlSyntaxError("an alias refers to what it is part of", node.start_mark.line + 1)
    above = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _walk(item, (*path, position), duplicates, above)
    elif isinstance(node, yaml.MappingNode):
        first_lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first_lines:
                duplicates.append(((*path, name), line, first_lines[name]))
            first_lines.setdefault(name, line)
            yield from _walk(value, (*path, name), duplicates, above)
            yield (*path, name), line
