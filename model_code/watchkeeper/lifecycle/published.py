"""The event of a release that begins to judge: what goes over the alert bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document

PUBLISHED_DETAIL_TYPE = "Release Published"
PUBLISHED_VERSION = 1


@dataclass(frozen=True)
class PublishedRelease(Document, name="published release", refused_as="bad_event"):
    """A release that judges from now on: that of a training, or an earlier one again."""

    workload: str
    run_id: str
    what: Literal["published", "rolled_back"]
    at: str
    """ISO 8601, UTC."""
    previous: str | None = None
    """Run of the release that judged before."""
    version: int = PUBLISHED_VERSION

    @property
    def event_id(self) -> str:
        """What repetitions are removed by: a training publishes once, and people may go back to it often.

        Examples
        --------
        >>> PublishedRelease("flow", "r1", "published", "2026-01-01T00:00:00Z").event_id
        'flow:r1:published'
        >>> PublishedRelease("flow", "r1", "rolled_back", "2026-01-01T00:00:00Z").event_id
        'flow:r1:rolled_back:2026-01-01T00:00:00Z'
        """
        once = f"{self.workload}:{self.run_id}:{self.what}"
        return once if self.what == "published" else f"{once}:{self.at}"
