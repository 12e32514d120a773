"""Try faults on a local cloud of its own, and print what came of them as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from benchmarks import pages
from benchmarks.faults import equality, matrix
from benchmarks.faults.killing import HIDDEN_SECONDS
from benchmarks.faults.loop import Loop
from benchmarks.journey.laptop import Trained, running, trained
from cli.demo.inbox import subscribed
from cli.specs import anomaly_spec_of
from watchkeeper.command.screen import console, say

PAGE = pages.DOCS / "benchmarks-faults.md"
JSON = pages.FOLDER / "faults.json"
WORKLOADS = ("machine_temperature", "air_quality")
_ZERO = (
    "lost",
    "twice",
    "other value",
    "other score",
    "wrong aggregates",
    "wrong scores",
    "told twice",
    "not told",
)


def main(
    records: Annotated[
        int, typer.Option(min=60, help="Records a series of each combination of faults.")
    ] = 500,
    most: Annotated[
        int, typer.Option(min=0, help="Records a series of a last run under all faults; 0: none.")
    ] = 10_000,
    live: Annotated[int | None, typer.Option(help="Live records of each workload; all by default.")] = None,
    freshness: Annotated[float, typer.Option(help="Seconds that delivery streams wait.")] = 0.3,
    only: Annotated[str | None, typer.Option(help="equality or matrix.")] = None,
    page: Annotated[Path, typer.Option(help="The page to write.")] = PAGE,
) -> None:
    """Measure; a number that should be 0 and is not ends the command with status 1."""
    about = pages.machine()
    equal: list[Sequence[object]] = []
    rows: list[Sequence[object]] = []
    with running(freshness) as settings:
        for position, workload in enumerate(WORKLOADS):
            if only == "matrix" and workload != matrix.WORKLOAD:
                continue
            subject = trained(settings, workload, deploy=position == 0 or only == "matrix")
            loop = Loop(subject, anomaly_spec_of(workload, "faults"))
            if only != "matrix":
                for found in equality.measure(loop, live):
                    equal.append(found)
                    say(" | ".join(map(str, found)))
            if workload == matrix.WORKLOAD and only != "equality":
                rows += _matrix(subject, loop, records, most)
    _show("bit for bit", equality.HEADER, equal)
    _show("under faults", matrix.HEADER, rows)
    wrong = [*_wrong(equality.HEADER, equal), *_wrong(matrix.HEADER, rows)]
    say(f"{pages.described(about)} Delivery streams waited {freshness:g} s.")
    pages.save(JSON, {"machine": about, "freshness": freshness, "equality": equal, "matrix": rows})
    page.write_text(_page(about, freshness, equal, rows))
    if wrong:
        raise SystemExit(f"not 0: {wrong}")


def _matrix(subject: Trained, loop: Loop, records: int, most: int) -> list[Sequence[object]]:
    topic = subject.deployment.alert_topic_arn
    loop.begin_anew()
    rows: list[Sequence[object]] = []
    with subscribed(subject.session, topic, matrix.WORKLOAD) as inbox:
        runs = [(faults, records) for faults in matrix.combinations()]
        if most:
            runs.append((runs[-1][0], most))
        for number, (faults, count) in enumerate(runs):
            rows.append(matrix.measure(loop, inbox, faults, count, number))
            say(" | ".join(map(str, rows[-1])))
    return rows


def _page(
    about: dict[str, Any],
    freshness: float,
    equal: Sequence[Sequence[object]],
    rows: Sequence[Sequence[object]],
) -> str:
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            machine=pages.described(about),
            freshness=freshness,
            hidden=HIDDEN_SECONDS,
            repeated=equality.REPEATED,
            equality=pages.table(equality.HEADER, equal),
            series=matrix.SERIES,
            spike=matrix.SPIKE_EVERY,
            matrix=pages.table(matrix.HEADER, rows),
        )
    )


def _show(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*header, title=title, title_justify="left", box=None)
    for row in rows:
        table.add_row(*map(str, row))
    console.print(table)


def _wrong(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    return [
        f"{name}: {cell} of {row}"
        for row in rows
        for name, cell in zip(header, row, strict=True)
        if name in _ZERO and cell != 0
    ]


if __name__ == "__main__":
    typer.run(main)
