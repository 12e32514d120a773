"""`watchkeeper why`: one anomaly, and what it is made of."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.table import Table

from cli.specs import AsJson
from cli.watched import Watched
from watchkeeper.anomalies.event import AnomalyEvent, alert_text
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.command.screen import console, done, note, say
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.features.contributions import MEANINGS

BEFORE, AFTER = 60, 12
"""Intervals that the chart has beside the anomaly."""


def why(
    anomaly_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Of an anomaly (its beginning is enough) or an incident, as alerts tell it."
        ),
    ],
    workload: Annotated[str | None, typer.Option(help="Look in this workload only.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="PNG to draw; without it the chart is in the terminal.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell why an interval is an anomaly: value, usual band, parts of the score, chart.

    Of an incident's id it tells the anomaly that opened it.
    """
    watched = Watched(boto3.Session())
    event = watched.anomaly(anomaly_id, workload)
    if as_json:
        console.out(json.dumps(event.to_dict()), highlight=False)
        return
    plan = watched.plan(event.workload)
    say(alert_text(event, plan.timestamp.timezone))
    if event.contributions:
        say("")
        console.print(parts_of(event))
    lines = _around(watched, event)
    if not lines:
        note("its scores are not kept any more, so there is no chart")
        return
    from cli.score_charts import save_chart, terminal_chart

    circled = next((at for at, line in enumerate(lines) if line.start == event.at), None)
    if output is None:
        say("")
        console.print(terminal_chart(lines, plan))
    else:
        save_chart(lines, plan, output, circled)
        done(str(output))


def parts_of(event: AnomalyEvent) -> Table:
    """Lay out what the score is made of, each kind of part with what it is where it comes first."""
    table = Table(box=None, pad_edge=False)
    table.add_column("share", justify="right")
    table.add_column("part of the score", overflow="fold")
    table.add_column("what it is", overflow="fold")
    total = sum(part.score for part in event.contributions)
    said: set[str] = set()
    for part in event.contributions:
        meaning = "" if part.feature in said else MEANINGS.get(part.feature, "")
        said.add(part.feature)
        table.add_row(f"{part.score / total:.0%}", part.in_words(event.interval_seconds), meaning)
    return table


def _around(watched: Watched, event: AnomalyEvent) -> list[ScoreLine]:
    start, interval = parse_instant(event.interval_start), timedelta(seconds=event.interval_seconds)
    span = start - BEFORE * interval, start + (AFTER + 1) * interval
    return watched.lines(event.workload, event.series, *span)
