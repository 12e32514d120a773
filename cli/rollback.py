"""`watchkeeper rollback`: let an earlier release of a streaming detector judge again."""

from __future__ import annotations

from typing import Annotated

import boto3
import typer

from cli.specs import WorkloadName, spec_of
from cli.stacks import Deployment
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from watchkeeper.command.screen import done, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.lifecycle.release import Release


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


def earlier_release(releases: ReleaseStore, workload: str, run_id: str | None) -> Release:
    """Return the release to go back to.

    Raises
    ------
    InvalidInputError
        If there is none; names those that there are.
    """
    live = releases.live(workload)
    if not isinstance(live, Release) or live.stream is None:
        raise InvalidInputError(
            f"workload {workload}: no streaming detector is live. An endpoint goes back by itself when its "
            "alarms fire; else train again"
        )
    known = {
        each.run_id: each
        for each in releases.staged(workload)
        if isinstance(each, Release) and each.stream is not None and each.run_id != live.run_id
    }
    earlier = [each for each in known if each < live.run_id]
    wanted = run_id or max(earlier, default="")
    if wanted not in known:
        there = ", ".join(sorted(known, reverse=True)) or "none"
        raise InvalidInputError(
            f"workload {workload}: there is no release of run {wanted or f'before {live.run_id}'}; "
            f"others are of: {there}"
        )
    return known[wanted]
