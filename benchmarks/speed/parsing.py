"""What it takes to parse a record, beside the version of a commit: in turns, and with equal results.

`python -m benchmarks.speed.parsing --before COMMIT`
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.pages import described, machine
from benchmarks.speed import parsing_work
from benchmarks.speed.versions import ROOT, checked_out, environment_of
from watchkeeper.command.screen import console, say


def main(
    before: Annotated[str, typer.Option(help="Commit to compare with.")],
    turns: Annotated[int, typer.Option(min=1, help="Processes of each version; the median counts.")] = 7,
) -> None:
    """Measure both versions; other results than the commit's end the command with status 1."""
    about = machine()
    table = Table("record", "what", "before", "now", "times", box=None)
    records = parsing_work.OBJECTS * parsing_work.LINES
    with checked_out(before) as tree:
        for work in parsing_work.FIELDS:
            found = [(_run(tree, work), _run(ROOT, work)) for _ in range(turns)]
            if len({digest for pair in found for _, digest in pair}) > 1:
                raise SystemExit(f"{work}: the versions read other records")
            for place, what in enumerate(("parse the lines", "make columns of them")):
                old, new = (median(pair[version][0][place] for pair in found) for version in (0, 1))
                cells = (f"{1e6 * seconds / records:.1f} µs" for seconds in (old, new))
                table.add_row(f"{work} measures", what, *cells, f"{old / new:.1f}")
    console.print(table)
    say(f"{records:,} records a turn, processor time, median of {turns}; equal results. {described(about)}")


def _run(tree: Path, work: str) -> tuple[tuple[float, float], str]:
    command = [sys.executable, parsing_work.__file__, work]
    done = subprocess.run(command, env=environment_of(tree), check=True, capture_output=True, text=True)
    parsing, columns, digest = json.loads(done.stdout)
    return (parsing, columns), digest


if __name__ == "__main__":
    typer.run(main)
