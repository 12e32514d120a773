"""A manifest: the objects of telemetry of one micro-batch, and what they are scored by.

Spark may make a micro-batch again, after a failure or a restart. What comes of it is the same only if nothing
that it reads has changed; so the plan and the release that are in force are part of its input. The plan and
release of a manifest stand until the next one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.readings import Source

EVERYWHERE = ""
"""An object's text that stands for a visit to every key, without readings."""


@dataclass(frozen=True)
class Announced:
    """An object, as the notification of it says."""

    bucket: str
    object_key: str
    version_id: str | None
    source: Source


@dataclass(frozen=True)
class Manifest:
    """One micro-batch."""

    plan: WorkloadPlan
    release: Release | None
    """The live one; None where nothing is live yet."""
    objects: tuple[Announced, ...]
    keeps_pages: bool = False
    """Whether all pages are written to their bucket too, for whoever reads them without Spark."""

    def to_json(self) -> str:
        """Return the document that Spark's source reads."""
        return json.dumps(
            {
                "context": json.dumps(
                    {
                        "plan": self.plan.to_json(),
                        "release": self.release.to_json() if self.release else None,
                        "keeps_pages": self.keeps_pages,
                    }
                ),
                "objects": [
                    *(json.dumps(_fields(each)) for each in self.objects),
                    *([EVERYWHERE] if self.keeps_pages else []),
                ],
            }
        )


@dataclass(frozen=True)
class Context:
    """What a manifest says of all its objects."""

    plan: WorkloadPlan
    release: Release | None
    keeps_pages: bool

    @classmethod
    def from_json(cls, text: str) -> Context:
        """Read the text that stands beside each object."""
        found = json.loads(text)
        release = found["release"]
        return cls(
            plan=WorkloadPlan.from_json(found["plan"]),
            release=Release.from_json(release) if release else None,
            keeps_pages=found["keeps_pages"],
        )


def announced_from_json(text: str) -> Announced:
    """Read one of a manifest's objects."""
    found: dict[str, Any] = json.loads(text)
    return Announced(
        bucket=found["bucket"],
        object_key=found["object_key"],
        version_id=found["version_id"],
        source=Source(**found["source"]),
    )


def _fields(announced: Announced) -> dict[str, Any]:
    source = announced.source
    return {
        "bucket": announced.bucket,
        "object_key": announced.object_key,
        "version_id": announced.version_id,
        "source": {
            "object_id": source.object_id,
            "hour": source.hour,
            "key": source.key,
            "place": source.place,
            "version": source.version,
        },
    }
