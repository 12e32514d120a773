"""S3: a request without a network hop, and the versions of an object."""

from collections.abc import Callable
from typing import Any

from ministack.services import s3 as _s3

handle_request: Callable[..., Any] = _s3.handle_request


def latest_version(bucket: str, key: str) -> str | None:
    """Return the id of an object's newest version, or None where it has no versions."""
    versions = _s3._object_versions.get((bucket, key))
    return str(versions[-1]["version_id"]) if versions else None
