"""A workload made of a foreign detector, and its file: every line that is not plain has its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from watchkeeper.spec import WorkloadSpecError, load_workload

_COMMENT_WIDTH = 106


@dataclass(frozen=True)
class Left:
    """Something of the foreign detector that the workload does not have."""

    what: str
    """Key and value as they were."""
    reason: str
    nearest: str
    """What comes nearest to it, and where it is written."""

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}; nearest: {self.nearest}"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A workload before it is written.

    Parameters
    ----------
    origin
        Which detector of which service it was, and the file.
    document
        What the file says, in the order of its keys.
    notes
        A comment for a key, by its path from the top: `source.topic`.
    """

    origin: str
    document: Mapping[str, Any]
    notes: Mapping[str, str] = field(default_factory=dict)
    left: Sequence[Left] = ()

    @property
    def name(self) -> str:
        """Name of the workload."""
        return str(self.document["name"])


@dataclass(frozen=True)
class Unmade:
    """A detector that no workload can be made of."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


def text_of(draft: Draft, path: Path) -> str:
    """Return the text of a draft's file.

    Raises
    ------
    WorkloadSpecError
        If what the foreign detector says is not allowed here: a name of 200 characters, say.
    """
    lines = ["# yaml-language-server: $schema=schema.json", *_comment(f"made of {draft.origin}")]
    if draft.left:
        lines += ["#", "# not carried over:"]
        lines += [line for left in draft.left for line in _comment(str(left), "- ", "  ")]
    for key, value in draft.document.items():
        lines += _blank_before(value) + _entry(key, value, key, draft.notes, 0)
    text = "\n".join([*lines, ""])
    load_workload(path, text)
    return text


def problems_of(error: WorkloadSpecError) -> str:
    """Return what is wrong with a draft without the lines of a file that was not written."""
    return "; ".join(f"{problem.key}: {problem.value}: {problem.message}" for problem in error.problems)


def _blank_before(value: Any) -> list[str]:
    return [""] if isinstance(value, Mapping | list) else []


def _entry(key: str, value: Any, path: str, notes: Mapping[str, str], depth: int) -> list[str]:
    indent = "  " * depth
    comments = [f"{indent}{line}" for line in _comment(notes[path])] if path in notes else []
    if isinstance(value, Mapping) and (depth == 0 or _has_block(value)):
        inside = [
            line
            for name, each in value.items()
            for line in _entry(name, each, f"{path}.{name}", notes, depth + 1)
        ]
        return [*comments, f"{indent}{_flow(key)}:", *inside]
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        items = []
        for number, item in enumerate(value):
            note = f"{path}[{number}]"
            if note in notes:
                items += [f"{indent}  {line}" for line in _comment(notes[note])]
            items.append(f"{indent}  - {_flow(item)}")
        return [*comments, f"{indent}{_flow(key)}:", *items]
    return [*comments, f"{indent}{_flow(key)}: {_flow(value)}"]


def _has_block(value: Mapping[str, Any]) -> bool:
    return any(isinstance(each, list) and each and isinstance(each[0], Mapping) for each in value.values())


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _comment(text: str, first: str = "", then: str = "") -> list[str]:
    """Return the lines of a comment; control characters of a foreign text would end it."""
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    lines, line = [], f"# {first}"
    for word in words:
        if len(line) + len(word) > _COMMENT_WIDTH and not line.endswith(("# ", first or "# ")):
            lines.append(line.rstrip())
            line = f"# {then}"
        line += f"{word} "
    return [*lines, line.rstrip()]
