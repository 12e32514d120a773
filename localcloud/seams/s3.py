"""S3: a request without a network hop, an object's versions, how a write is encrypted, CloudFront's reads."""

from collections.abc import Callable
from typing import Any

from ministack.services import s3 as _s3

from localcloud.seams.replacing import Replaceable

handle_request: Callable[..., Any] = _s3.handle_request
encryption_of_write = Replaceable(_s3, "_resolve_sse_write_headers")

origin_allows = Replaceable(_s3, "_cloudfront_origin_allows")
origin_fetch = Replaceable(_s3, "serve_cloudfront_origin_fetch")
"""What CloudFront asks of a bucket, and whether it may."""


def latest_version(bucket: str, key: str) -> str | None:
    """Return the id of an object's newest version, or None where it has no versions."""
    versions = _s3._object_versions.get((bucket, key))
    return str(versions[-1]["version_id"]) if versions else None
