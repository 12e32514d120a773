"""Addresses in the data bucket that are good for a while: what a browser shows without the API's help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

URL_SECONDS = 900


class SignedUrls(Protocol):
    """Makes signed addresses."""

    def of(self, key: str) -> str:
        """Return an address that answers GET for `URL_SECONDS`."""


@dataclass(frozen=True)
class Signer:
    """`SignedUrls` of a bucket.

    Parameters
    ----------
    client
        Signs by version 4, which keys of KMS need.
    """

    client: S3Client
    bucket: str

    def of(self, key: str) -> str:
        return self.client.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=URL_SECONDS
        )
