"""S3: a request without a network hop, the versions of an object, and how a write is encrypted."""

from collections.abc import Callable
from typing import Any

from ministack.services import s3 as _s3

from localcloud.seams.replacing import Replaceable

handle_request: Callable[..., Any] = _s3.handle_request
encryption_of_write = Replaceable(_s3, "_resolve_sse_write_headers")


def latest_version(bucket: str, key: str) -> str | None:
    """Return the id of an object's newest version, or None where it has no versions."""
    versions = _s3._object_versions.get((bucket, key))
    return str(versions[-1]["version_id"]) if versions else None
