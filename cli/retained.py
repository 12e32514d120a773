"""What the stacks leave behind when they are removed: buckets, tables, users and keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import boto3
from botocore.exceptions import ClientError

from cli.removal import GONE, Patience, Removal
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
    {
        "CREATE_COMPLETE",
        "DELETE_COMPLETE",
        "DELETE_FAILED",
        "IMPORT_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
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


def adoptable(session: boto3.Session, stack: str) -> dict[str, dict[str, str]]:
    """Return what the last deletion of a stack has kept and what is still there, as `cdk import` maps it.

    Returns
    -------
    dict
        By logical id the property that identifies the resource: `{"BucketName": "…"}`.
    """
    client = session.client("cloudformation")
    pages = client.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    deleted = [
        summary for page in pages for summary in page["StackSummaries"] if summary["StackName"] == stack
    ]
    if not deleted:
        return {}
    last = max(deleted, key=lambda summary: summary.get("DeletionTime", summary.get("CreationTime")))
    return {
        resource["LogicalResourceId"]: {_IDENTIFIER[kind]: resource["PhysicalResourceId"]}
        for page in client.get_paginator("list_stack_resources").paginate(StackName=last["StackId"])
        for resource in page["StackResourceSummaries"]
        if (kind := _KINDS.get(resource["ResourceType"])) is not None
        and resource.get("ResourceStatus") == "DELETE_SKIPPED"
        and is_there(session, kind, resource["PhysicalResourceId"])
    }


def is_there(session: boto3.Session, kind: str, name: str) -> bool:
    """Return whether a resource can be used; a key that is to be deleted cannot.

    Parameters
    ----------
    kind
        As in `Retained.resources`.
    """
    try:
        return _IS_THERE[kind](session, name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {*GONE, "404", "ValidationException"}:
            return False
        raise


def _has_bucket(session: boto3.Session, name: str) -> bool:
    session.client("s3").head_bucket(Bucket=name)
    return True


def _has_table(session: boto3.Session, name: str) -> bool:
    status = session.client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"]
    return bool(status == "ACTIVE")


def _has_user_pool(session: boto3.Session, name: str) -> bool:
    session.client("cognito-idp").describe_user_pool(UserPoolId=name)
    return True


def _has_key(session: boto3.Session, name: str) -> bool:
    return bool(session.client("kms").describe_key(KeyId=name)["KeyMetadata"]["KeyState"] == "Enabled")


_IDENTIFIER = {"bucket": "BucketName", "table": "TableName", "user pool": "UserPoolId", "key": "KeyId"}
_IS_THERE = {"bucket": _has_bucket, "table": _has_table, "user pool": _has_user_pool, "key": _has_key}


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
