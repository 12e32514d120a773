"""Removing the project's stacks, whatever workloads and versions they are of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from cli.removal import Patience, Removal
from watchkeeper.core import layout

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

ENDED = "DELETE_COMPLETE"
FAILED = "DELETE_FAILED"


@dataclass(frozen=True)
class Stacks:
    """The project's stacks in the session's account and region: all whose names begin so, or only one."""

    session: boto3.Session
    patience: Patience = field(default_factory=lambda: Patience(seconds=3600, poll_seconds=2))
    only: str | None = None

    @cached_property
    def client(self) -> CloudFormationClient:
        """CloudFormation."""
        client: CloudFormationClient = self.session.client("cloudformation")
        return client

    def names(self) -> dict[str, str]:
        """Return the id of each stack that is there, by its name."""
        pages = self.client.get_paginator("describe_stacks").paginate()
        return {
            stack["StackName"]: stack["StackId"]
            for page in pages
            for stack in page["Stacks"]
            if stack["StackName"].startswith(layout.STACK_PREFIX)
            and self.only in (None, stack["StackName"])
            and stack["StackStatus"] != ENDED
        }

    def resources(self, kind: str) -> list[str]:
        """Return the physical ids of the stacks' resources of a type."""
        return [
            resource["PhysicalResourceId"]
            for name in self.names()
            for page in self.client.get_paginator("list_stack_resources").paginate(StackName=name)
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == kind and resource.get("PhysicalResourceId")
        ]

    def remove(self) -> Iterator[Removal]:
        """Remove all stacks, those at once that no other one needs any more; tell of each."""
        left = self.names()
        stuck: set[str] = set()
        while candidates := left.keys() - stuck:
            importers = self._importers(left)
            free = sorted(name for name in candidates if not importers.get(name, set()) - {name})
            if not free:
                for name in sorted(candidates):
                    yield Removal(
                        f"stack {name}", f"stack {', '.join(sorted(importers[name]))} imports its outputs"
                    )
                return
            refused = {name: self._delete(left[name]) for name in free}
            for name in free:
                reason = refused[name] or self._end_of(left[name])
                if reason is None:
                    del left[name]
                else:
                    stuck.add(name)
                yield Removal(f"stack {name}", reason)

    def _delete(self, stack_id: str) -> str | None:
        """Start a stack's deletion, or say why CloudFormation refuses it."""
        try:
            self.client.delete_stack(StackName=stack_id)
        except ClientError as error:
            return str(error)
        return None

    def _importers(self, stacks: dict[str, str]) -> dict[str, set[str]]:
        """Return which stacks import an output of which."""
        ids = {stack_id: name for name, stack_id in stacks.items()}
        found: dict[str, set[str]] = {}
        for page in self.client.get_paginator("list_exports").paginate():
            for export in page["Exports"]:
                name = ids.get(export["ExportingStackId"])
                if name is not None:
                    found.setdefault(name, set()).update(self.importers_of(export["Name"]))
        return found

    def importers_of(self, export: str) -> set[str]:
        """Return the names of the stacks that import an output."""
        try:
            pages = list(self.client.get_paginator("list_imports").paginate(ExportName=export))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":  # nobody imports it
                return set()
            raise
        return {name for page in pages for name in page["Imports"]}

    def _end_of(self, stack_id: str) -> str | None:
        """Wait for the end of a stack's deletion; say why it failed, if it did."""
        waited = 0.0
        while waited < self.patience.seconds:
            status = self.client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            if status == ENDED:
                return None
            if status == FAILED:
                return "; ".join(self._failures(stack_id)) or "CloudFormation does not say why"
            self.patience.sleep(self.patience.poll_seconds)
            waited += self.patience.poll_seconds
        return f"its deletion has not ended after {self.patience.seconds:.0f} s"

    def _failures(self, stack_id: str) -> Iterator[str]:
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        resources: list[Any] = [each for page in pages for each in page["StackResourceSummaries"]]
        for resource in resources:
            if resource["ResourceStatus"] == FAILED:
                reason = resource.get("ResourceStatusReason", "no reason given")
                yield f"{resource['LogicalResourceId']}: {reason}"
