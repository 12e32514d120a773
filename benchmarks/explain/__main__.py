"""Run the benchmark of explanations: `python -m benchmarks.explain`.

Writes `build/benchmarks/explain.json` and `docs/benchmarks-explain.md`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported: one thread, as in the job

import warnings
from dataclasses import asdict

from rich.console import Console

from benchmarks.explain import measurements, page
from benchmarks.speed import report
from benchmarks.speed.__main__ import ROOT

JSON = ROOT / "build" / "benchmarks" / "explain.json"
PAGE = ROOT / "docs" / "benchmarks-explain.md"


def main() -> None:
    """Measure, and write the results down."""
    console = Console(width=160)
    warnings.simplefilter("ignore")
    console.print("models", style="dim")
    speeds = [asdict(item) for item in measurements.speeds()]
    console.print("exactness", style="dim")
    agreement = measurements.agreement()
    console.print("growth", style="dim")
    growth = [asdict(item) for item in measurements.growth()]
    results = {"machine": report.machine(), "speeds": speeds, "agreement": agreement, "growth": growth}
    report.save(JSON, results)
    PAGE.write_text(page.render(results), encoding="utf-8")
    console.print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
