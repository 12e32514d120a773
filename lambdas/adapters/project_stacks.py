"""What the project's stacks are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambdas.adapters.errors import translated
from watchkeeper.core import layout

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NOT_THERE = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"})
"""States of stacks without resources."""


class StackResource(NamedTuple):
    """A resource of a deployed stack."""

    stack: str
    type: str
    identity: str
    """Its physical id."""


def project_resources(client: CloudFormationClient) -> list[StackResource]:
    """Return every resource of the project's stacks in the client's region."""
    with translated("list the project's stacks"):
        stacks = [
            stack["StackName"]
            for page in client.get_paginator("list_stacks").paginate()
            for stack in page["StackSummaries"]
            if stack["StackName"].startswith(layout.STACK_PREFIX) and stack["StackStatus"] not in NOT_THERE
        ]
        return [
            StackResource(name, resource["ResourceType"], resource.get("PhysicalResourceId", ""))
            for name in stacks
            for page in client.get_paginator("list_stack_resources").paginate(StackName=name)
            for resource in page["StackResourceSummaries"]
        ]
