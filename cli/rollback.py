"""`watchkeeper rollback`: let an earlier release of a streaming detector judge again."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

import boto3
import typer

from cli.specs import WorkloadName, spec_of
from cli.stacks import Deployment
from lambdas.adapters.event_bus import EventBridgeBus
from lambdas.adapters.model_versions import rejected_versions
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.console.releases import earlier_release, go_back
from watchkeeper.command.screen import done, say


def rollback(
    workload: WorkloadName,
    to: Annotated[
        str | None, typer.Option(help="Run whose release is wanted; without it, the one before the live one.")
    ] = None,
) -> None:
    """Go back to an earlier release: its threshold and, where its parameters are others, its pages."""
    name = spec_of(workload).name
    session = boto3.Session()
    deployment = Deployment(session)
    releases = TableReleaseStore(session.client("dynamodb"), deployment.series_table)
    bus = EventBridgeBus(session.client("events"), deployment.alert_bus)
    rejected = rejected_versions(session.client("sagemaker"), name)
    chosen = earlier_release(releases, name, to, rejected)
    go_back(releases, bus, chosen, datetime.now(timezone.utc))
    done(f"run {chosen.run_id}, released {chosen.released_at}, judges from the next object on")
    say("the next training replaces it as any other release")
