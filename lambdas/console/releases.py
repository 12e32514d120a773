"""Releases of a workload: which one may judge again, and that it does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from lambdas.adapters.event_bus import EventBus
from lambdas.adapters.release_store import ReleaseStore
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.lifecycle.published import PUBLISHED_DETAIL_TYPE, PublishedRelease
from watchkeeper.lifecycle.release import Release


def earlier_release(
    releases: ReleaseStore, workload: str, run_id: str | None, rejected: Collection[str] = ()
) -> Release:
    """Return the release to go back to.

    Parameters
    ----------
    run_id
        Its run; None: the one before the live one.
    rejected
        ARNs of the registered versions that may not serve.

    Raises
    ------
    InvalidInputError
        If there is none, or its model is rejected; names those that there are.
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
    if run_id in known and known[run_id].model_package_arn in rejected:
        raise InvalidInputError(
            f"workload {workload}: the model of run {run_id} is rejected in the registry: approve it first"
        )
    known = {run: each for run, each in known.items() if each.model_package_arn not in rejected}
    earlier = [each for each in known if each < live.run_id]
    wanted = run_id or max(earlier, default="")
    if wanted not in known:
        there = ", ".join(sorted(known, reverse=True)) or "none"
        raise InvalidInputError(
            f"workload {workload}: there is no release of run {wanted or f'before {live.run_id}'}; "
            f"others are of: {there}"
        )
    return known[wanted]


def go_back(releases: ReleaseStore, bus: EventBus, release: Release, now: datetime) -> None:
    """Let an earlier release judge again, and tell who looks on.

    Raises
    ------
    UnavailableError
        If another release was published at the same time, or the bus does not take the event.
    """
    replaced = releases.go_back(release)
    before = None if replaced is None else replaced.run_id
    told = PublishedRelease(release.workload, release.run_id, "rolled_back", format_instant(now), before)
    bus.put(PUBLISHED_DETAIL_TYPE, [told.to_json()])
