"""How many tasks of a tenant may be open at once: each takes a place, and a task that has ended gives it up.

A place is taken by a conditional write, so that requests at once take no more places than there are. It is
given up when the next task needs one: nothing that ends a task has to do so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lambdas.http.problems import TOO_MANY_TASKS, ServiceProblemError
from lambdas.service_api.request_table import Place
from watchkeeper.service.request_item import OPEN, Attribute

if TYPE_CHECKING:
    from lambdas.service_api.effects import ServiceEffects

RETRY_AFTER_SECONDS = 30
TAKEN_SECONDS = 60
"""A place whose request is not written after so long belongs to a POST that died before."""


def take_place(tenant: str, request: str, effects: ServiceEffects) -> None:
    """Take a place for a new task of a tenant.

    Raises
    ------
    ServiceProblemError
        If all places are taken by tasks that are open (`too_many_tasks`).
    """
    place, most = Place(request, effects.now()), effects.most_open_tasks
    if effects.requests.take(tenant, place, most):
        return
    ended = [each for each in effects.requests.places(tenant) if _has_ended(tenant, each, effects)]
    if ended:
        effects.requests.give_up(tenant, ended)
        if effects.requests.take(tenant, place, most):
            return
    raise ServiceProblemError(
        TOO_MANY_TASKS,
        f"{most} tasks are queued or running, the most at once: send the request again when one has ended",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _has_ended(tenant: str, place: Place, effects: ServiceEffects) -> bool:
    item = effects.requests.find(tenant, place.request)
    if item is None:
        return effects.now() - place.taken_at > timedelta(seconds=TAKEN_SECONDS)
    return item[Attribute.STATUS.value] not in {status.value for status in OPEN}
