"""Committing changes of series states under their optimistic lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause
from lambdas.runtime.threads import ForEach
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.series_state import Dropped, SeriesState, advance, new_state
from watchkeeper.telemetry.records import Record

NEW = 0
"""Version of a state that is not stored."""


@dataclass(frozen=True)
class StoredState:
    """A state, and the version of the item that it was read from."""

    state: SeriesState
    version: int


class StateStore(Protocol):
    """Series states of a workload."""

    def load(self, workload: str, series: Sequence[str]) -> dict[str, StoredState]:
        """Return those that exist, by series key; what a completed `save` wrote is seen."""

    def save(self, workload: str, state: SeriesState, seen_version: int) -> bool:
        """Write the next version, unless the stored version is not `seen_version` any more: then False."""


@dataclass(frozen=True)
class SeriesMerge:
    """What an object did to one series."""

    stored: StoredState
    late_record_ids: frozenset[str]
    behind: UnavailableError | None = None
    """Set if the series has too many intervals that wait to be scored, and so was not changed."""
    dropped: Dropped | None = None


def merge_object(
    groups: dict[str, list[Record]],
    object_id: str,
    plan: WorkloadPlan,
    store: StateStore,
    for_each: ForEach,
    pause: Pause,
    keep: Callable[[Dropped], None],
) -> list[SeriesMerge]:
    """Merge an object's records into the states of their series, and commit them.

    A series whose backlog is full keeps its state, so that its outbox can be scored before the object comes
    again.

    Parameters
    ----------
    keep
        Called with what a change of the plan's interval drops, before that is committed; maybe again.

    Raises
    ------
    UnavailableError
        If a state changed each time between reading and writing it.
    """
    known = store.load(plan.workload, list(groups))

    def merge(series: str) -> SeriesMerge:
        late: frozenset[str] = frozenset()
        behind: UnavailableError | None = None
        dropped: Dropped | None = None

        def change(state: SeriesState) -> SeriesState:
            nonlocal late, behind, dropped
            try:
                outcome = advance(state, groups[series], object_id, plan)
            except UnavailableError as error:
                behind = error
                return state
            late = frozenset(record.record_id for record in outcome.late)
            dropped = outcome.dropped
            if dropped:
                keep(dropped)
            return outcome.state

        stored = known.get(series) or StoredState(new_state(series, plan), NEW)
        committed = commit(plan.workload, stored, change, store, pause)
        return SeriesMerge(committed, late, behind, dropped)

    return for_each(merge, list(groups))


def commit(
    workload: str,
    stored: StoredState,
    change: Callable[[SeriesState], SeriesState],
    store: StateStore,
    pause: Pause,
) -> StoredState:
    """Apply a change to a state; where it was changed meanwhile, apply the change to what it is now.

    Raises
    ------
    UnavailableError
        After `MAX_ATTEMPTS` conflicts.
    """
    series = stored.state.series
    for attempt in range(MAX_ATTEMPTS):
        changed = change(stored.state)
        if changed == stored.state:
            return stored
        if store.save(workload, changed, stored.version):
            return StoredState(changed, stored.version + 1)
        pause(attempt)
        stored = store.load(workload, [series]).get(series) or StoredState(stored.state, NEW)
    raise UnavailableError(f"series {series!r} changed {MAX_ATTEMPTS} times while it was to be written")
