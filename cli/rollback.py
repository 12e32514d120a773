"""`watchkeeper rollback`: let an earlier release of a streaming detector judge again."""

from __future__ import annotations

from typing import Annotated

import boto3
import typer

from cli.specs import WorkloadName, spec_of
from cli.stacks import Deployment
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.console.releases import earlier_release
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
    table = Deployment(session).series_table
    releases = TableReleaseStore(session.client("dynamodb"), table)
    chosen = earlier_release(releases, name, to)
    releases.go_back(chosen)
    done(f"run {chosen.run_id}, released {chosen.released_at}, judges from the next object on")
    say("the next training replaces it as any other release")
