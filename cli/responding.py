"""`watchkeeper acknowledge`, `assign` and `snooze`: what people do about an incident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Annotated, Any

import boto3
import typer
from pydantic import TypeAdapter, ValidationError

from cli.stacks import Deployment
from cli.telemetry import instant_of
from lambdas.adapters.incident_store import TableIncidents
from lambdas.incidents.responding import respond
from watchkeeper.command.screen import say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import in_zone, parse_instant
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.response import acknowledged, assigned, snoozed
from watchkeeper.spec.fields import Duration

IncidentId = Annotated[str, typer.Argument(help="Id of the incident, as alerts and the list show it.")]
By = Annotated[str | None, typer.Option(help="Who does it; without it, who AWS says you are.")]


def acknowledge(
    incident_id: IncidentId,
    note: Annotated[str | None, typer.Option(help="What is known, for others.")] = None,
    by: By = None,
) -> None:
    """Say that somebody looks after an incident."""
    now = datetime.now(timezone.utc)
    _respond(incident_id, by, lambda found, who: acknowledged(found, who, now, note))


def assign(
    incident_id: IncidentId,
    to: Annotated[str, typer.Option(help="Name of the person or team.")],
    by: By = None,
) -> None:
    """Hand an incident to somebody."""
    now = datetime.now(timezone.utc)
    _respond(incident_id, by, lambda found, who: assigned(found, to, who, now))


def snooze(
    incident_id: IncidentId,
    lasting: Annotated[str | None, typer.Option("--for", help="How long, such as 30m, 2h or 1d.")] = None,
    until: Annotated[str | None, typer.Option(help="Or until when: ISO 8601.")] = None,
    by: By = None,
) -> None:
    """Hear nothing of an incident for a while; if it is worse then, the next anomaly tells."""
    now = datetime.now(timezone.utc)
    if (lasting is None) == (until is None):
        raise InvalidInputError("say for how long: either --for 2h or --until 2026-12-24T06:00Z")
    end = now + _duration(lasting) if lasting is not None else instant_of(until, "--until")
    assert end is not None
    _respond(incident_id, by, lambda found, who: snoozed(found, end, who, now))


def _respond(incident_id: str, by: str | None, change: Callable[[Incident, str], Incident]) -> None:
    session = boto3.Session()
    who = by or caller(session)
    found = respond(store_of(session), incident_id, lambda incident: change(incident, who))
    told = [f"{found.incident_id} is {found.state}: {found.title}"]
    told += [f"assigned to {found.assigned_to}"] if found.assigned_to else []
    told += (
        [f"no alerts until {in_zone(parse_instant(found.snoozed_until), 'UTC')}"]
        if found.snoozed_until
        else []
    )
    say("; ".join(told))


def caller(session: boto3.Session) -> str:
    """Return the name of who AWS says calls."""
    arn: str = session.client("sts").get_caller_identity()["Arn"]
    return arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def store_of(session: boto3.Session) -> TableIncidents:
    """Return the incidents of the deployment."""
    deployment = Deployment(session)
    return TableIncidents(session.client("dynamodb"), deployment.incidents_table, deployment.series_table)


def _duration(text: str) -> Any:
    try:
        return TypeAdapter(Duration).validate_python(text)
    except ValidationError as error:
        raise InvalidInputError(f"--for {text!r}: {error.errors()[0]['msg']}") from error
