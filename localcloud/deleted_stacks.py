"""Deleted stacks whose retained resources are still listed, as CloudFormation does for 90 days."""

from collections.abc import Iterable
from typing import Any

from localcloud.seams import cloudformation

STACK = "AWS::CloudFormation::Stack"

Document = dict[str, Any]


def install() -> None:
    """Wrap ministack's record of events: a stack's last one says that its deletion is complete."""

    def add_event(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        *rest: Any,
        **options: Any,
    ) -> None:
        original(stack_id, stack_name, logical_id, resource_type, status, *rest, **options)
        stack = cloudformation.stack_named(stack_name)
        if (resource_type, status) == (STACK, "DELETE_COMPLETE") and stack and stack["StackId"] == stack_id:
            stack["_resources"] = retained(cloudformation.stack_events(stack_id))

    original = cloudformation.add_event.replace(add_event)


def retained(events: Iterable[Document]) -> Document:
    """Return the records of the resources that the last deletion has left, by logical id."""
    records: Document = {}
    for event in events:
        if event["ResourceType"] == STACK and event["ResourceStatus"] == "DELETE_IN_PROGRESS":
            records.clear()
        elif event["ResourceStatus"] == "DELETE_SKIPPED":
            kept = ("LogicalResourceId", "PhysicalResourceId", "ResourceType", "ResourceStatus", "Timestamp")
            records[event["LogicalResourceId"]] = {name: event[name] for name in kept}
    return records
