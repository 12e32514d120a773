"""A guide of commands as a walk: each step's commands are run, and what it says one sees must be seen.

A step is a section `## …` of the document. Its blocks of `sh` are run, in order, by one bash; a block of
`text` is what they write: each of its lines must be among the lines that were written, in the same order; `…`
stands for anything. Blocks of `console` are for people and are not run. The variables of the section
`Settings` hold in every step.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "Settings"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One section of the guide."""

    title: str
    commands: str
    sees: tuple[str, ...]


def steps_of(document: str) -> list[Step]:
    """Return the sections that have commands."""
    parts = _SECTION.split(document)[1:]
    found = []
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        blocks = _BLOCK.findall(text)
        commands = "".join(body for kind, body in blocks if kind == "sh")
        sees = tuple(line for kind, body in blocks if kind == "text" for line in body.splitlines())
        if commands:
            found.append(Step(title.strip(), commands, sees))
    return found


def unseen(sees: Iterable[str], written: str) -> list[str]:
    """Return the lines that should have been written, from the first that was not."""
    lines, expected = iter(map(_plain, written.splitlines())), list(sees)
    for position, line in enumerate(expected):
        pattern = re.compile(".*".join(re.escape(part.strip()) for part in _plain(line).split("…")))
        if not any(pattern.search(each) for each in lines):
            return expected[position:]
    return []


@dataclass
class Walk:
    """Goes through a guide, and remembers how far it came.

    Parameters
    ----------
    document
        The guide.
    record
        File that has the steps that are done, of this version of the guide; a new walk goes on after them.
    """

    document: Path
    record: Path

    def __post_init__(self) -> None:
        """Read the guide."""
        text = self.document.read_text()
        found = steps_of(text)
        self.version = hashlib.sha256(text.encode()).hexdigest()
        self.settings = "".join(step.commands for step in found if step.title == SETTINGS)
        self.steps = [step for step in found if step.title != SETTINGS]

    def done(self) -> list[str]:
        """Return the titles of the steps that were done."""
        known = json.loads(self.record.read_text()) if self.record.is_file() else {}
        return list(known["done"]) if known.get("version") == self.version else []

    def ahead(self) -> Iterator[Step]:
        """Give the steps that are not done."""
        return (step for step in self.steps if step.title not in self.done())

    def take(self, step: Step, *, look: bool = True) -> str:
        """Run a step's commands and remember it; return what they wrote.

        Parameters
        ----------
        look
            Whether what the guide shows must be seen: not where a walk that failed is cleared away.

        Raises
        ------
        AssertionError
            If a command fails, or something that the guide shows is not written.
        """
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "COLUMNS": "200",
        }
        script = f"set -euo pipefail\n{self.settings}\n{step.commands}"
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ended.returncode == 0, f"{step.title}:\n{ended.stdout[-6000:]}"
        missing = unseen(step.sees, ended.stdout) if look else []
        assert not missing, f"{step.title}: not seen: {missing[0]!r} in\n{ended.stdout[-6000:]}"
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(
            json.dumps({"version": self.version, "done": [*self.done(), step.title]}, indent=1)
        )
        return ended.stdout

    def forget(self) -> None:
        """Begin anew next time."""
        self.record.unlink(missing_ok=True)


def _plain(line: str) -> str:
    return " ".join(line.split())
