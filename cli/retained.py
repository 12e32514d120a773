"""What the stacks leave behind when they are removed: buckets, tables, users and keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import boto3

from cli.removal import Patience, Removal
from watchkeeper.core import layout

KEY_WINDOW_DAYS = 7
"""The shortest time after which AWS removes a key."""

_KINDS = {
    "AWS::S3::Bucket": "bucket",
    "AWS::DynamoDB::Table": "table",
    "AWS::DynamoDB::GlobalTable": "table",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::KMS::Key": "key",
}
_LIVE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_FAILED", "DELETE_COMPLETE"}
)


@dataclass(frozen=True)
class Retained:
    """Stateful resources of the stacks."""

    resources: tuple[tuple[str, str], ...]
    """`(kind, physical id)`."""

    def names(self) -> list[str]:
        """Return them in words."""
        return [f"{kind} {name}" for kind, name in self.resources]

    def delete(self, session: boto3.Session, patience: Patience = Patience(seconds=120)) -> Iterator[Removal]:
        """Delete them, the keys last, and tell of each; what is gone already is passed over."""
        buckets = [name for kind, name in self.resources if kind == "bucket"]
        for name in buckets:  # else the log of what is deleted keeps its own bucket from being empty
            patience.remove(f"access log of {name}", partial(_stop_logging, session, name))
        for kind, name in sorted(self.resources, key=lambda resource: resource[0] == "key"):
            what = f"{kind} {name}" + (f" (in {KEY_WINDOW_DAYS} days)" if kind == "key" else "")
            removal = patience.remove(what, partial(_DELETE[kind], session, name))
            if removal is not None:
                yield removal


def retained_of(session: boto3.Session) -> Retained:
    """Return the stateful resources of all our stacks, of removed ones too."""
    client = session.client("cloudformation")
    found: dict[tuple[str, str], None] = {}
    for page in client.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            if not stack["StackName"].startswith(layout.STACK_PREFIX) or stack["StackStatus"] not in _LIVE:
                continue
            for resources in client.get_paginator("list_stack_resources").paginate(
                StackName=stack["StackId"]
            ):
                for resource in resources["StackResourceSummaries"]:
                    kind = _KINDS.get(resource["ResourceType"])
                    if kind and resource.get("PhysicalResourceId"):
                        found[kind, resource["PhysicalResourceId"]] = None
    return Retained(tuple(found))


def _stop_logging(session: boto3.Session, name: str) -> None:
    session.client("s3").put_bucket_logging(Bucket=name, BucketLoggingStatus={})


def _delete_bucket(session: boto3.Session, name: str) -> None:
    bucket = session.resource("s3").Bucket(name)
    bucket.object_versions.delete()
    bucket.delete()


def _delete_table(session: boto3.Session, name: str) -> None:
    client = session.client("dynamodb")
    described = client.describe_table(TableName=name)["Table"]
    if described.get("DeletionProtectionEnabled"):
        client.update_table(TableName=name, DeletionProtectionEnabled=False)
        client.get_waiter("table_exists").wait(TableName=name)
    client.delete_table(TableName=name)


def _delete_user_pool(session: boto3.Session, name: str) -> None:
    client = session.client("cognito-idp")
    if client.describe_user_pool(UserPoolId=name)["UserPool"].get("DeletionProtection") == "ACTIVE":
        client.update_user_pool(UserPoolId=name, DeletionProtection="INACTIVE")
    client.delete_user_pool(UserPoolId=name)


def _delete_key(session: boto3.Session, name: str) -> None:
    client = session.client("kms")
    if client.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] != "PendingDeletion":
        client.schedule_key_deletion(KeyId=name, PendingWindowInDays=KEY_WINDOW_DAYS)


_DELETE = {
    "bucket": _delete_bucket,
    "table": _delete_table,
    "user pool": _delete_user_pool,
    "key": _delete_key,
}
