"""`watchkeeper init`: a workload file from files of telemetry."""

from __future__ import annotations

from collections.abc import Sequence
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

Name = Annotated[str | None, typer.Option(help="Of the workload; the first file's by default.")]
Output = Annotated[Path | None, typer.Option(help="File to write; workloads/NAME.yaml by default.")]
AlertsPerWeek = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=10_000,
        help="Wanted alerts a week over all series, which each training fits the threshold to; without it, 7 "
        "at most, as these files are scored.",
    ),
]
Timezone = Annotated[
    str | None, typer.Option(help="Zone of times that name none, such as Europe/Berlin; UTC unless seen.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def init(
    files: Annotated[
        list[Path], typer.Argument(help="Telemetry with the same columns: CSV, JSON or Parquet.")
    ],
    name: Name = None,
    output: Output = None,
    alerts_per_week: AlertsPerWeek = None,
    timezone: Timezone = None,
    force: Force = False,
) -> None:
    """Look at files of telemetry and write a workload for them."""
    called, path = place_of(name, output, files[0].name, Path("workloads"))
    write_workload(files, called, path, alerts_per_week=alerts_per_week, timezone=timezone, force=force)
    say(f"next: watchkeeper up {called}, from a checkout of the project; see README.md")


def place_of(name: str | None, output: Path | None, file: str, folder: Path) -> tuple[str, Path]:
    """Return the name of a workload and where its file is written."""
    called = name or slug((output.name if output else file).partition(".")[0])
    return called, output or folder / f"{called}.yaml"


def write_workload(
    files: Sequence[Path],
    name: str,
    path: Path,
    *,
    alerts_per_week: float | None,
    timezone: str | None,
    force: bool,
    sources: Sequence[str] | None = None,
) -> None:
    """Write a workload for files, and tell what was found and what is not sure.

    Parameters
    ----------
    sources
        What the workload remembers as its files: places in S3, say; None: the files' own paths.

    Raises
    ------
    InvalidInputError
        If the files cannot be understood, or the workload's file is there already; nothing is written then.
    """
    if path.exists() and not force:
        raise InvalidInputError(
            f"{path} is there already: --force writes over it, --name or --output beside it"
        )
    found = discover(files, timezone)
    remembered = [str(file.absolute()) for file in files] if sources is None else sources
    text = draft(found, name=name, alerts_per_week=alerts_per_week, files=remembered)
    load_workload(path, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    console.print(_summary(found))
    for doubt in found.doubts:
        say(f"? {doubt}")
    done(f"{path}: read it, and say in alerts.routes who is told")


def _summary(found: Discovery) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    zone = "" if found.timestamp.timezone == "UTC" else f", {found.timestamp.timezone}"
    names = distinct_names(measure.field for measure in found.measures)
    units = [f" [{measure.unit}]" if measure.unit else "" for measure in found.measures]
    rows = {
        "rows": f"{found.n_rows:,}, {found.first:%Y-%m-%d %H:%M} to {found.last:%Y-%m-%d %H:%M} UTC",
        "time": f"{found.timestamp.field} ({found.timestamp.format}{zone})",
        "numbers": "decimal comma, points between thousands" if found.dialect.decimal == "," else "",
        "measures": ", ".join(name + unit for name, unit in zip(names, units, strict=True)),
        "dimensions": ", ".join(f"{name} ({count} values)" for name, count in found.dimensions.items())
        or "none",
        "interval": duration_text(timedelta(seconds=found.interval_seconds)),
        "without a reading": f"{found.gaps:.1%} of the intervals",
        "rhythm": ", ".join(found.rhythms) or "none seen",
    }
    for name, text in rows.items():
        if text:
            table.add_row(name, text.replace("[", "\\["))
    return table
