"""Releases as the scoring loop looks them up: for every object, and nearly always with the same answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lambdas.adapters.release_store import ReleaseStore
from watchkeeper.lifecycle.release import Release

CACHE_SECONDS = 60.0


@dataclass
class ReleaseCache:
    """Remembers the releases whose models may answer for `CACHE_SECONDS`.

    That there is no live release is not remembered: the first one takes effect at once.
    """

    store: ReleaseStore
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, tuple[Release, ...]]] = field(default_factory=dict)

    def candidates(self, workload: str) -> Sequence[Release]:
        """Return the releases whose models may answer, the live one first; none if no release is live."""
        if workload in self._known:
            read_at, releases = self._known[workload]
            if self.clock() - read_at < CACHE_SECONDS:
                return releases
        return self.read_again(workload)

    def read_again(self, workload: str) -> Sequence[Release]:
        """Return them as they are now: an answer came from a model that is not among those remembered."""
        releases = tuple(self.store.candidates(workload))
        if releases:
            self._known[workload] = (self.clock(), releases)
        return releases
