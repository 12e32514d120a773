"""`watchkeeper alerts`: the alert of the incident that an anomaly opens, a test of each route, links' key."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Annotated

import boto3
import typer
from rich.markup import escape
from rich.table import Table

from cli.specs import AsJson, WorkloadName, name_of
from cli.stacks import ALERTING, STORAGE, Deployment
from cli.watched import Watched
from lambdas.adapters.alert_subscriptions import SnsSubscribers
from lambdas.adapters.event_bus import EventBridgeBus
from lambdas.adapters.plan_store import ParameterPlanStore
from lambdas.adapters.secret_store import OLD_KEY_SECONDS
from lambdas.alerting.alert import alert_of
from lambdas.alerting.outcomes import TableOutcomes
from lambdas.alerting.route_tests import WAIT_SECONDS, RouteOutcome, RouteTesting, chosen_routes, try_routes
from lambdas.alerting.routing import routes_of
from lambdas.alerting.sample import notice_of_opening, sample_of
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.command.screen import complain, console, done, note, say
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.incidents.pausing import with_pauses
from watchkeeper.telemetry.selection import mute_of

alerts = typer.Typer(
    name="alerts",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Look at alerts before they come, and test where they go.",
)


@alerts.command()
def preview(
    workload: WorkloadName,
    anomaly: Annotated[
        str | None, typer.Option(help="Id of an anomaly; without it the newest one, or a sample.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the alert of an anomaly as people and programs get it, and who is told. Nothing is sent."""
    watched = Watched(boto3.Session())
    now = datetime.now(timezone.utc)
    plan = watched.plan(workload)
    plan = with_pauses(plan, watched.pauses(plan.workload), now)
    if anomaly is not None:
        event: AnomalyEvent | None = watched.anomaly(anomaly, plan.workload)
    else:
        event = next(watched.anomalies(plan.workload), None)
    shown = event or sample_of(plan, now)
    muted = mute_of(shown.series, shown.at, plan.alerts.mutes) is not None
    notice = notice_of_opening(plan, shown)
    routes = [] if muted else routes_of(notice, now, plan.alerts, lambda incident_id: None)
    channels = [route.channel for route in routes]
    alert = alert_of(notice, channels, plan.timestamp.timezone)
    if as_json:
        console.out(alert.messages["sqs"], highlight=False)
        return
    say(
        "the newest anomaly"
        if event and anomaly is None
        else ""
        if event
        else "a sample: there is no anomaly yet"
    )
    say(f"\nsubject: {alert.subject}\n")
    say(alert.messages["email"])
    say("\nfor programs (https, sqs, lambda):")
    say(json.dumps(json.loads(alert.messages["sqs"]), indent=2))
    say("")
    _tell_routes(plan, shown, channels)


@alerts.command("test")
def send_samples(
    workload: WorkloadName,
    channel: Annotated[
        list[str] | None, typer.Option(help="Only this channel; may be repeated. Without it all.")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=1, max=600, help="Seconds until what is not known counts as failed.")
    ] = WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Send a marked sample to each route, the way alerts go, and tell what arrived. It counts as no alert.

    The status is 1 where something did not arrive.
    """
    session = boto3.Session()
    name = name_of(workload)
    known = ParameterPlanStore(session.client("ssm")).alerts_of(name).routes
    routes = chosen_routes(name, known, channel or ())
    found = try_routes(name, routes, testing_of(session), wait)
    if as_json:
        for each in found:
            console.out(json.dumps({**asdict(each), "failed": each.failed}), highlight=False)
    else:
        console.print(_table(found))
    failed = [each for each in found if each.failed]
    if failed:
        complain(f"{len(failed)} of {len(found)} did not arrive")
        raise typer.Exit(1)
    if not as_json:
        done("every route took its sample, or SNS did")


@alerts.command("exchange-key")
def exchange_key() -> None:
    """Sign links of alerts by another key; the one of now is accepted for 30 days more.

    Exchanged twice, no link that was sent before answers.
    """
    session = boto3.Session()
    session.client("secretsmanager").put_secret_value(
        SecretId=Deployment(session).output(ALERTING, "LinkKeyArn"), SecretString=secrets.token_urlsafe(48)
    )
    days = OLD_KEY_SECONDS // 86_400
    done(
        f"links are signed by a new key within a minute; those of the key before answer for {days} days more"
    )


def testing_of(session: boto3.Session) -> RouteTesting:
    """Return what a test of routes needs of the deployed project."""
    deployment = Deployment(session)
    alerting = deployment.outputs(ALERTING)
    return RouteTesting(
        bus=EventBridgeBus(session.client("events"), alerting["AlertBusName"]),
        outcomes=TableOutcomes(
            session.client("dynamodb"), deployment.output(STORAGE, "IdempotencyTableName")
        ),
        subscribers=SnsSubscribers(
            session.client("sns"),
            session.client("sqs"),
            alerting["AlertTopicArn"],
            alerting["UndeliveredAlertsArn"],
        ),
    )


_SHOWN = {"delivered": "[green]delivered[/]", "sent": "[yellow]sent[/]", "refused": "[red]refused[/]"}


def _table(found: list[RouteOutcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("channel", "receiver", "outcome", ""):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(each.channel, escape(each.receiver), _SHOWN[each.verdict], escape(each.said))
    return table


def _tell_routes(plan: WorkloadPlan, event: AnomalyEvent, channels: list[str]) -> None:
    if not plan.alerts.routes:
        note(
            f"workload {plan.workload} has no routes, so nobody is told: add `alerts: {{routes: …}}` to its "
            "file and deploy"
        )
    if mute_of(event.series, event.at, plan.alerts.mutes) is not None:
        note(f"{event.series} is muted or paused, so nobody is told")
    for route in plan.alerts.routes:
        gets = "gets" if route.channel in channels else "does not get"
        say(
            f"channel {route.channel}, from severity {route.severity_at_least:g}: {gets} this alert "
            f"of severity {event.severity:.0f}"
        )
    say(
        "on each channel, the same series sends the next alert after "
        f"{plan.alerts.throttle_seconds / 3600:g} h at the earliest"
    )
