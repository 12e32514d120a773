"""`watchkeeper incidents` and `watchkeeper incident`: what hung together, how bad it was, what it was of."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal

import boto3
import typer
from rich.markup import escape
from rich.table import Column, Table

from cli.specs import anomaly_spec_of
from cli.stacks import Deployment
from cli.telemetry import instant_of
from lambdas.adapters.incident_store import TableIncidents
from watchkeeper.command.screen import complain, console
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds, parse_instant
from watchkeeper.incidents.causes import in_words
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import touched_line

LAST = timedelta(days=7)
SHOWN = 20
"""Touched series that are shown; `--json` has all."""


def incidents(
    workload: Annotated[str, typer.Argument(help="Name of a workload, or its file.")],
    since: Annotated[
        str | None, typer.Option("--from", help="That began from this time on: ISO 8601; 7 days before --to.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="That began before this time; now without.")
    ] = None,
    state: Annotated[
        Literal["open", "acknowledged", "closed"] | None, typer.Option(help="Only those in this state.")
    ] = None,
    severity_at_least: Annotated[
        float, typer.Option(min=0, max=100, help="Only those of this severity.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")] = False,
) -> None:
    """List the incidents of a workload, the newest first."""
    spec = anomaly_spec_of(workload, "incidents")
    end = instant_of(until, "--to") or datetime.now(timezone.utc)
    begin = instant_of(since, "--from") or end - LAST
    if begin >= end:
        raise InvalidInputError(f"--from {begin.isoformat()} is not before --to {end.isoformat()}")
    found = _store().between(spec.name, epoch_seconds(begin), epoch_seconds(end) - 1)
    chosen = [
        each for each in reversed(found) if state in (None, each.state) and each.severity >= severity_at_least
    ]
    if as_json:
        for each in chosen:
            console.out(each.to_json(), highlight=False)
    elif chosen:
        console.print(_table(chosen))
    if not chosen:
        complain(
            f"no incident of {spec.name} began from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
            + (f" that these options take; {len(found)} others did" if found else "")
        )


def incident(
    incident_id: Annotated[str, typer.Argument(help="Id of the incident, as alerts and the list show it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write the whole document.")] = False,
) -> None:
    """Show one incident: what it is of, what it is made of, the series it touches, and what happened."""
    found = _store().find(incident_id)
    if found is None:
        raise InvalidInputError(
            f"there is no incident {incident_id!r}: `watchkeeper incidents WORKLOAD` lists them"
        )
    if as_json:
        console.out(found.to_json(), highlight=False)
        return
    if found.incident_id != incident_id:
        complain(f"{incident_id} is in {found.incident_id} now")
    for line in described(found):
        console.out(line, highlight=False)


def described(found: Incident) -> list[str]:
    """Return an incident in words, line by line."""
    lines = [
        found.title,
        "",
        f"Incident:  {found.incident_id} of {found.workload}",
        f"State:     {found.state}",
        f"Severity:  {found.severity:.0f} of 100",
        f"Time:      {found.opened_at} to {found.last_at}",
    ]
    if found.causes is not None:
        for name, shares in {**found.causes.dimensions, "measure": found.causes.measures}.items():
            parts = ", ".join(
                f"{each.share:.0%} {each.name or f'{each.values} others'}" for each in shares[:5]
            )
            lines.append(f"By {name}: {parts}")
        lines += [f"History:   {in_words(relation)}" for relation in found.causes.relations]
    lines += ["", f"Touched:   {len(found.touched)} series"]
    lines += [f"  {touched_line(part)}" for part in found.touched[:SHOWN]]
    if len(found.touched) > SHOWN:
        lines.append(f"  and {len(found.touched) - SHOWN} more (--json)")
    lines += ["", "What happened:"]
    for entry in found.timeline:
        told = f", severity {entry.severity:.0f}" if entry.severity is not None else ""
        lines.append(f"  {entry.at}  {' '.join(filter(None, [entry.what, entry.note, entry.who]))}{told}")
    return lines


def _store() -> TableIncidents:
    session = boto3.Session()
    return TableIncidents(session.client("dynamodb"), Deployment(session).incidents_table)


def _table(chosen: list[Incident]) -> Table:
    fixed = [Column(name, no_wrap=True) for name in ("incident", "began", "for", "severity", "state")]
    table = Table(*fixed, "title", box=None)
    for each in chosen:
        table.add_row(
            each.incident_id,
            f"{parse_instant(each.opened_at):%Y-%m-%d %H:%M}",
            str(timedelta(seconds=each.last - each.opened)),
            f"{each.severity:.0f}",
            each.state,
            escape(each.title),
        )
    return table
