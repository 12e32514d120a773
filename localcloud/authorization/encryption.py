"""The key permissions that a call needs because what it reads or writes is encrypted with the account's key.

A service uses the key in the name of its caller (`kms:ViaService`) and tells the key what it is for (the
encryption context). Which key a bucket, table, queue or topic has is what its template says.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
.../amazondynamodb/latest/developerguide/encryption.usagenotes.html,
.../AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,
.../sns/latest/dg/sns-key-management.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localcloud.authorization.needs import Need, Place
from localcloud.seams import cloudformation, iam

_WRITE = ("kms:GenerateDataKey",)
_READ = ("kms:Decrypt",)
_BOTH = ("kms:GenerateDataKey", "kms:Decrypt")
_OF_ACTION: dict[str, tuple[str, ...]] = {
    "s3:GetObject": _READ,
    "s3:GetObjectVersion": _READ,
    "s3:PutObject": _WRITE,
    "sqs:SendMessage": _BOTH,
    "sqs:ReceiveMessage": _READ,
    "sns:Publish": _BOTH,
    # The key of a table's key is used once in a while, in the name of any caller.
    **{
        f"dynamodb:{name}": _READ
        for name in (
            *("GetItem", "BatchGetItem", "Query", "Scan", "ConditionCheckItem"),
            *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
        )
    },
}


class Encryption:
    """Knows the keys of the deployed resources.

    Parameters
    ----------
    place
        Of the resources.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._seen: list[dict[str, Any]] = []
        self._keys: dict[str, str] = {}

    def needs(self, need: Need, *, whole: bool = True) -> Iterator[Need]:
        """Yield what a call needs of the key of its resource.

        Parameters
        ----------
        whole
            False for a request of an object's head, which decrypts nothing.
        """
        actions = _OF_ACTION.get(need.action)
        if actions is None or not whole:
            return
        encrypted, context = _encrypted(need)
        key = self.key_of(encrypted)
        if key is None:
            return
        service = need.action.partition(":")[0]
        via = {"kms:viaservice": f"{service}.{self._place.region}.amazonaws.com", **context}
        for action in actions:
            yield Need(action, key, via)

    def key_of(self, arn: str) -> str | None:
        """Return the ARN of a resource's key, None where the account has no key for it."""
        stacks = list(cloudformation.provisioned().values())
        if len(stacks) != len(self._seen) or any(map(_differ, stacks, self._seen)):
            self._keys = dict(self._read(stacks))
            self._seen = stacks
        return self._keys.get(arn)

    def _read(self, stacks: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        for stack in stacks:
            for resource in stack.values():
                kind = resource.get("ResourceType", "")
                if kind not in _REFERENCES:
                    continue
                reference = _REFERENCES[kind](resource.get("Properties") or {})
                record = iam.resolve_key(reference) if reference else None
                if record is not None:
                    yield self._arn(kind, str(resource["PhysicalResourceId"])), record["Arn"]

    def _arn(self, kind: str, name: str) -> str:
        if name.startswith("arn:"):
            return name
        if kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name}"
        if kind == "AWS::DynamoDB::Table":
            return self._place.arn("dynamodb", f"table/{name}")
        return self._place.arn("sqs", name.rpartition("/")[2])


def _differ(left: object, right: object) -> bool:
    return left is not right


def _encrypted(need: Need) -> tuple[str, dict[str, str]]:
    """Return whose key it is, and the encryption context."""
    service, arn = need.action.partition(":")[0], need.resource
    if service == "s3":
        bucket = arn.partition("/")[0]
        return bucket, {"kms:encryptioncontext:aws:s3:arn": bucket}  # with a bucket key; else the object
    if service == "dynamodb":
        table = arn.partition("/index/")[0]
        return table, {"kms:encryptioncontext:aws:dynamodb:tablename": table.rpartition("/")[2]}
    name = "aws:sqs:arn" if service == "sqs" else "aws:sns:topicarn"
    return arn, {f"kms:encryptioncontext:{name}": arn}


def _of_bucket(properties: Mapping[str, Any]) -> str | None:
    rules = (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or []
    defaults = [rule.get("ServerSideEncryptionByDefault") or {} for rule in rules]
    return next((each["KMSMasterKeyID"] for each in defaults if each.get("KMSMasterKeyID")), None)


_REFERENCES: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    "AWS::S3::Bucket": _of_bucket,
    "AWS::DynamoDB::Table": lambda found: (found.get("SSESpecification") or {}).get("KMSMasterKeyId"),
    "AWS::SQS::Queue": lambda found: found.get("KmsMasterKeyId"),
    "AWS::SNS::Topic": lambda found: found.get("KmsMasterKeyId"),
}
