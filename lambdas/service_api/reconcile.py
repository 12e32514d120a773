"""A request that is written down and whose workflow was never started: whoever looks at it starts it.

It is what a function leaves that ended between the two, with no answer to its caller. The item has the
execution's input and names the execution, so that any number of starts are one.
"""

from __future__ import annotations

from datetime import timedelta

from lambdas.service_api.effects import ServiceEffects
from lambdas.service_api.request_table import Item
from watchkeeper.core.timestamps import parse_iso8601
from watchkeeper.service.request_item import Attribute, Status
from watchkeeper.service.tasks import Task

LOST_AFTER = timedelta(seconds=30)
"""The function that wrote the item has ended by then, one way or the other: API Gateway waits no longer."""


def start_if_lost(item: Item, effects: ServiceEffects) -> None:
    """Start the workflow of a request that has been `queued` for longer than a start can take.

    Raises
    ------
    UnavailableError
        If it cannot be started now: the caller looks again.
    """
    if item[Attribute.STATUS.value] != Status.QUEUED.value:
        return
    if effects.now() - parse_iso8601(item[Attribute.CREATED_AT.value]) < LOST_AFTER:
        return
    effects.workflows.start(
        Task(item[Attribute.TASK.value]), item[Attribute.SK.value], item[Attribute.INPUT.value]
    )
