"""`watchkeeper status`: what is watched, by which model, how it goes, and what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import boto3
import typer
from rich.markup import escape
from rich.table import Table

from cli.specs import AsJson, MaybeWorkload, name_of
from cli.watched import Watched
from lambdas.alerting.counting import alerts_raised, notices_of
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.scoring.environment import ScoreTelemetryEnvironment
from watchkeeper.command.screen import console, note, say
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, format_instant, in_zone, parse_instant
from watchkeeper.kinds import AnyPlan, AnyRelease
from watchkeeper.telemetry.selection import mute_of

WEEK = timedelta(days=7)
BEHIND_INTERVALS = 3
"""A series that is so far behind the newest one of its workload is told of."""
SHOWN_SERIES = 15
LAG_METRIC = "publish_to_score_lag"
_WORST = ("silent", "behind", "anomalous", "waiting", "new", "usual")
"""What a series can be, the worst first."""


@dataclass(frozen=True)
class SeriesHealth:
    """How one series goes."""

    series: str
    health: str
    """`silent`; `behind` the newest series of its workload; `anomalous` in its last interval; `waiting` for a
    score; `new` to the model; `usual`."""
    last_start: str | None
    """Of its last closed interval with records; ISO 8601, UTC."""
    last_value: float | None
    muted: bool


@dataclass(frozen=True)
class WorkloadStatus:
    """How one workload goes."""

    workload: str
    kind: str
    timezone: str
    run_id: str | None
    """Of the live release."""
    released_at: str | None
    alarms: tuple[str, ...]
    """Those that are on."""
    last_interval_end: str | None = None
    """The end of the last interval that has closed; ISO 8601, UTC."""
    anomalies_of_week: int = 0
    """In the seven days up to that."""
    alerts_of_week: int = 0
    """Likewise: that incidents began or got worse, where a route takes it, throttled as alerts are."""
    alerts_budget: float | None = None
    """What the gate allows in a week, of all series together."""
    series: tuple[SeriesHealth, ...] = ()
    """The worst first."""


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
    alarms = alarms_on(session)
    lag = lag_seconds(session, datetime.now(timezone.utc))
    found = [
        status_of(watched, plan, [name for name in alarms if _is_of(name, plan.workload)])
        for name, plan in plans.items()
        if wanted in (None, name)
    ]
    shared = [name for name in alarms if not any(_is_of(name, each) for each in plans)]
    if as_json:
        document = {"workloads": [asdict(each) for each in found], "alarms": shared, "lag_seconds": lag}
        console.out(json.dumps(document), highlight=False)
        return
    for each in found:
        _show(each, every)
    if not found:
        note("no workload is deployed: `watchkeeper deploy` does that")
    longest = "no telemetry" if lag is None else f"{lag:.1f} s"
    say(f"lag from publishing to score, last 24 hours, at most: {longest}")
    say(f"alarms of what workloads share: {', '.join(shared) or 'none is on'}")


def status_of(watched: Watched, plan: AnyPlan, alarms: Sequence[str]) -> WorkloadStatus:
    """Return how a workload goes."""
    live: AnyRelease | None = watched.live_release(plan.workload)
    known: dict[str, Any] = {
        "workload": plan.workload,
        "kind": getattr(plan, "kind", "anomaly"),
        "run_id": live.run_id if live else None,
        "released_at": live.released_at if live else None,
        "alarms": tuple(alarms),
    }
    if not isinstance(plan, WorkloadPlan):
        return WorkloadStatus(timezone="UTC", **known)
    known["timezone"], known["alerts_budget"] = plan.timestamp.timezone, plan.gate.max_alerts_per_week
    pages = list(watched.pages(plan.workload))
    end = max((int(page.closed_until.max()) for page in pages if len(page)), default=0)
    if end <= 0:
        return WorkloadStatus(**known)
    until = EPOCH + timedelta(seconds=end)
    events = list(watched.anomalies(plan.workload, until - WEEK, until, newest_first=False))
    incidents = watched.incidents(plan.workload, until - 2 * WEEK, until)
    whole = {each.incident_id: each for each in incidents}
    notices = [(at, notice) for at, notice in notices_of(incidents) if until - WEEK <= at < until]
    last = {event.series: event.at for event in events}
    series = [one for page in pages for one in _health_of(page, plan, last, end)]
    return WorkloadStatus(
        **known,
        last_interval_end=format_instant(until),
        anomalies_of_week=len(events),
        alerts_of_week=alerts_raised(notices, plan.alerts, whole.get),
        series=tuple(sorted(series, key=lambda one: (_WORST.index(one.health), one.series))),
    )


def alarms_on(session: boto3.Session) -> list[str]:
    """Return the names of the project's alarms that are on."""
    pages = (
        session.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=layout.STACK_PREFIX, StateValue="ALARM")
    )
    return sorted(
        alarm["AlarmName"]
        for page in pages
        for alarm in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
    )


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


def _is_of(alarm: str, workload: str) -> bool:
    return alarm.startswith(f"{layout.workload_stack(workload)}-")


def _health_of(page: Any, plan: WorkloadPlan, anomalous: dict[str, int], end: int) -> Iterator[SeriesHealth]:
    waiting = set(page.waiting["series"].tolist())
    for position, name in enumerate(page.series):
        newest = page.newest[position]
        start = int(newest["start"])
        heard = start > 0
        if newest["silent"]:
            health = "silent"
        elif not heard or end - start > (BEHIND_INTERVALS + 1) * plan.interval_seconds:
            health = "behind"
        elif anomalous.get(name) == start:
            health = "anomalous"
        elif position in waiting:
            health = "waiting"
        else:
            health = "new" if page.acquainted[position]["intervals"] else "usual"
        yield SeriesHealth(
            name,
            health,
            format_instant(start) if heard else None,
            float(newest["value"]) if heard else None,
            mute_of(name, end, plan.alerts.mutes) is not None,
        )


def _show(found: WorkloadStatus, every: bool) -> None:
    zone = found.timezone
    console.rule(f"[bold]{escape(found.workload)}", align="left", style="dim")
    facts = Table(box=None, show_header=False, pad_edge=False)
    if found.run_id is None:
        facts.add_row("model", "none is live: `watchkeeper train` makes one")
    else:
        facts.add_row("model", f"run {found.run_id}, released {in_zone(_at(found.released_at), zone)}")
    if found.kind == "anomaly":
        counts = Counter(one.health for one in found.series)
        healths = ", ".join(f"{counts[name]:,} {name}" for name in _WORST if counts[name])
        facts.add_row(
            "series", f"{len(found.series):,}: {healths}" if found.series else "none: no telemetry yet"
        )
        if found.last_interval_end is not None:
            end = _at(found.last_interval_end)
            facts.add_row("last interval", f"ended {in_zone(end, zone)}")
            facts.add_row(
                "the week to it",
                f"{found.alerts_of_week:,} alerts, of {found.alerts_budget:g} that the gate allows for all "
                f"series together; {found.anomalies_of_week:,} anomalous intervals",
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
