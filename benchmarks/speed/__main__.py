"""Run the speed benchmark: `python -m benchmarks.speed`, and `--fleet` for fleets of up to a million series.

`--before COMMIT` measures the streaming detector alone, beside that version, and a scoring function's start.

Writes `build/benchmarks/speed.json` and `docs/benchmarks-speed.md`; what is not measured anew is kept.

rrcf and isotree are no dependencies of the project. To have them measured too (isotree is compiled, which
takes some minutes and a C++ compiler): `uv pip install rrcf "setuptools<81" isotree`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import pages
from benchmarks.speed import cold_start, growth, rates, report, shared_forest, versions
from benchmarks.speed.contenders import DETECTORS, ENGINES, FORESTS
from benchmarks.speed.growth import FLEET_SIZES

JSON = pages.FOLDER / "speed.json"
PAGE = pages.DOCS / "benchmarks-speed.md"
FEATURES, TREES = (1, 8, 48), (50, 100)


def main(
    fleet: bool = typer.Option(
        False,
        help="Measure fleets, a record and a shared forest only; sizes beyond the memory are left out.",
    ),
    series: Annotated[list[int], typer.Option(help="Size of a fleet; repeat it.")] = list(FLEET_SIZES),  # noqa: B006 - typer copies it
    before: Annotated[
        str, typer.Option(help="Measure the streaming detector only, beside the version of this commit.")
    ] = "",
    repetitions: int = typer.Option(7, min=1, help="Turns of each engine."),
) -> None:
    """Measure speed and memory side by side and write the results down."""
    console = Console(width=160)
    results = pages.load(JSON)
    if before:
        results["versions_machine"] = pages.machine()
        results["versions"] = [asdict(one) for one in versions.compare(before, turns=repetitions)]
        results["cold_start"] = asdict(cold_start.cold_start(turns=repetitions))
        pages.save(JSON, results)
        report.write_page(PAGE, results)
        report.show(console, {name: results[name] for name in ("versions", "cold_start")})
        return
    results["fleet_machine" if fleet else "machine"] = pages.machine()
    if fleet:
        sizes = [size for size in series if growth.fits(size)]
        measured = [asdict(growth.fleet_in_a_process(size, threads)) for size in sizes for threads in (1, 2)]
        kept = [cost for cost in results.get("fleet", []) if cost["series"] not in sizes]
        results["fleet"] = sorted(kept + measured, key=lambda cost: (cost["series"], cost["threads"]))
    else:
        found = []
        for features in FEATURES:
            for trees in TREES:
                console.print(f"{features} features, {trees} trees", style="dim")
                engines = (*FORESTS, *DETECTORS) if trees == TREES[0] else FORESTS
                found += rates.measure(engines, features, trees, repetitions=repetitions)
        results["rates"] = [asdict(rate) for rate in found]
        installed = [name for name, engine in ENGINES.items() if engine.installed()]
        results["memory"] = [asdict(growth.peak_memory(name)) for name in installed]
    results["records"] = [asdict(cost) for cost in growth.records()]
    results["shared_forest"] = [asdict(shared_forest.cost(size)) for size in shared_forest.SIZES]
    pages.save(JSON, results)
    report.write_page(PAGE, results)
    report.show(console, results)


if __name__ == "__main__":
    typer.run(main)
