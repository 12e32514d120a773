"""`watchkeeper init`: a workload file from files of telemetry."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from watchkeeper.command.screen import console, done, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import load_workload
from watchkeeper.spec.discovery import Discovery, discover
from watchkeeper.spec.draft import distinct_names, draft, slug
from watchkeeper.spec.fields import duration_text


def init(
    files: Annotated[
        list[Path], typer.Argument(help="Telemetry with the same columns: CSV, JSON or Parquet.")
    ],
    name: Annotated[str | None, typer.Option(help="Of the workload; the first file's by default.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="File to write; workloads/NAME.yaml by default.")
    ] = None,
    alerts_per_week: Annotated[
        float, typer.Option(min=0.01, max=10_000, help="Wanted alerts a week over all series.")
    ] = 7,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Look at files of telemetry and write a workload for them."""
    found = discover(files)
    called = name or slug((output or files[0]).name.partition(".")[0])
    path = output or Path("workloads") / f"{called}.yaml"
    if path.exists() and not force:
        raise InvalidInputError(
            f"{path} is there already: --force writes over it, --name or --output beside it"
        )
    text = draft(found, name=called, alerts_per_week=alerts_per_week)
    load_workload(path, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    console.print(_summary(found))
    for doubt in found.doubts:
        say(f"? {doubt}")
    done(f"{path}: read it, and say in alerts.routes who is told")
    say(f"next: watchkeeper deploy --workload {called}, then watchkeeper train {called} --history {files[0]}")


def _summary(found: Discovery) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    zone = "" if found.timestamp.timezone == "UTC" else f", {found.timestamp.timezone}"
    names = distinct_names(measure.field for measure in found.measures)
    table.add_row(
        "rows", f"{found.n_rows:,}, {found.first:%Y-%m-%d %H:%M} to {found.last:%Y-%m-%d %H:%M} UTC"
    )
    table.add_row("time", f"{found.timestamp.field} ({found.timestamp.format}{zone})")
    table.add_row("measures", ", ".join(names))
    table.add_row(
        "dimensions", ", ".join(f"{name} ({count})" for name, count in found.dimensions.items()) or "none"
    )
    table.add_row("interval", duration_text(timedelta(seconds=found.interval_seconds)))
    table.add_row("without a reading", f"{found.gaps:.1%} of the intervals")
    table.add_row("rhythm", ", ".join(found.rhythms) or "none seen")
    return table
