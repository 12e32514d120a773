"""`watchkeeper anomalies`: what was found, the newest first."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterator
from typing import Annotated

import boto3
import typer
from rich.markup import escape
from rich.table import Table

from cli.specs import AsJson, MaybeWorkload
from cli.telemetry import instant_of
from cli.watched import Watched
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.command.screen import console, note, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.severity import THRESHOLD_SEVERITY, severity_cell, severity_heading
from watchkeeper.core.timestamps import in_zone
from watchkeeper.telemetry.series import parse_series_key

SHOWN_ID = 8
"""Characters of an id that are shown: `why` needs no more."""


def anomalies(
    workload: MaybeWorkload = None,
    series: Annotated[str | None, typer.Option(help="Only series that have this in their key.")] = None,
    measure: Annotated[str | None, typer.Option(help="Only this measure.")] = None,
    dimension: Annotated[
        list[str] | None, typer.Option(help="Only this value of a dimension: NAME=VALUE; repeat it.")
    ] = None,
    severity_at_least: Annotated[
        float, typer.Option(min=0, max=100, help=f"{THRESHOLD_SEVERITY:.0f} is the limit of an anomaly.")
    ] = 0.0,
    since: Annotated[str | None, typer.Option("--from", help="From this time on.")] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Before this time; without a zone, in that of the source.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List anomalies, the newest first; without a workload, those of all."""
    watched = Watched(boto3.Session())
    plans = watched.anomaly_plans(workload)
    wanted = dict(_value_of(text) for text in dimension or [])

    def found(plan: WorkloadPlan) -> Iterator[AnomalyEvent]:
        zone = plan.timestamp.timezone
        spans = instant_of(since, "--from", zone), instant_of(until, "--to", zone)
        for event in watched.anomalies(plan.workload, *spans):
            key = parse_series_key(event.series)
            if (
                event.severity >= severity_at_least
                and series_has(event.series, series)
                and measure in (None, key.measure)
                and wanted.items() <= dict(key.dimensions).items()
            ):
                yield event

    every = heapq.merge(*map(found, plans.values()), key=lambda event: event.sort_key, reverse=True)
    chosen = list(itertools.islice(every, limit + 1))
    shown = chosen[:limit]
    if as_json:
        for event in shown:
            console.out(json.dumps(event.to_dict()), highlight=False)
    elif shown:
        console.print(table_of(shown, plans))
        say("`watchkeeper why ID` explains one of them")
    if not shown:
        note("no anomaly that was asked for")
    elif len(chosen) > limit:
        note(f"the newest {limit} are shown: --limit, --from and --to show others")


def table_of(events: list[AnomalyEvent], plans: dict[str, WorkloadPlan]) -> Table:
    """Lay anomalies out, times in the zone of their source."""
    table = Table(box=None, pad_edge=False)
    several = len({event.workload for event in events}) > 1
    for name in ("id", "interval", "series", *(["workload"] if several else [])):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for name in ("value", "usual", severity_heading()):
        table.add_column(name, justify="right", no_wrap=True)
    for event in events:
        table.add_row(
            event.anomaly_id[:SHOWN_ID],
            in_zone(event.at, plans[event.workload].timestamp.timezone),
            escape(event.series),
            *([event.workload] if several else []),
            "none" if event.observed is None else f"{event.observed:.5g}",
            "" if event.lower is None or event.upper is None else f"{event.lower:.4g} to {event.upper:.4g}",
            severity_cell(event.severity, event.severity_threshold),
        )
    return table


def series_has(series: str, part: str | None) -> bool:
    """Tell whether a series was asked for by a part of its key."""
    return part is None or part in series


def _value_of(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise InvalidInputError(f"--dimension {text!r}: write NAME=VALUE, such as machine=B-101")
    return name, value
