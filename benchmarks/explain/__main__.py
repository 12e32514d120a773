"""Run the benchmark of explanations: `python -m benchmarks.explain`, or some parts of it by name.

Writes `build/benchmarks/explain.json` and `docs/benchmarks-explain.md`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported: one thread, as in the job

import warnings
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import pages
from benchmarks.explain import measurements, page

JSON = pages.FOLDER / "explain.json"
PAGE = pages.DOCS / "benchmarks-explain.md"
PARTS: dict[str, Callable[[], Any]] = {
    "speeds": lambda: [asdict(item) for item in measurements.speeds()],
    "agreement": measurements.agreement,
    "growth": lambda: [asdict(item) for item in measurements.growth()],
}


def main(parts: Annotated[list[str], typer.Argument(help="speeds, agreement, growth")] = []) -> None:  # noqa: B006 - typer copies it
    """Measure, and write the results down; what is not measured anew is kept."""
    console = Console(width=160)
    warnings.simplefilter("ignore")
    results = pages.load(JSON) | {"machine": pages.machine()}
    for part, measure in PARTS.items():
        if not parts or part in parts:
            console.print(part, style="dim")
            results[part] = measure()
    pages.save(JSON, results)
    PAGE.write_text(page.render(results), encoding="utf-8")
    console.print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    typer.run(main)
