"""What the host reads and writes, in memory: the figures are of the host, not of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.pages import Span, StoredPage
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.takeover import SeriesState


@dataclass
class Memory:
    """Objects, pages, plan, release and anomalies of one workload."""

    plan: WorkloadPlan
    release: Release
    objects: dict[ObjectUri, bytes] = field(default_factory=dict)
    pages: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    anomalies: int = 0

    def plan_of(self, workload: str) -> WorkloadPlan:
        return self.plan

    def candidates(self, workload: str) -> list[Release]:
        return [self.release]

    def read(self, uri: ObjectUri, version_id: str | None = None) -> bytes | None:
        return self.objects.get(uri)

    def write(self, uri: ObjectUri, body: bytes) -> None:
        self.objects[uri] = body

    def write_once(self, uri: ObjectUri, body: bytes) -> bytes:
        return self.objects.setdefault(uri, body)

    def exists(self, uri: ObjectUri) -> bool:
        return uri in self.objects

    def put(self, events: Sequence[AnomalyEvent]) -> None:
        self.anomalies += len(events)


@dataclass
class MemoryPages:
    """Pages as bytes."""

    memory: Memory

    def load(self, workload: str, shelf: str) -> StoredPage | None:
        found = self.memory.pages.get(shelf)
        return None if found is None else StoredPage(from_bytes(found[0]), str(found[1]))

    def due(self, workload: str, shelf: str) -> Span | None:
        return None

    def save(self, page: Page, seen: str | None, due: Span | None = None) -> str | None:
        version = self.memory.pages.get(page.shelf, (b"", 0))[1]
        if seen != (str(version) if version else None):
            return None
        self.memory.pages[page.shelf] = (to_bytes(page), version + 1)
        return str(version + 1)


class NoStates:
    """There was no release before."""

    def load(self, workload: str, series: Sequence[str]) -> dict[str, SeriesState]:
        return {}
