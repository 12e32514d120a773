"""The data bucket of `lambdas.history`, in S3: `MergedObjects` and `ReadableObjects`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from lambdas.adapters.errors import translated, unless
from lambdas.adapters.object_store import ABSENT
from lambdas.history.merging import Stored
from lambdas.history.ranged import RangedObject
from watchkeeper.core import layout

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_WORKLOAD = f"{layout.SCORES}/workload="


@dataclass(frozen=True)
class S3MergedObjects:
    """The data bucket."""

    client: S3Client
    bucket: str

    def workloads(self) -> list[str]:
        """Return the workloads that have scores objects."""
        return [prefix.removeprefix(_WORKLOAD).rstrip("/") for prefix in self.folders(_WORKLOAD)]

    def folders(self, prefix: str) -> list[str]:
        """Return the prefixes one level below a prefix."""
        with translated(f"list {self.bucket}/{prefix}"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, Delimiter="/"
            )
            return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]

    def opened(self, key: str) -> IO[bytes]:
        """Return an object as a file of which only what is read is fetched."""
        return io.BufferedReader(RangedObject(self.client, self.bucket, key))

    def listed(self, prefix: str) -> list[Stored]:
        """Return the objects under a prefix."""
        with translated(f"list {self.bucket}/{prefix}"):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            return [Stored(item["Key"], item["ETag"]) for page in pages for item in page.get("Contents", [])]

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """Return an object's metadata; None if there is no such object."""
        return unless(
            ABSENT,
            f"look for {self.bucket}/{key}",
            lambda: self.client.head_object(Bucket=self.bucket, Key=key)["Metadata"],
        )

    def read(self, key: str) -> bytes:
        """Return an object's content."""
        with translated(f"read {self.bucket}/{key}"):
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def write(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Create or replace an object."""
        with translated(f"write {self.bucket}/{key}"):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata=dict(metadata))
