"""`watchkeeper up`: a workload and its files in, the first alerts out; again and again the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import boto3
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.demo.inbox import Alert, Inbox, subscribed
from cli.demo.scores import ScoreReader, expected_intervals, wait_until_judged
from cli.demo.stopwatch import Stopwatch
from cli.deploy import deploy
from cli.deployer import Stage
from cli.device import MQTT_PORT, Broker, broker_of
from cli.executions import run_to_its_end
from cli.failures import StepFailedError
from cli.files import is_remote, local_files
from cli.init import DOWNLOADS
from cli.laptop import enter_laptop
from cli.own_files import OwnFiles, read_own_files
from cli.replay import Authority, Host, Port, check_sendable, publish
from cli.specs import WorkloadName, anomaly_spec_of, path_of
from cli.stacks import Deployment
from cli.telemetry import instant_of, records_of
from lambdas.adapters.errors import unless
from lambdas.adapters.object_store import ABSENT, ObjectUri
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.console.training_runs import execution_input
from watchkeeper.anomalies.event import alert_text
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.command.screen import console, done, say
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import severity_cell, severity_heading
from watchkeeper.core.timestamps import format_instant, in_zone
from watchkeeper.incidents.notice import notice_text
from watchkeeper.spec import AnomalyWorkload
from watchkeeper.telemetry.series import parse_series_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ALERT_SECONDS = 60.0
SHOWN_ALERTS = 10
HISTORY_NAME = "up-older-part.jsonl"
"""The older part, under the workload's history: another run of `up` writes it again."""
_DIGEST, _RUN = "watchkeeper-digest", "watchkeeper-run"
"""Metadata of that object once a model of it is in service."""


def up(
    workload: WorkloadName,
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Its telemetry, paths or s3://…; without any, history.files of the workload."),
    ] = None,
    stage: Annotated[
        Stage,
        typer.Option(
            envvar="WATCHKEEPER_STAGE", help="`laptop`: a cloud on this machine; `aws`: your account."
        ),
    ] = Stage.LAPTOP,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", help="Train before this time and send from it: ISO 8601; the newest 15 % without."
        ),
    ] = None,
    host: Host = None,
    port: Port = None,
    authority: Authority = None,
) -> None:
    """Deploy one workload, train it on the older part of its files, send the newest, and show the alerts.

    What is done already is not done again: a model of the same files and settings stays, and intervals that
    are scored are not sent.
    """
    spec = anomaly_spec_of(workload, "up")
    check_sendable(spec)
    _check_own(spec, stage)
    names = [*files] if files else _remembered(spec, path_of(workload))
    begin = instant_of(since, "--from")
    if stage is Stage.LAPTOP and not any(map(is_remote, names)):
        own = read_own_files(local_files(None, names, DOWNLOADS), spec.plan(), begin)
        enter_laptop()
    else:
        # Files in S3 are the account's: they are read before this process turns to the laptop.
        own = read_own_files(local_files(boto3.Session(), names, DOWNLOADS), spec.plan(), begin)
        if stage is Stage.LAPTOP:
            enter_laptop()
    session = boto3.Session()
    deployment = Deployment(session)
    watch = Stopwatch()
    with watch.stage("deploy"):
        deploy(workload=workload, stage=stage)
    with watch.stage("train"):
        _train(session, deployment, spec, own)
    with subscribed(session, deployment.alert_topic_arn, spec.name) as inbox:
        with watch.stage("send the newest part"):
            broker = _broker(session, host, port, authority)
            scores, new = _send(session, deployment, spec, own, broker)
        with watch.stage("alerts"):
            alerts = _alerts(inbox, scores, new)
    _show(spec, scores, alerts)
    console.print(watch.table())
    _say_next(spec, stage)


def _check_own(spec: AnomalyWorkload, stage: Stage) -> None:
    place = spec.source.place
    if stage is Stage.AWS and place != "topic":
        raise InvalidInputError(
            f"workload {spec.name}: `up` would write the newest part of its files to source.{place}, where "
            f"others write, too: `watchkeeper deploy --workload {spec.name} --stage aws`, "
            f"then `watchkeeper train {spec.name} --history FILE`, and what comes from then on is scored"
        )


def _remembered(spec: AnomalyWorkload, path: Path) -> list[str]:
    names = spec.history.files
    if not names:
        raise InvalidInputError(
            f"workload {spec.name}: name its files, `watchkeeper up {spec.name} FILE…`, or write them to "
            f"history.files of {path}, as `watchkeeper init` does"
        )
    return [name if is_remote(name) else str(path.parent / name) for name in names]


def _train(session: boto3.Session, deployment: Deployment, spec: AnomalyWorkload, own: OwnFiles) -> None:
    """Train on the older part, unless the release in service is of the same one and the same plan."""
    s3 = session.client("s3")
    place = ObjectUri(deployment.bucket, f"{layout.history_prefix(spec.name)}{HISTORY_NAME}")
    digest = own.digest(spec.plan())
    releases = TableReleaseStore(session.client("dynamodb"), deployment.series_table)
    live = releases.live(spec.name)
    if live is not None and _trained_on(s3, place, live.run_id) == digest:
        done(f"the model in service is of these files and settings: run {live.run_id}")
        return
    lines = own.history_lines()
    s3.put_object(Bucket=place.bucket, Key=place.key, Body=lines)
    say(f"{len(own.history):,} readings before {format_instant(own.live_from)} to train on")
    outcome = run_to_its_end(
        session,
        deployment.state_machine_arn(spec.name),
        execution_input("up", end=format_instant(own.live_from)),
    )
    for reason in outcome.state.get("decision", {}).get("reasons", ()):
        say(f"  {reason}")
    run_id = outcome.state["run"]["run_id"]
    s3.put_object(Bucket=place.bucket, Key=place.key, Body=lines, Metadata={_DIGEST: digest, _RUN: run_id})


def _trained_on(s3: S3Client, place: ObjectUri, run_id: str) -> str | None:
    """Return what a run was trained on, where the newest `up` started it; else None."""
    found = unless(ABSENT, f"read {place}", lambda: s3.head_object(Bucket=place.bucket, Key=place.key))
    metadata = found["Metadata"] if found else {}
    return metadata.get(_DIGEST) if metadata.get(_RUN) == run_id else None


def _broker(session: boto3.Session, host: str | None, port: int | None, authority: str | None) -> Broker:
    """Return where devices connect; the laptop's variables were not there yet when options were read."""
    given = os.environ
    return broker_of(
        session,
        host or given.get("WATCHKEEPER_MQTT_HOST"),
        port or int(given.get("WATCHKEEPER_MQTT_PORT", MQTT_PORT)),
        authority or given.get("WATCHKEEPER_MQTT_CA"),
    )


def _send(
    session: boto3.Session,
    deployment: Deployment,
    spec: AnomalyWorkload,
    own: OwnFiles,
    broker: Broker,
) -> tuple[list[ScoreLine], bool]:
    """Send the newest part and wait for its scores; tell too whether any of it was new."""
    expected = expected_intervals(records_of(own.live), spec.plan())
    reader = ScoreReader(session, deployment.bucket, spec.name)
    reader.read_new()
    new = not expected <= reader.scores.keys()
    if new:
        publish(session, spec, own.live, broker, None)
        say(f"{len(own.live):,} readings from {format_instant(own.live_from)} on, sent and acknowledged")
    else:
        say("all of it was scored before: nothing is sent")
    columns = (TextColumn("scored intervals"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=len(expected))
        scores = wait_until_judged(reader, expected, lambda found: bar.update(task, completed=found))
    unscored = sum(score.anomaly_score is None for score in scores)
    say(f"{len(scores):,} intervals are scored" + (f", {unscored:,} have no score" if unscored else ""))
    return scores, new


def _alerts(inbox: Inbox, scores: Sequence[ScoreLine], new: bool) -> list[Alert]:
    """Return what the alert topic delivers, where it must deliver something."""
    found = [score for score in scores if score.is_anomaly]
    if not found:
        say("no interval is anomalous: there is nothing to alert of")
    elif new:
        alerts = inbox.until_quiet(ALERT_SECONDS)
        if not alerts:
            raise StepFailedError(
                f"{len(found)} intervals are anomalous, and no alert came within {ALERT_SECONDS:.0f} s: see "
                "the dead letters (output UndeliveredAlertsArn of WatchkeeperAlerting)"
            )
        done(f"{len(alerts)} alerts were delivered to a queue of the alert topic")
        return alerts
    else:
        say(f"{len(found)} intervals are anomalous; their alerts were sent when they were new")
    return []


def _show(spec: AnomalyWorkload, scores: Sequence[ScoreLine], alerts: Sequence[Alert]) -> None:
    told = [alert.notice.anomaly for alert in alerts if alert.notice.anomaly]
    events = told or [score.anomaly for score in scores if score.anomaly]
    if not events:
        return
    table = Table("interval", "what", "observed", "usual", severity_heading(), box=None, pad_edge=False)
    for event in events[:SHOWN_ALERTS]:
        key = parse_series_key(event.series)
        table.add_row(
            in_zone(event.at, spec.source.timestamp.timezone),
            ", ".join([key.measure, *(value for _, value in key.dimensions)]),
            "" if event.observed is None else f"{event.observed:.5g}",
            "" if event.lower is None else f"{event.lower:.5g} to {event.upper:.5g}",
            severity_cell(event.severity, event.severity_threshold),
        )
    say("the first alert, as its subscriber gets it:\n" if alerts else "the first anomaly:\n")
    timezone = spec.source.timestamp.timezone
    first = min((alert.notice for alert in alerts), key=lambda notice: notice.at, default=None)
    say(alert_text(events[0], timezone) if first is None else notice_text(first, timezone))
    console.rule(style="dim")
    console.print(table)
    if len(events) > SHOWN_ALERTS:
        say(f"and {len(events) - SHOWN_ALERTS} more")


def _say_next(spec: AnomalyWorkload, stage: Stage) -> None:
    if not any(route.subscription for route in spec.alerts.routes):
        say(
            f"nobody is told yet: `watchkeeper subscribe {spec.name} email you@example.com`, or write who is "
            f"to alerts.routes of {path_of(spec.name)} and run this again"
        )
    if stage is Stage.LAPTOP:
        say('it runs on: eval "$(watchkeeper env)" lets this shell ask it, `make down` ends it')
