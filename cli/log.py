"""`watchkeeper log`: how the telemetry of a workload came, a line an interval, and what of it was unusual."""

from __future__ import annotations

import json
from typing import Annotated

import boto3
import typer
from rich.markup import escape
from rich.table import Table

from cli.specs import AsJson, WorkloadName
from cli.telemetry import span_of
from cli.watched import Watched
from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent, quality_sentence
from watchkeeper.command.screen import complain, console, say
from watchkeeper.core.severity import severity_text
from watchkeeper.core.timestamps import in_zone


def log(
    workload: WorkloadName,
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
    """Tell how telemetry came: records, late, duplicated and refused ones, devices, series, completeness."""
    watched = Watched(boto3.Session())
    plan = watched.plan(workload)
    zone = plan.timestamp.timezone
    begin, end = span_of(since, until, zone)
    found = watched.log(plan.workload, begin, end)
    if as_json:
        for one in found.intervals:
            more = {"rows": one.rows, "series": one.series, "completeness": one.completeness}
            console.out(json.dumps({**one.to_dict(), **more}), highlight=False)
        for event in found.events:
            console.out(json.dumps({"quality_event": event.to_dict()}), highlight=False)
        return
    if found.intervals:
        console.print(_table(found.intervals, zone))
    for event in found.events:
        say(_told(event, zone))
    if not found.intervals:
        complain(f"nothing came of {plan.workload} from {in_zone(begin, zone)} to {in_zone(end, zone)}")


def _table(intervals: list[IntervalCounts], zone: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("interval")
    for name in ("objects", "rows", "late", "duplicated", "refused", "devices", "series", "new"):
        table.add_column(name, justify="right")
    table.add_column("complete", overflow="fold")
    for name in ("scored", "anomalies", "lag"):
        table.add_column(name, justify="right")
    for one in intervals:
        lag = one.lag_seconds
        table.add_row(
            in_zone(one.start, zone),
            f"{one.objects:,}",
            f"{one.rows:,}",
            _count(one.late),
            _count(one.duplicated),
            _refused(one),
            f"{one.devices:,}",
            f"{one.series:,}",
            _count(one.new_series),
            _complete(one),
            f"{one.scored:,}" + (f" of {one.scored + one.unscored:,}" if one.unscored else ""),
            _count(one.anomalies),
            "" if lag is None else f"{lag:,.0f} s",
        )
    return table


def _count(count: int) -> str:
    return f"{count:,}" if count else ""


def _refused(one: IntervalCounts) -> str:
    return ", ".join(f"{count:,} {escape(reason)}" for reason, count in sorted(one.refused.items()))


def _complete(one: IntervalCounts) -> str:
    """Return the share of what could be there, and the measures of which something is missing."""
    less = {name: share for name, share in one.completeness.items() if share < 1}
    return ", ".join(f"{escape(name)} {share:.0%}" for name, share in less.items()) or "all"


def _told(event: QualityEvent, zone: str) -> str:
    at = in_zone(event.at, zone)
    what = escape(event.what.replace("|", " "))
    if not event.began:
        return f"{at}  {what} is usual again"
    return f"{at}  {what}: {escape(quality_sentence(event))}; severity {severity_text(event.severity)}"
