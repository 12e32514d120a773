"""The results: JSON, the page in the documentation, tables on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.pages import Results, described, table
from benchmarks.speed.contenders import ATTRIBUTE, KRCF, SCORE, UPDATE
from benchmarks.speed.growth import INTERVAL_SECONDS, TEMPLATE_ROWS
from watchkeeper.detectors.streaming.state import STATE

Rows = list[list[str]]
NOT_INSTALLED = "not installed"
_FLEET = "An interval of a fleet"
_VERSIONS = "The streaming detector beside the version before its kernel was in C"
_MEBIBYTE, _GIBIBYTE = 2**20, 2**30

_INTRODUCTION = """# Benchmarks: speed and memory

Written by `make bench-speed` (`python -m benchmarks.speed`; `--fleet` for the fleets); nothing is typed by
hand. {machine}

- Rates are rows per second of processor time, one thread. The engines take turns; each figure is the median
  of the turns, so trust the ratios more than the figures.
- The peers are called as their interface asks: krcf, rrcf and river row by row, isotree and scikit-learn with
  all rows at once. Rows are normal, 2 % of them four times as far out; trees have 256 rows.
- isotree's and scikit-learn's isolation forests compare one feature with one number at each node and stop at
  depth 8. A random cut forest goes to the leaf and measures the row against the node's box in every feature:
  its score and attribution say more and cost more, in proportion to the features.
"""


def tables(results: Results) -> dict[str, tuple[list[str], Rows]]:
    """Return every table that there are results for: title, header and cells."""
    found: dict[str, tuple[list[str], Rows]] = {}
    rates = results.get("rates", [])
    for operation in (SCORE, ATTRIBUTE, UPDATE):
        if chosen := [rate for rate in rates if rate["operation"] == operation]:
            found[f"Rows a second: {operation}"] = _rates(chosen)
    if memory := results.get("memory"):
        header = ["engine", "before the work, MiB", "peak, MiB", "for the work, MiB"]
        found["Peak memory, 8 features, 50 trees, 20,000 rows"] = (header, [_memory(one) for one in memory])
    if versions := results.get("versions"):
        found[_VERSIONS] = _versions(versions)
    if start := results.get("cold_start"):
        header = ["bundle unpacked, MiB", "processor s", "wall s"]
        seconds = [f"{start[name]:.2f}" for name in ("cpu_seconds", "wall_seconds")]
        found["The start of a scoring function"] = (
            header,
            [[f"{start['bundle_bytes'] / _MEBIBYTE:.0f}", *seconds]],
        )
    if records := results.get("records"):
        cells = [
            [f"{one['records']:,}", f"{one['microseconds']:.1f}", f"{one['state_bytes']:,}"]
            for one in records
        ]
        found["A record more"] = (["records seen", "µs a record", "bytes of state"], cells)
    if forests := results.get("shared_forest"):
        found["One forest for all series, which the fleet does not have"] = _shared_forests(forests)
    if fleets := results.get("fleet"):
        found[_FLEET] = _fleets(fleets)
    return found


def write_page(path: Path, results: Results) -> None:
    """Write the page of the documentation; a section that there are no results for stays as it was."""
    parts = _sections(path)
    if results.get("rates") or not parts:
        parts[""] = _INTRODUCTION.format(machine=described(results["machine"]))
    for title, (header, rows) in tables(results).items():
        parts[title] = f"## {title}\n\n{table(header, rows)}"
        if title == _VERSIONS:
            parts[title] += (
                f"\n{described(results['versions_machine'])} Figures are of processor time, in turns, "
                "medians, each\nturn a process of its own; a command's is from its start to its end, its "
                "wall time in brackets.\n"
            )
        if title == _FLEET:
            parts[title] += (
                f"\n{described(results.get('fleet_machine') or results['machine'])} "
                f"A state is {STATE.itemsize:,} bytes whatever the series' age. The series of a\n"
                f"fleet have seen {TEMPLATE_ROWS:,} rows each, so that all is remembered that can be. An "
                f"interval of {INTERVAL_SECONDS / 60:.0f} minutes has {INTERVAL_SECONDS:.0f} s a core.\n"
            )
    path.write_text("\n".join(parts.values()), encoding="utf-8")


def _sections(path: Path) -> dict[str, str]:
    """Return the sections of a page by their titles, the introduction under an empty one."""
    if not path.exists():
        return {}
    introduction, *sections = path.read_text(encoding="utf-8").split("\n## ")
    return {"": introduction} | {text.split("\n", 1)[0]: "## " + text for text in sections}


def show(console: Console, results: Results) -> None:
    """Write the tables to the screen."""
    for title, (header, rows) in tables(results).items():
        shown = Table(title=title, title_justify="left")
        for number, name in enumerate(header):
            shown.add_column(name, justify="right" if number else "left")
        for row in rows:
            shown.add_row(*row)
        console.print(shown)


def _rates(rates: Sequence[dict[str, Any]]) -> tuple[list[str], Rows]:
    settings = sorted({(rate["features"], rate["trees"]) for rate in rates})
    by_place = {(rate["engine"], rate["features"], rate["trees"]): rate["rows_per_second"] for rate in rates}
    rows = []
    for engine in dict.fromkeys(rate["engine"] for rate in rates):
        cells = [engine]
        for features, trees in settings:
            rate = by_place.get((engine, features, trees), 0.0)
            cells.append(_rate(rate, by_place.get((KRCF.name, features, trees))))
        rows.append(cells)
    return ["engine", *(f"{features}-d, {trees} trees" for features, trees in settings)], rows


def _rate(rate: float | None, krcf: float | None) -> str:
    if rate is None:
        return NOT_INSTALLED
    if not rate:
        return "–"
    return f"{rate:,.0f}" + (f" ({rate / krcf:.2g} × krcf)" if krcf and krcf != rate else "")


def _versions(found: Sequence[dict[str, Any]]) -> tuple[list[str], Rows]:
    names = list(dict.fromkeys(one["version"] for one in found))
    figures = {(one["work"], one["version"]): _figure(one) for one in found}
    works = dict.fromkeys(one["work"] for one in found)
    return ["", *names], [[work, *(figures.get((work, name), "–") for name in names)] for work in works]


def _figure(one: dict[str, Any]) -> str:
    if one["wall_seconds"] is None:
        return f"{one['figure']:,.0f} {one['unit']}"
    return f"{one['figure']:.2f} {one['unit']} ({one['wall_seconds']:.2f})"


def _fleets(fleets: Iterable[dict[str, Any]]) -> tuple[list[str], Rows]:
    rows = [
        [
            f"{one['series']:,}",
            str(one["threads"]),
            f"{one['microseconds_a_series']:.1f}",
            f"{one['cpu_seconds']:.2f}",
            f"{one['wall_seconds']:.2f}",
            f"{one['state_bytes'] / _GIBIBYTE:.2f}",
            f"{one['peak_bytes'] / _GIBIBYTE:.2f}",
        ]
        for one in fleets
    ]
    header = [
        "series",
        "threads",
        "µs a series",
        "processor s",
        "wall s",
        "states, GiB",
        "peak of the process, GiB",
    ]
    return header, rows


def _shared_forests(forests: Iterable[dict[str, Any]]) -> tuple[list[str], Rows]:
    header = ["series", "normalising, µs a series", "scoring, µs a series", "bytes a series", "forest, KiB"]
    rows = [
        [
            f"{one['series']:,}",
            f"{one['normalising_microseconds']:.2f}",
            f"{one['scoring_microseconds']:.2f}",
            str(one["bytes_a_series"]),
            f"{one['forest_bytes'] / 1024:,.0f}",
        ]
        for one in forests
    ]
    return header, rows


def _memory(one: dict[str, Any]) -> list[str]:
    before, peak = one["imported_bytes"], one["peak_bytes"]
    return [one["engine"], *(f"{count / _MEBIBYTE:,.0f}" for count in (before, peak, peak - before))]
