"""EventBridge's `Object Created` event of S3. Unlike S3's own notifications it has the key as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import parse_instant


@dataclass(frozen=True)
class CreatedObject:
    """An object, at one version of its content."""

    bucket: str
    key: str
    version: str
    """Version id, or the entity tag where the bucket is not versioned."""
    version_id: str | None
    n_bytes: int
    created_at: datetime | None
    """Aware; None where the event does not say it."""


def created_object(message: str) -> CreatedObject:
    """Read the event.

    Raises
    ------
    InvalidInputError
        With reason `bad_event`, if the message is not such an event.
    """
    try:
        event = json.loads(message)
        detail = event["detail"]
        found = detail["object"]
        version_id = found.get("version-id") or None
        return CreatedObject(
            bucket=detail["bucket"]["name"],
            key=found["key"],
            version=version_id or found["etag"],
            version_id=version_id,
            n_bytes=int(found.get("size") or 0),
            created_at=parse_instant(event["time"]) if event.get("time") else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not an 'Object Created' event of S3: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
