"""What people say of an incident is written under its workload's lock, as what anomalies change is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from lambdas.adapters.incident_store import IncidentStore
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.incidents.feedback import verdict_of
from watchkeeper.incidents.incident import Feedback, Incident
from watchkeeper.incidents.pausing import Pauses
from watchkeeper.incidents.progress import Change, after_undo, after_verdict

Condition = Callable[[Incident], None]
Result = TypeVar("Result")


def none(incident: Incident) -> None:
    """Take any incident."""


def judge(
    store: IncidentStore,
    incident_id: str,
    what: Feedback | None,
    who: str,
    at: datetime,
    note: str | None = None,
    pause: Pause = pause_with_jitter,
    *,
    condition: Condition = none,
) -> Incident:
    """Give a verdict on an incident, or take back what was said of it, and return it as it is now.

    The same verdict again changes nothing. Thresholds move with it in one write; see `respond_with` for the
    other parameters and what it raises.

    Parameters
    ----------
    what
        None: take it back.

    Raises
    ------
    InvalidInputError
        If there is nothing to take back.
    """

    def change(incident: Incident) -> Change:
        standing = store.verdicts(incident.workload)  # not older than the book that the write depends on
        if what is None:
            return after_undo(incident, who, at, standing)
        return after_verdict(incident, verdict_of(incident, what, who, at, note), standing)

    return respond_with(store, incident_id, change, pause, condition=condition)


def respond(
    store: IncidentStore,
    incident_id: str,
    change: Callable[[Incident], Incident],
    pause: Pause = pause_with_jitter,
    *,
    condition: Condition = none,
) -> Incident:
    """Change an incident, and return it as it is now; one that the change leaves as it is is not written.

    See `respond_with` for the parameters and what it raises.
    """

    def changed(incident: Incident) -> Change:
        after = change(incident)
        return Change() if after == incident else Change((after,))

    return respond_with(store, incident_id, changed, pause, condition=condition)


def respond_with(
    store: IncidentStore,
    incident_id: str,
    change: Callable[[Incident], Change],
    pause: Pause = pause_with_jitter,
    *,
    condition: Condition = none,
) -> Incident:
    """Write a change of one incident, and return it as it is now; a change without incidents is not written.

    Parameters
    ----------
    incident_id
        Its id, or a former one.
    change
        Asked again with the incident as it is then, where others wrote meanwhile.
    condition
        Refuses by an error an incident that is not as who asks has seen it.

    Raises
    ------
    InvalidInputError
        If there is none, or the change is refused.
    UnavailableError
        If others write all the time.
    """
    for attempt in range(MAX_ATTEMPTS):
        found = _found(store, incident_id)
        book = store.book(found.workload)
        for _, sending in store.unsent(found.workload):
            store.point(sending.merged)  # or one that is in another now would be written as if it stood alone
        before = _found(store, incident_id)  # not older than the book
        condition(before)
        made = change(before)
        if not made.incidents:
            return before
        if store.commit(found.workload, book, book, made):
            return made.incidents[0]
        pause(attempt)
    raise UnavailableError(f"incident {incident_id} changed {MAX_ATTEMPTS} times while it was written")


def respond_of_workload(
    store: IncidentStore, workload: str, change: Callable[[Pauses], Pauses], pause: Pause = pause_with_jitter
) -> Pauses:
    """Change the pauses of a workload, and return them as they are now; no change is not written.

    Raises
    ------
    InvalidInputError
        If the change is refused.
    UnavailableError
        If others write all the time.
    """

    def made() -> tuple[Pauses, Change]:
        before = store.pauses(workload)
        after = change(before)
        return after, Change() if after == before else Change(pauses=after)

    return under_lock(store, workload, made, pause)


def under_lock(
    store: IncidentStore,
    workload: str,
    make: Callable[[], tuple[Result, Change]],
    pause: Pause = pause_with_jitter,
) -> Result:
    """Write a change of a workload that is not of an incident, and return what `make` says beside it.

    Parameters
    ----------
    make
        Asked again where others wrote meanwhile; what it reads is not older than the book that the write
        depends on. A change of nothing is not written.

    Raises
    ------
    UnavailableError
        If others write all the time.
    """
    for attempt in range(MAX_ATTEMPTS):
        book = store.book(workload)
        result, change = make()
        if change == Change() or store.commit(workload, book, book, change):
            return result
        pause(attempt)
    raise UnavailableError(f"incidents of {workload} changed {MAX_ATTEMPTS} times while it was written")


def _found(store: IncidentStore, incident_id: str) -> Incident:
    found = store.find(incident_id)
    if found is None:
        raise InvalidInputError(
            f"there is no incident {incident_id!r}: `watchkeeper incidents WORKLOAD` lists them"
        )
    return found
