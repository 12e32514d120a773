"""`watchkeeper pause` and `resume`: when nothing is told of a workload, or of one of its series."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

import boto3
import typer

from cli.responding import By, caller, store_of
from cli.specs import WorkloadName
from cli.telemetry import instant_of
from cli.watched import Watched, known_series
from lambdas.incidents.responding import respond_of_workload
from watchkeeper.command.screen import say
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.incidents.pausing import Pauses, pause_in_words, paused, resumed

Series = Annotated[
    str | None, typer.Option(help="Key of a series, or a part that only it has; without it, the workload.")
]


def pause(
    workload: WorkloadName,
    series: Series = None,
    until: Annotated[
        str | None, typer.Option(help="Until when: ISO 8601, in the zone of the source; else until resumed.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why, for others.")] = None,
    by: By = None,
) -> None:
    """Tell nothing of a workload or a series for a while; it is scored, and anomalies are kept."""
    session = boto3.Session()
    plan, key = _asked(session, workload, series)
    end, now = instant_of(until, "--until", plan.timestamp.timezone), datetime.now(timezone.utc)
    who = by or caller(session)
    store = store_of(session)
    found = respond_of_workload(store, plan.workload, lambda all_: paused(all_, key, end, who, now, note))
    _say(found, plan, now)


def resume(workload: WorkloadName, series: Series = None, by: By = None) -> None:
    """Tell again what happens from now on; of what was anomalous meanwhile, nothing is told."""
    session = boto3.Session()
    plan, key = _asked(session, workload, series)
    now, who = datetime.now(timezone.utc), by or caller(session)
    found = respond_of_workload(store_of(session), plan.workload, lambda all_: resumed(all_, key, who, now))
    _say(found, plan, now)


def _asked(session: boto3.Session, workload: str, series: str | None) -> tuple[WorkloadPlan, str | None]:
    watched = Watched(session)
    plan = watched.plan(workload)
    return plan, None if series is None else known_series(watched, plan, series)


def _say(pauses: Pauses, plan: WorkloadPlan, now: datetime) -> None:
    held = pauses.now(now)
    for one in held:
        say(f"{plan.workload}: {pause_in_words(one, plan.timestamp.timezone)}")
    if not held:
        say(f"{plan.workload}: nothing is paused")
