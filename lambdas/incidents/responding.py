"""What people say of an incident is written under its workload's lock, as what anomalies change is."""

from __future__ import annotations

from collections.abc import Callable

from lambdas.adapters.incident_store import IncidentStore
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.progress import Change


def respond(
    store: IncidentStore,
    incident_id: str,
    change: Callable[[Incident], Incident],
    pause: Pause = pause_with_jitter,
) -> Incident:
    """Change an incident, and return it as it is now; one that the change leaves as it is is not written.

    Parameters
    ----------
    incident_id
        Its id, or a former one.

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
        after = change(before)
        if after == before or store.commit(found.workload, book, book, Change((after,))):
            return after
        pause(attempt)
    raise UnavailableError(f"incident {incident_id} changed {MAX_ATTEMPTS} times while it was written")


def _found(store: IncidentStore, incident_id: str) -> Incident:
    found = store.find(incident_id)
    if found is None:
        raise InvalidInputError(
            f"there is no incident {incident_id!r}: `watchkeeper incidents WORKLOAD` lists them"
        )
    return found
