"""`watchkeeper status`: what is watched, by which model, how it goes, and what is wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Annotated

import boto3
import typer
from rich.markup import escape
from rich.table import Table

from cli.specs import AsJson, MaybeWorkload, name_of
from cli.watched import Watched
from lambdas.adapters.alarms import alarms_on, is_of
from lambdas.console.status import WorkloadStatus, status_of
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from watchkeeper.command.screen import console, note, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import in_zone, parse_instant

SHOWN_SERIES = 15
LAG_METRIC = "publish_to_score_lag"


def status(
    workload: MaybeWorkload = None,
    every: Annotated[bool, typer.Option("--all", help="Show every series.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what is watched: live release, series, last interval, lag, alerts of the week, alarms."""
    session = boto3.Session()
    watched = Watched(session)
    plans = watched.plans()
    wanted = None if workload is None else name_of(workload)
    if wanted is not None and wanted not in plans:
        raise InvalidInputError(
            f"workload {wanted!r} is not deployed; deployed: {', '.join(plans) or 'none'}"
        )
    alarms = alarms_on(session.client("cloudwatch"))
    now = datetime.now(timezone.utc)
    lag, silent = lag_seconds(session, now), watched.silent(now)
    found = [
        status_of(
            watched,
            plan,
            [name for name in alarms if is_of(name, plan.workload)],
            now,
            is_silent=plan.workload in silent,
        )
        for name, plan in plans.items()
        if wanted in (None, name)
    ]
    shared = [name for name in alarms if not any(is_of(name, each) for each in plans)]
    if as_json:
        document = {"workloads": [asdict(each) for each in found], "alarms": shared, "lag_seconds": lag}
        console.out(json.dumps(document), highlight=False)
        return
    for each in found:
        _show(each, every)
    if not found:
        note("no workload is deployed: `watchkeeper deploy` does that")
    longest = "no telemetry" if lag is None else f"{lag:.1f} s"
    say(f"longest lag from publishing to score in the last 24 hours: {longest}")
    say(f"alarms of the shared stacks: {', '.join(shared) or 'none is on'}")


def lag_seconds(session: boto3.Session, now: datetime) -> float | None:
    """Return the longest time of the last 24 hours from publishing to score; None without telemetry."""
    found = session.client("cloudwatch").get_metric_statistics(
        Namespace=METRICS_NAMESPACE,
        MetricName=LAG_METRIC,
        Dimensions=[{"Name": "service", "Value": ScoreTelemetryEnvironment.service}],
        StartTime=now - timedelta(days=1),
        EndTime=now,
        Period=3600,
        Statistics=["Maximum"],
    )
    return max((point["Maximum"] / 1000 for point in found["Datapoints"]), default=None)


def _show(found: WorkloadStatus, every: bool) -> None:
    zone = found.timezone
    console.rule(f"[bold]{escape(found.workload)}", align="left", style="dim")
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_row("health", ": ".join(filter(None, [found.health, "; ".join(found.why)])))
    if found.run_id is None:
        facts.add_row("model", "none is live: `watchkeeper train` makes one")
    else:
        facts.add_row("model", f"run {found.run_id}, released {in_zone(_at(found.released_at), zone)}")
    if found.kind == "anomaly":
        healths = ", ".join(f"{count:,} {name}" for name, count in found.healths.items())
        facts.add_row(
            "series", f"{len(found.series):,}: {healths}" if found.series else "none: no telemetry yet"
        )
        if found.last_interval_end is not None:
            end = _at(found.last_interval_end)
            facts.add_row("last interval", f"ended {in_zone(end, zone)}")
            facts.add_row(
                "7 days until then",
                f"{found.alerts_of_week:,} alerts (the gate allows {found.alerts_budget:g} for all series "
                f"together), {found.anomalies_of_week:,} anomalous intervals",
            )
    facts.add_row("alarms", ", ".join(found.alarms) or "none is on")
    console.print(facts)
    if found.series:
        console.print(_series_table(found, every))


def _series_table(found: WorkloadStatus, every: bool) -> Table:
    shown = found.series if every else found.series[:SHOWN_SERIES]
    table = Table(box=None, pad_edge=False)
    for name in ("series", "health", "last interval began", "value"):
        table.add_column(name, overflow="fold", justify="right" if name == "value" else "left")
    for one in shown:
        table.add_row(
            escape(one.series),
            one.health + (", muted" if one.muted else ""),
            "never" if one.last_start is None else in_zone(_at(one.last_start), found.timezone),
            "" if one.last_value is None else f"{one.last_value:.5g}",
        )
    if len(shown) < len(found.series):
        table.add_row(f"… {len(found.series) - len(shown):,} more: --all", "", "", "")
    return table


def _at(text: str | None) -> datetime:
    return parse_instant(text or "")
