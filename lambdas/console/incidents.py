"""Incidents as the console shows them: lists by filters over workloads, one with what judged it, changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from lambdas.adapters.incident_store import IncidentStore
from lambdas.adapters.release_store import ReleaseStore
from lambdas.console.documents.incidents import (
    IncidentAnswer,
    JudgedBy,
    ListedState,
    MovedThreshold,
)
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from lambdas.runtime.threads import ForEach, in_threads
from watchkeeper.core.layout import short_hash
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.summary import IncidentSummary, LiveEvent

LOOKED_AT = 200
"""Of one workload at a time, where a filter leaves some out."""
MOST_LOOKED_AT = 2000
"""Incidents that one request looks at for its filters; then it answers what it has, and where to go on."""
MOST_CHANGES = 100
_LATEST = 253_370_764_800
"""The year 9999."""


@dataclass(frozen=True)
class Wanted:
    """Which incidents."""

    state: ListedState = "any"
    """`open` means neither acknowledged nor closed."""
    severity_from: float = 0.0
    measure: str | None = None
    where: str | None = None
    """`dimension:value`."""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def takes_all(self) -> bool:
        """Whether it is every one of its time."""
        return self == Wanted(since=self.since, until=self.until)

    def takes(self, incident: IncidentSummary) -> bool:
        """Tell whether an incident is one of them."""
        return (
            self.state in ("any", incident.state)
            and incident.severity >= self.severity_from
            and self.measure in (None, *incident.measures)
            and self.where in (None, *incident.places)
        )


@dataclass
class _Shelf:
    """The incidents of one workload, the newest first, read part by part."""

    store: IncidentStore
    workload: str
    since: int
    until: int
    before: str | None
    most: int
    """That are read at a time."""
    found: list[IncidentSummary] = dataclasses.field(default_factory=list)
    ended: bool = False

    def fill(self) -> None:
        """Have the next one ready, if there is one."""
        while not self.found and not self.ended:
            some, end = self.store.newest(self.workload, self.since, self.until, self.most, self.before)
            self.found, self.before, self.ended = list(some), end or self.before, end is None


def listed(
    store: IncidentStore,
    workloads: Collection[str],
    wanted: Wanted,
    limit: int,
    place: Mapping[str, str] | None = None,
    for_each: ForEach = in_threads,
) -> tuple[list[IncidentSummary], dict[str, str] | None]:
    """Return incidents of several workloads together, the newest first.

    Parameters
    ----------
    place
        Where the part before ended: by workload, the key of the last that was looked at.

    Returns
    -------
    found, place
        Where the next part begins; None after the last. With a filter a part may have fewer than `limit`.
    """
    since = 0 if wanted.since is None else epoch_seconds(wanted.since)
    until = _LATEST if wanted.until is None else epoch_seconds(wanted.until) - 1
    if since > until:
        raise ServiceProblemError(INVALID_REQUEST, "`from` must be before `to`")
    begin = dict(place or {})
    beginnings = _beginnings(store, workloads, wanted, since)
    most = min(limit, LOOKED_AT) if wanted.takes_all else LOOKED_AT
    shelves = [_Shelf(store, name, first, until, begin.get(name), most) for name, first in beginnings.items()]
    for_each(_Shelf.fill, shelves)
    chosen: list[IncidentSummary] = []
    for _ in range(MOST_LOOKED_AT):
        for shelf in shelves:
            shelf.fill()
        ready = [shelf for shelf in shelves if shelf.found]
        if not ready:
            return chosen, None
        newest = max(ready, key=lambda shelf: (shelf.found[0].opened_at, shelf.found[0].incident_id))
        incident = newest.found.pop(0)
        begin[newest.workload] = f"at#{incident.opened_at}#{incident.incident_id}"
        if wanted.takes(incident):
            chosen.append(incident)
        if len(chosen) == limit:
            break
    return chosen, begin


def _beginnings(
    store: IncidentStore, workloads: Collection[str], wanted: Wanted, since: int
) -> dict[str, int]:
    """Return from when on each workload's incidents are looked at: what is not over, its book says."""
    if wanted.state not in ("open", "acknowledged"):
        return dict.fromkeys(sorted(workloads), since)
    books = store.books()
    oldest = {name: books[name].open_since for name in sorted(workloads) if name in books}
    return {name: max(since, first) for name, first in oldest.items() if first is not None}


def answer_of(incident: Incident, releases: ReleaseStore) -> IncidentAnswer:
    """Return an incident with the release that judged it, and where its series' thresholds are now."""
    moved = releases.moved(incident.workload)
    return IncidentAnswer(
        **{each.name: getattr(incident, each.name) for each in dataclasses.fields(incident)},
        release=_judged_by(incident, releases),
        thresholds={
            part.series: MovedThreshold(
                above=moved.of(part.series, "above"), below=moved.of(part.series, "below")
            )
            for part in incident.touched
        },
    )


def tag_of(incident: Incident) -> str:
    """Return the entity tag of an incident, which changes when it does."""
    return f'"{short_hash(incident.to_json())}"'


def events_since(
    store: IncidentStore, workloads: Collection[str], place: Mapping[str, int] | None
) -> tuple[list[LiveEvent], dict[str, int], bool, bool]:
    """Return what changed in workloads since a place.

    Parameters
    ----------
    place
        The number of the last known change by workload; None: nothing is known, and nothing returned.

    Returns
    -------
    events, place, more, complete
        The oldest first; where the next ones begin; whether there are some already; whether none is missing
        because the log does not go back so far.
    """
    now = {name: book.changes for name, book in store.books().items() if name in workloads}
    if place is None:
        return [], now, False, True
    events: list[LiveEvent] = []
    complete, more = True, False
    after = {}
    for name, changes in sorted(now.items()):
        known = place.get(name, 0)
        after[name] = known
        if changes <= known:
            continue
        found = store.changes(name, known, MOST_CHANGES)
        # an account of before has changes that were not logged
        complete = complete and bool(found) and found[0][0] == known + 1
        for number, some in found:
            events += some
            after[name] = number
        if not found:
            after[name] = changes
        more = more or after[name] < changes
    return sorted(events, key=lambda event: event.at), after, more, complete


def _judged_by(incident: Incident, releases: ReleaseStore) -> JudgedBy | None:
    if not incident.run_ids:
        return None
    run_id = incident.run_ids[-1]
    kept, live = releases.of_run(incident.workload, run_id), releases.live(incident.workload)
    return JudgedBy(
        run_id=run_id,
        published_at=None if kept is None else kept.released_at,
        live=live is not None and live.run_id == run_id,
    )
