"""`watchkeeper history`: what the scoring loop has said of a series, read back from S3."""

from __future__ import annotations

import json
from typing import Annotated

import boto3
import typer
from botocore.config import Config
from rich.table import Table

from cli.specs import AsJson, WorkloadName, anomaly_spec_of
from cli.stacks import Deployment
from cli.telemetry import span_of
from lambdas.history.effects import S3MergedObjects
from lambdas.history.reading import AT_ONCE, Wanted, read_series
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.command.screen import complain, console
from watchkeeper.core.severity import severity_cell, severity_heading
from watchkeeper.core.timestamps import in_zone


def history(
    workload: WorkloadName,
    series: Annotated[str, typer.Option(help="Key of the series, such as `flow|pump=7`.")],
    since: Annotated[
        str | None, typer.Option("--from", help="From this time on: ISO 8601; a day before --to without.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--to", help="Before this time; now without. A time without a zone is in that of the source."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what was scored of a series: value, expected value and band, score, severity, flags."""
    spec = anomaly_spec_of(workload, "history")
    session, zone = boto3.Session(), spec.plan().timestamp.timezone
    begin, end = span_of(since, until, zone)
    client = session.client("s3", config=Config(max_pool_connections=AT_ONCE))
    objects = S3MergedObjects(client, Deployment(session).bucket)
    lines = read_series(objects, Wanted(spec.name, series, begin, end))
    if as_json:
        for line in lines:
            console.out(json.dumps(line.to_dict()), highlight=False)
    elif lines:
        console.print(_table(lines, zone))
    if not lines:
        complain(f"nothing is scored of {series!r} of {spec.name} from {begin} to {end}")


def _table(lines: list[ScoreLine], zone: str) -> Table:
    table = Table("interval", "value", "expected", "band", "score", severity_heading(), "", box=None)
    for line in lines:
        band = "" if line.lower is None else f"{_number(line.lower)} … {_number(line.upper)}"
        flag = (
            "[bold red]anomaly[/]"
            if line.is_anomaly
            else line.reason or (f"ignored: {line.rule}" if line.rule else "")
        )
        table.add_row(
            in_zone(line.start, zone),
            _number(line.value),
            _number(line.expected),
            band,
            _number(line.anomaly_score),
            "" if line.severity is None else severity_cell(line.severity, line.severity_threshold),
            flag,
        )
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
