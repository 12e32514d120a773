"""`watchkeeper export`: all scores of a workload as one file, for pandas and spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer

from cli.specs import WorkloadName
from cli.telemetry import span_of
from cli.watched import Watched, known_series
from lambdas.history.reading import Wanted, read_tables
from watchkeeper.anomalies import merged
from watchkeeper.command.screen import done
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.core.timestamps import EARLIEST, LATEST

FORMATS = (".parquet", ".csv")
EVER = EARLIEST, LATEST - timedelta(days=1)
"""Without `--from` and `--to`."""


def export(
    workload: WorkloadName,
    output: Annotated[Path, typer.Option(help="File to write: .parquet or .csv.")],
    since: Annotated[
        str | None, typer.Option("--from", help="From this time on; without it, all that is kept.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", help="Before this time. A time without a zone is in that of the source."),
    ] = None,
    series: Annotated[
        str | None, typer.Option(help="Only this series: its key, or a part that no other key has.")
    ] = None,
) -> None:
    """Write all scores of a time to a file: value, expected value, band, score, severity, anomaly."""
    if output.suffix not in FORMATS:
        raise InvalidInputError(f"--output {output}: name a file that ends in {' or '.join(FORMATS)}")
    watched = Watched(boto3.Session())
    plan = watched.plan(workload)
    zone = plan.timestamp.timezone
    begin, end = span_of(since, until, zone, begin=EVER[0], end=lambda: EVER[1])
    key = None if series is None else known_series(watched, plan, series)
    tables = read_tables(watched.scores, Wanted(plan.workload, key, begin, end))
    rows = write_tables((table for table in tables if table.num_rows), output)
    if not rows:
        raise InvalidInputError(
            f"nothing is scored of {plan.workload} from {_shown(begin)} to {_shown(end)}; "
            f"{output} was not written"
        )
    done(f"{output}: {rows:,} intervals; times are UTC")


def write_tables(tables: Iterator[Any], output: Path) -> int:
    """Write Arrow tables to one file and return how many rows there are; no file where there are none.

    An earlier file is replaced when all is written, or not at all.
    """
    first = next(tables, None)
    if first is None:
        return 0
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f".{output.name}.part")
    try:
        with _written(part, output.suffix) as write:
            write(first)
            rows: int = first.num_rows
            for table in tables:
                write(table)
                rows += table.num_rows
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return rows


@contextmanager
def _written(path: Path, suffix: str) -> Iterator[Callable[[Any], None]]:
    with extra("pyarrow", "exporting scores"):
        from pyarrow import csv, parquet
    if suffix == ".csv":
        with csv.CSVWriter(str(path), merged.schema()) as writer:
            yield writer.write_table
    else:
        with parquet.ParquetWriter(str(path), merged.schema(), compression="zstd") as writer:
            yield writer.write_table


def _shown(moment: datetime) -> str:
    return "any time" if moment in EVER else f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"
