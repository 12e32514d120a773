"""`watchkeeper alerts preview`: the alert of the incident that an anomaly opens, and to whom it is sent."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Annotated

import boto3
import typer

from cli.specs import AsJson, WorkloadName
from cli.watched import Watched
from lambdas.alerting.alert import alert_of
from lambdas.alerting.routing import routes_of
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.command.screen import console, note, say
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.features.contributions import Contribution, Explanation
from watchkeeper.incidents.causes import Surroundings
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.notice import IncidentNotice, notice_of
from watchkeeper.telemetry.selection import mute_of
from watchkeeper.telemetry.series import key_of

SAMPLE_SEVERITY = 91.0

alerts = typer.Typer(
    name="alerts",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Look at alerts before they come.",
)


@alerts.callback()
def _group() -> None:
    """Make `preview` a verb of a group, though it is the only one."""


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
    plan = watched.plan(workload)
    if anomaly is not None:
        event: AnomalyEvent | None = watched.anomaly(anomaly, plan.workload)
    else:
        event = next(watched.anomalies(plan.workload), None)
    shown = event or sample_of(plan, datetime.now(timezone.utc))
    muted = mute_of(shown.series, shown.at, plan.alerts.mutes) is not None
    notice = notice_of_opening(plan, shown)
    now = datetime.now(timezone.utc)
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


def sample_of(plan: WorkloadPlan, now: datetime) -> AnomalyEvent:
    """Return an anomaly that could be: of the first measure, in the interval that ended last."""
    step, measure = plan.interval_seconds, plan.measures[0].name
    series = key_of(measure, plan.dimensions, ("example",) * len(plan.dimensions))
    return AnomalyEvent(
        workload=plan.workload,
        series=series,
        interval_start=format_instant((epoch_seconds(now) // step - 1) * step),
        interval_seconds=step,
        observed=93.2,
        expected=71.4,
        lower=66.0,
        upper=76.8,
        score=1.4,
        threshold=1.0,
        severity=SAMPLE_SEVERITY,
        run_id="sample",
        execution_arn="",
        model_package_arn="",
        contributions=(Contribution("value", measure, 0, 1.0), Contribution("difference", measure, 0, 0.4)),
        explanation=Explanation("detector"),
    )


def notice_of_opening(plan: WorkloadPlan, event: AnomalyEvent) -> IncidentNotice:
    """Return what is told when an anomaly opens an incident."""
    rule = GroupingRule(plan.incidents.gap(plan.interval_seconds))
    [incident] = incidents_of([event], rule, Surroundings(timezone=plan.timestamp.timezone))
    return notice_of("opened", incident, event)


def _tell_routes(plan: WorkloadPlan, event: AnomalyEvent, channels: list[str]) -> None:
    if not plan.alerts.routes:
        note(
            f"workload {plan.workload} has no routes, so nobody is told: add `alerts: {{routes: …}}` to its "
            "file and deploy"
        )
    if mute_of(event.series, event.at, plan.alerts.mutes) is not None:
        note(f"{event.series} is muted, so nobody is told")
    for route in plan.alerts.routes:
        told = "is told" if route.channel in channels else "is not told"
        say(
            f"channel {route.channel}, severity {route.severity_at_least:g} and more: {told} of severity "
            f"{event.severity:.0f}"
        )
    say(
        "the same series alerts again on a channel after "
        f"{plan.alerts.throttle_seconds / 3600:g} hours at the soonest"
    )
