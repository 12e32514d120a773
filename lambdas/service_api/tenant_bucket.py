"""The tenants' files in S3: found, looked into, and presigned for one upload or download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lambdas.adapters.errors import unless
from lambdas.adapters.object_store import ABSENT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

URL_SECONDS = 900


class StoredFile(NamedTuple):
    """A file of a tenant: its key in the bucket."""

    key: str
    size_bytes: int


@dataclass(frozen=True)
class S3TenantBucket:
    """The data bucket as the API sees it; keys are the bucket's.

    Parameters
    ----------
    signer
        Client whose URLs are signed by version 4, which keys of KMS need.
    """

    client: S3Client
    signer: S3Client
    bucket: str

    @property
    def name(self) -> str:
        """Name of the bucket."""
        return self.bucket

    def find(self, key: str) -> StoredFile | None:
        """Return a file, or None if there is none."""
        found = unless(
            ABSENT,
            f"look for s3://{self.bucket}/{key}",
            lambda: self.client.head_object(Bucket=self.bucket, Key=key),
        )
        return StoredFile(key, found["ContentLength"]) if found else None

    def head(self, key: str, size_bytes: int) -> bytes:
        """Return the first bytes of a file that exists."""

        def first() -> bytes:
            part = f"bytes=0-{size_bytes - 1}"
            return self.client.get_object(Bucket=self.bucket, Key=key, Range=part)["Body"].read()

        # an empty file has no first byte
        return unless(("InvalidRange",), f"read s3://{self.bucket}/{key}", first) or b""

    def upload_url(self, key: str, size_bytes: int, content_type: str) -> str:
        """Return a URL that takes one PUT of exactly that size and type."""
        return self.signer.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ContentLength": size_bytes,
                "ContentType": content_type,
            },
            ExpiresIn=URL_SECONDS,
        )

    def download_url(self, key: str) -> str:
        """Return a URL that answers one GET."""
        return self.signer.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=URL_SECONDS
        )
