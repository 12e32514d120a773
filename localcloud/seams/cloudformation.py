"""CloudFormation: the provisioners by resource type, and the stacks and their events."""

from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation as _cloudformation
from ministack.services.cloudformation import provisioners as _provisioners
from ministack.services.cloudformation import stacks as _stacks

from localcloud.seams.replacing import Replaceable

resource_handlers: dict[str, dict[str, Any]] = _provisioners._RESOURCE_HANDLERS
physical_name: Callable[..., str] = _provisioners._physical_name
delete_predecessor: Callable[..., None] = _provisioners._delete_predecessor

add_event = Replaceable(_stacks, "_add_event")
runs_on_worker_thread = Replaceable(_stacks, "_runs_on_worker_thread")
metric_alarm_record = Replaceable(_provisioners, "_cw_metric_alarm_record")
state_machine_definition = Replaceable(_provisioners, "_sfn_definition")

_NOTHING: dict[str, Any] = {}


def stack_named(name: str) -> dict[str, Any] | None:
    """Return a stack's record."""
    found: dict[str, Any] | None = _cloudformation._stacks.get(name)
    return found


def provisioned() -> dict[str, dict[str, Any]]:
    """Return the resources of each stack by logical id; a stack that has changed has another mapping."""
    return {name: stack.get("_resources", _NOTHING) for name, stack in _cloudformation._stacks.items()}


def stack_events(stack_id: str) -> list[dict[str, Any]]:
    """Return the events of a stack, the oldest first."""
    found: list[dict[str, Any]] = _cloudformation._stack_events[stack_id]
    return found
