"""An object of telemetry, and the event that announces it."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.runtime.created_object import created_object
from watchkeeper.core import layout
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
    """Read the event that announces an object.

    Raises
    ------
    InvalidInputError
        If the message is not such an event, or the object is not under `raw/`.
    """
    found = created_object(message)
    layout.workload_of_raw_key(found.key)
    return TelemetryObject(found.bucket, found.key, found.version, found.version_id)
