"""An object of telemetry, and the event that announces it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.stream.readings import Source


@dataclass(frozen=True)
class TelemetryObject:
    """An object under `raw/`, at one version of its content."""

    bucket: str
    key: str
    version: str
    """Version id, or the entity tag where the bucket is not versioned."""
    version_id: str | None = None

    @property
    def workload(self) -> str:
        """The workload in its key."""
        return layout.workload_of_raw_key(self.key)

    @property
    def object_id(self) -> str:
        """Identifies the content: the same for every announcement of it."""
        return f"{self.key}#{self.version}"

    @property
    def source(self) -> Source:
        """What the step is told of it."""
        place = f"s3://{self.bucket}/{self.key}"
        return Source(self.object_id, layout.hour_of_raw_key(self.key), self.key, place, self.version)


def announced_object(message: str) -> TelemetryObject:
    """Read EventBridge's `Object Created` event of S3. Unlike S3's own notifications it has the key as it is.

    Raises
    ------
    InvalidInputError
        If the message is not such an event, or the object is not under `raw/`.
    """
    try:
        detail = json.loads(message)["detail"]
        found = detail["object"]
        version_id = found.get("version-id") or None
        announced = TelemetryObject(
            bucket=detail["bucket"]["name"],
            key=found["key"],
            version=version_id or found["etag"],
            version_id=version_id,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not an 'Object Created' event of S3: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
    layout.workload_of_raw_key(announced.key)
    return announced
