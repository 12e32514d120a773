"""Measure incidents; regenerates `docs/benchmarks-incidents.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean

import typer

from benchmarks import pages
from benchmarks.incidents.measurements import (
    LEVELS,
    SHUFFLES,
    FaultFound,
    FaultsFound,
    Quiet,
    by_kind,
    measure_faults,
    measure_quiet,
    share,
)
from benchmarks.incidents.told import Told, of_nab, of_workloads

PAGE = pages.DOCS / "benchmarks-incidents.md"
RESULTS = pages.FOLDER / "incidents.json"
RIGHT_AT_LEAST = 95.0
_SMALL = 0.7
_TITLES = 11


def main(
    worlds: int = typer.Option(8, min=1, help="Worlds of 12 stations; 16 faults in each."),
    repetitions: int = typer.Option(1, min=1, help="Months of each kind of series in which nothing happens."),
    page: bool = typer.Option(True, help="Write the page."),
) -> None:
    """Measure, print and write the page; causes that are wrong too often end it with status 1."""
    about = pages.machine()
    faults = measure_faults(worlds)
    print(_faults(faults.faults), flush=True)
    quiet = list(measure_quiet(repetitions))
    print(_quiet(quiet), flush=True)
    told = [*of_workloads(), of_nab()]
    print(_told(told), flush=True)
    pages.save(
        RESULTS,
        {
            "machine": about,
            "faults": asdict(faults),
            "quiet": [asdict(one) for one in quiet],
            "told": [asdict(one) for one in told],
        },
    )
    if page:
        PAGE.write_text(_page(pages.described(about), faults, quiet, told), encoding="utf-8")
    right = share(fault.right for fault in faults.faults)
    if right < RIGHT_AT_LEAST or faults.differing:
        raise SystemExit(f"{right:.1f} of 100 causes are right; {faults.differing} runs depend on the order")


def _page(machine: str, faults: FaultsFound, quiet: Sequence[Quiet], told: Sequence[Told]) -> str:
    found = [fault for fault in faults.faults if fault.incidents]
    titles = {fault.kind: fault for fault in found}
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            machine=machine,
            count=len(faults.faults),
            found=len(found),
            runs=faults.runs,
            shuffles=SHUFFLES,
            differing=faults.differing,
            others=faults.others,
            right=share(fault.right for fault in faults.faults),
            incidents_a_fault=sum(fault.incidents for fault in found) / len(found),
            points=sum(fault.points for fault in found) / sum(fault.incidents for fault in found),
            throttled=faults.throttled,
            incidents=faults.incidents,
            by_kind=_faults(faults.faults),
            by_quiet=pages.table(
                ("quiet, minutes", "incidents a fault"),
                [(minutes, f"{value:.2f}") for minutes, value in faults.by_quiet.items()],
            ),
            titles=pages.table(
                ("fault", "title", "worst anomaly", "severity of the whole"),
                [
                    (fault.kind, fault.title, f"{fault.worst_point:.0f}", f"{fault.severity:.0f}")
                    for fault in list(titles.values())[:_TITLES]
                ],
            ),
            quiet=_quiet(quiet),
            told=_told(told),
        )
    )


def _faults(found: Sequence[FaultFound]) -> str:
    groups = {
        **by_kind(found),
        f"all, size below {_SMALL}": [fault for fault in found if abs(fault.size) < _SMALL],
        "all": list(found),
    }
    header = (
        "fault",
        "faults",
        "found",
        "incidents a fault",
        "points an incident",
        "stations",
        "measures",
        "both",
    )
    rows = []
    for kind, faults in groups.items():
        met = [fault for fault in faults if fault.incidents]
        if not met:
            continue
        rows.append(
            (
                kind,
                len(faults),
                len(met),
                f"{mean(fault.incidents for fault in met):.2f}",
                f"{sum(fault.points for fault in met) / sum(fault.incidents for fault in met):.1f}",
                f"{share(fault.right_stations for fault in faults):.0f}",
                f"{share(fault.right_measures for fault in faults):.0f}",
                f"{share(fault.right for fault in faults):.0f}",
            )
        )
    return pages.table(header, rows, rule="---:")


def _quiet(quiet: Sequence[Quiet]) -> str:
    header = ("nothing happens in", *(f"≥ {level}: anomalies, incidents" for level in LEVELS))
    rows: list[tuple[str, ...]] = []
    for one in quiet:
        pairs = zip(one.anomalies, one.incidents, strict=True)
        rows.append((one.kind, *(f"{a / one.weeks:.2f}, {i / one.weeks:.2f}" for a, i in pairs)))
    means = [
        f"{mean(one.anomalies[at] / one.weeks for one in quiet):.2f}, "
        f"{mean(one.incidents[at] / one.weeks for one in quiet):.2f}"
        for at in range(len(LEVELS))
    ]
    rows.append(("mean", *means))
    return pages.table(header, rows, rule="---:")


def _told(told: Sequence[Told]) -> str:
    header = (
        "data",
        "days",
        "anomalies",
        "alerts before",
        "incidents",
        "escalations",
        "alerts after",
        "windows",
        "recall before",
        "recall after",
    )
    rows = [
        (
            one.subject,
            f"{one.days:.0f}",
            one.anomalies,
            one.throttled,
            one.incidents,
            one.escalations,
            one.alerts,
            one.windows or "no labels",
            *(
                f"{found / one.windows:.2f} ({found})" if one.windows else ""
                for found in (one.found_before, one.found_after)
            ),
        )
        for one in told
    ]
    return pages.table(header, rows, rule="---:")


if __name__ == "__main__":
    typer.run(main)
