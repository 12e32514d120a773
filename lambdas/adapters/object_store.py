"""Objects in S3, as the functions need them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambdas.adapters.errors import translated, unless
from watchkeeper.core.errors import ContractViolationError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
"""What S3 answers where there is no object."""
CONFLICT = frozenset({"409", "412", "ConditionalRequestConflict", "PreconditionFailed"})
"""What S3 answers to a conditional write whose condition does not hold, or where another one is under way."""


class ObjectUri(NamedTuple):
    """The bucket and the key (or prefix) of an `s3://` location."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> ObjectUri:
        """Read `s3://bucket/key`.

        Raises
        ------
        ContractViolationError
            If it is not of that form.
        """
        scheme, separator, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not separator or not bucket:
            raise ContractViolationError(f"{uri!r} is not of the form s3://bucket/key")
        return cls(bucket, key)

    @classmethod
    def of_model_data(cls, url: str) -> ObjectUri:
        """Read a `ModelDataUrl`: `s3://bucket/key`, or the https form of it that SageMaker also writes.

        Raises
        ------
        ContractViolationError
            If it is of neither form.
        """
        match = re.fullmatch(r"https://s3[^/]*/([^/]+)/(.+)|https://([^./]+)\.s3[^/]*/(.+)", url)
        return cls.parse(url) if match is None else cls(match[1] or match[3], match[2] or match[4])

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ListedObject(NamedTuple):
    """An object as a list of keys has it."""

    key: str
    tag: str
    """Entity tag, without quotes."""
    n_bytes: int
    written_at: datetime
    """Aware."""


class ObjectStore(Protocol):
    """Whole objects by bucket and key."""

    def read(self, uri: ObjectUri, version_id: str | None = None) -> bytes | None:
        """Return the object's bytes, or None if it does not exist."""

    def write(self, uri: ObjectUri, body: bytes) -> None:
        """Create the object or replace it."""

    def write_once(self, uri: ObjectUri, body: bytes) -> bytes:
        """Create the object unless it exists, and return what it holds now: `body`, or what was first."""

    def exists(self, uri: ObjectUri) -> bool:
        """Tell whether there is such an object."""

    def any_under(self, prefix: ObjectUri) -> bool:
        """Tell whether an object's key begins with the prefix."""

    def keys_under(self, prefix: ObjectUri, after: str = "") -> list[str]:
        """Return the keys that begin with the prefix, in order; those up to `after` are left out."""

    def listed(self, prefix: ObjectUri) -> list[ListedObject]:
        """Return the objects whose keys begin with the prefix, in order of their keys."""


@dataclass(frozen=True)
class S3ObjectStore:
    """`ObjectStore` in S3."""

    client: S3Client

    def read(self, uri: ObjectUri, version_id: str | None = None) -> bytes | None:
        version = {"VersionId": version_id} if version_id else {}

        def content() -> bytes:
            return self.client.get_object(Bucket=uri.bucket, Key=uri.key, **version)["Body"].read()  # type: ignore[arg-type]  # an optional argument of the call

        return unless(ABSENT, f"read {uri}", content)

    def write(self, uri: ObjectUri, body: bytes) -> None:
        with translated(f"write {uri}"):
            self.client.put_object(Bucket=uri.bucket, Key=uri.key, Body=body)

    def write_once(self, uri: ObjectUri, body: bytes) -> bytes:
        written = unless(
            CONFLICT,
            f"write {uri}",
            lambda: self.client.put_object(Bucket=uri.bucket, Key=uri.key, Body=body, IfNoneMatch="*"),
        )
        first = None if written else self.read(uri)
        return body if first is None else first

    def exists(self, uri: ObjectUri) -> bool:
        found = unless(
            ABSENT, f"look for {uri}", lambda: self.client.head_object(Bucket=uri.bucket, Key=uri.key)
        )
        return found is not None

    def any_under(self, prefix: ObjectUri) -> bool:
        with translated(f"list {prefix}"):
            page = self.client.list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.key, MaxKeys=1)
        return page.get("KeyCount", 0) > 0

    def keys_under(self, prefix: ObjectUri, after: str = "") -> list[str]:
        with translated(f"list {prefix}"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=prefix.bucket, Prefix=prefix.key, StartAfter=after
            )
            return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def listed(self, prefix: ObjectUri) -> list[ListedObject]:
        with translated(f"list {prefix}"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=prefix.bucket, Prefix=prefix.key
            )
            return [
                ListedObject(item["Key"], item["ETag"].strip('"'), item["Size"], item["LastModified"])
                for page in pages
                for item in page.get("Contents", [])
            ]

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; one that is gone already is no error."""
        with translated(f"remove {uri}"):
            self.client.delete_object(Bucket=uri.bucket, Key=uri.key)
