"""CloudFormation resource types that ministack lacks, and the record of properties that nobody reads.

Whoever deploys asks what a stack is, and again 5 s later: for a stack that is at work the answer waits.
"""

import asyncio
import functools
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from localcloud import coverage, deleted_stacks
from localcloud.disk import operation_of
from localcloud.part import Part
from localcloud.seams import budgets, cloudwatch
from localcloud.seams.cloudformation import physical_name, resource_handlers, stack_named
from localcloud.seams.gateway import service_handlers
from localcloud.settings import Settings

HELD_SECONDS = 4.0
"""Longest time that the answer about a stack at work waits for its end."""
_LOOK_SECONDS = 0.05
_CHANGES = {"create", "update", "delete", "import"}


class ProvisioningError(ValueError):
    """A resource cannot be made; CloudFormation rolls the stack back with this message."""


class CloudFormationPart(Part):
    """Registers provisioners and wraps all of them to record what they read.

    Parameters
    ----------
    settings
        Of the local cloud.
    on_change
        Called after each resource that was made, changed or deleted.
    """

    def __init__(self, settings: Settings, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._record = settings.home / "state" / "ignored-properties.record"

    def install(self) -> None:
        """Add our types, then watch every type."""
        self._hand_on: Callable[..., Awaitable[Any]] = service_handlers["cloudformation"]
        service_handlers["cloudformation"] = self.handle_request
        coverage.load(self._record)
        deleted_stacks.install()
        resource_handlers["AWS::CloudWatch::CompositeAlarm"] = {
            "create": create_composite_alarm,
            "update": update_composite_alarm,
            "delete": delete_alarm,
        }
        resource_handlers["AWS::Budgets::Budget"] = {
            "create": create_budget,
            "update": update_budget,
            "delete": delete_budget,
        }
        resource_handlers["AWS::Cognito::ManagedLoginBranding"] = {
            "create": create_branding,
            "update": lambda physical, *_: (physical, {}),
            "delete": lambda *_: None,
        }
        coverage.watch(resource_handlers)
        for functions in resource_handlers.values():
            for name in _CHANGES & functions.keys():
                functions[name] = self._announced(functions[name])

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        """Answer a request; who asks about one stack that is at work hears of its end, if that is near."""
        if operation_of(headers, body) == "DescribeStacks":
            name = parse_qs(body.decode("latin-1")).get("StackName", [""])[0]
            end = time.monotonic() + HELD_SECONDS
            while is_at_work(name) and time.monotonic() < end:
                await asyncio.sleep(_LOOK_SECONDS)
        return await self._hand_on(method, path, headers, body, query)

    def _announced(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def announced(*arguments: Any, **options: Any) -> Any:
            try:
                return function(*arguments, **options)
            finally:
                self._on_change()

        return announced

    def snapshot(self) -> None:
        """Keep the record of ignored properties."""
        coverage.save(self._record)

    def status(self) -> dict[str, Any]:
        """Return the ignored properties of the stacks that were deployed."""
        return {"ignored_properties": coverage.ignored()}


def is_at_work(name: str) -> bool:
    """Whether a stack, named by its name or its id, is being made, changed or removed."""
    stack = stack_named(name.split("/")[1] if name.startswith("arn:") else name)
    status = stack["StackStatus"] if stack else ""
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def create_composite_alarm(
    logical_id: str, properties: dict[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    """Provision ``AWS::CloudWatch::CompositeAlarm``."""
    name = properties.get("AlarmName") or physical_name(stack, logical_id, max_len=255)
    return _put_composite_alarm(name, properties)


def update_composite_alarm(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    """Rewrite a composite alarm in place; its state stays."""
    return _put_composite_alarm(physical_id, new)


def create_budget(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    """Provision ``AWS::Budgets::Budget``."""
    budget = dict(properties["Budget"])
    name = budget.setdefault("BudgetName", physical_name(stack, logical_id, max_len=100))
    limit = budget.get("BudgetLimit", {})
    request = {
        "Budget": {**budget, "BudgetLimit": {**limit, "Amount": str(limit.get("Amount"))}},
        "NotificationsWithSubscribers": properties.get("NotificationsWithSubscribers") or [],
    }
    status, _, body = budgets.create_budget(request)
    if status != 200:
        raise ProvisioningError(json.loads(body).get("message", "CreateBudget failed"))
    return name, {}


def update_budget(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    """Make a budget anew in place of the old one."""
    delete_budget(physical_id, old)
    return create_budget(physical_id, new, stack)


def delete_budget(physical_id: str, properties: dict[str, Any]) -> None:
    """Delete a budget."""
    budgets.delete_budget({"BudgetName": physical_id})


def create_branding(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    """Provision ``AWS::Cognito::ManagedLoginBranding``: the sign-in page here has one look."""
    branding = str(uuid.uuid4())
    return f"{properties['UserPoolId']}|{branding}", {"ManagedLoginBrandingId": branding}


def delete_alarm(physical_id: str, properties: dict[str, Any]) -> None:
    """Delete an alarm."""
    cloudwatch.delete_alarms({}, {"AlarmNames": [physical_id]}, False, is_json=True)


def _put_composite_alarm(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    request = {
        "AlarmName": name,
        "AlarmRule": properties["AlarmRule"],
        "AlarmDescription": properties.get("AlarmDescription", ""),
        "ActionsEnabled": str(properties.get("ActionsEnabled", True)).lower() != "false",
        "AlarmActions": properties.get("AlarmActions") or [],
        "OKActions": properties.get("OKActions") or [],
        "InsufficientDataActions": properties.get("InsufficientDataActions") or [],
        "Tags": properties.get("Tags") or [],
    }
    status, _, body = cloudwatch.put_composite_alarm({}, request, False, is_json=True)
    if status != 200:
        raise ProvisioningError(json.loads(body).get("message", "PutCompositeAlarm failed"))
    return name, {"Arn": cloudwatch.composite_alarms[name]["AlarmArn"]}
