"""`watchkeeper plot`: the values of a series with their band and anomalies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import boto3
import typer

from cli.specs import AsJson, WorkloadName
from cli.telemetry import span_of
from cli.watched import Watched, known_series, newest_of
from watchkeeper.command.screen import console, done
from watchkeeper.core.errors import InvalidInputError


def plot(
    workload: WorkloadName,
    series: Annotated[str, typer.Argument(help="Key of the series, or a part of it that no other key has.")],
    since: Annotated[
        str | None, typer.Option("--from", help="From this time on; a day before --to without.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="Before this time; without it, up to the last interval. A time without a zone is in the "
            "source's.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="PNG to draw; without it the chart is in the terminal.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a series: values, expected band, anomalies; as PNG also the severity."""
    from cli.score_charts import save_chart, terminal_chart

    watched = Watched(boto3.Session())
    plan = watched.plan(workload)
    key, zone = known_series(watched, plan, series), plan.timestamp.timezone
    begin, end = span_of(since, until, zone, end=lambda: newest_of(watched, plan, key))
    lines = watched.lines(plan.workload, key, begin, end)
    if not lines:
        raise InvalidInputError(f"nothing is scored of {key!r} of {plan.workload} from {begin} to {end}")
    if as_json:
        for line in lines:
            console.out(json.dumps(line.to_dict()), highlight=False)
    elif output is None:
        console.print(terminal_chart(lines, plan))
    else:
        save_chart(lines, plan, output)
        done(f"{output}: {len(lines):,} intervals, {sum(line.is_anomaly for line in lines)} anomalies")
