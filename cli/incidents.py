"""`watchkeeper incidents` and `watchkeeper incident`: what hung together, how bad it was, what it was of."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import boto3
import typer
from rich.markup import escape
from rich.table import Column, Table

from cli.specs import anomaly_spec_of
from cli.stacks import Deployment
from cli.telemetry import instant_of
from cli.watched import Watched
from lambdas.adapters.incident_store import TableIncidents
from watchkeeper.command.screen import console, note, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import severity_heading, severity_text
from watchkeeper.core.timestamps import EPOCH, LATEST, epoch_seconds, in_zone, parse_instant
from watchkeeper.incidents.causes import in_words
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import touched_line

SHOWN = 20
"""Touched series that are shown; `--json` has all."""


def incidents(
    workload: Annotated[str, typer.Argument(help="Name of a workload, or its file.")],
    since: Annotated[str | None, typer.Option("--from", help="That began from this time on.")] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Before this time; without a zone, in that of the source.")
    ] = None,
    state: Annotated[
        Literal["open", "acknowledged", "closed"] | None, typer.Option(help="Only those in this state.")
    ] = None,
    severity_at_least: Annotated[
        float, typer.Option(min=0, max=100, help="Only those of this severity.")
    ] = 0.0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")] = False,
) -> None:
    """List the incidents of a workload, the newest first."""
    spec = anomaly_spec_of(workload, "incidents")
    zone = spec.plan().timestamp.timezone
    end = instant_of(until, "--to", zone) or LATEST
    begin = instant_of(since, "--from", zone) or EPOCH
    if begin >= end:
        raise InvalidInputError(f"--from {begin.isoformat()} is not before --to {end.isoformat()}")
    found = _store().between(spec.name, epoch_seconds(begin), epoch_seconds(end) - 1)
    chosen = [
        each for each in reversed(found) if state in (None, each.state) and each.severity >= severity_at_least
    ]
    shown = chosen[:limit]
    if as_json:
        for each in shown:
            console.out(each.to_json(), highlight=False)
    elif shown:
        console.print(_table(shown, zone))
        say("`watchkeeper incident ID` shows one")
    if not shown:
        note(
            f"no incident of {spec.name} that was asked for"
            + (f"; {len(found)} others began in that time" if found else "")
        )
    elif len(chosen) > limit:
        note(f"the newest {limit} are shown: --limit, --from and --to show others")


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
        note(f"{incident_id} is in {found.incident_id} now")
    for line in described(found, _zone(found.workload)):
        console.out(line, highlight=False)


def described(found: Incident, zone: str = "UTC") -> list[str]:
    """Return an incident in words, line by line; times in the zone of its source."""
    lines = [
        found.title,
        "",
        f"Incident:  {found.incident_id} of {found.workload}",
        f"State:     {found.state}",
        f"Severity:  {severity_text(found.severity, of='of 100')}",
        f"Time:      {in_zone(found.opened, zone, until=found.last)}",
    ]
    if found.causes is not None:
        for name, shares in {**found.causes.dimensions, "measure": found.causes.measures}.items():
            parts = ", ".join(
                f"{each.share:.0%} {each.name or f'{each.values} others'}" for each in shares[:5]
            )
            lines.append(f"By {name}: {parts}")
        lines += [f"History:   {in_words(relation)}" for relation in found.causes.relations]
    lines += ["", f"Touched:   {len(found.touched)} series"]
    lines += [f"  {touched_line(part, zone)}" for part in found.touched[:SHOWN]]
    if len(found.touched) > SHOWN:
        lines.append(f"  and {len(found.touched) - SHOWN} more (--json)")
    lines += ["", "What happened:"]
    for entry in found.timeline:
        told = f", severity {entry.severity:.0f}" if entry.severity is not None else ""
        at = in_zone(parse_instant(entry.at), zone)
        lines.append(f"  {at}  {' '.join(filter(None, [entry.what, entry.note, entry.who]))}{told}")
    return lines


def _store() -> TableIncidents:
    session = boto3.Session()
    return TableIncidents(session.client("dynamodb"), Deployment(session).incidents_table)


def _zone(workload: str) -> str:
    return Watched(boto3.Session()).plan(workload).timestamp.timezone


def _table(chosen: list[Incident], zone: str) -> Table:
    fixed = [Column(name, no_wrap=True) for name in ("incident", "began", "for", severity_heading(), "state")]
    table = Table(*fixed, "title", box=None)
    for each in chosen:
        table.add_row(
            each.incident_id,
            in_zone(each.opened, zone),
            str(timedelta(seconds=each.last - each.opened)),
            f"{each.severity:.0f}",
            each.state,
            escape(each.title),
        )
    return table
