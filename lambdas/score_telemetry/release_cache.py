"""Releases as the scoring loop looks them up: for every object, and nearly always with the same answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lambdas.release_store import ReleaseStore
from watchkeeper.errors import ContractViolationError
from watchkeeper.release import Release

LIVE_CACHE_SECONDS = 60.0


@dataclass
class ReleaseCache:
    """Remembers the release of a variant, which does not change, and the live one for `LIVE_CACHE_SECONDS`.

    That there is no live release is not remembered: the first one takes effect at once.
    """

    store: ReleaseStore
    clock: Callable[[], float] = time.monotonic
    _live: dict[str, tuple[float, Release]] = field(default_factory=dict)
    _variants: dict[tuple[str, str], Release] = field(default_factory=dict)

    def live(self, workload: str) -> Release | None:
        """Return the published release."""
        if workload in self._live:
            read_at, release = self._live[workload]
            if self.clock() - read_at < LIVE_CACHE_SECONDS:
                return release
        found = self.store.live(workload)
        if found is not None:
            self._live[workload] = (self.clock(), found)
        return found

    def of_variant(self, workload: str, variant: str) -> Release:
        """Return the release that a production variant belongs to.

        Raises
        ------
        ContractViolationError
            If there is none: the endpoint serves a model that no training run staged.
        """
        key = (workload, variant)
        if key not in self._variants:
            found = self.store.of_variant(workload, variant)
            if found is None:
                raise ContractViolationError(
                    f"the endpoint of {workload} answered with variant {variant!r}, which no release has: "
                    "was the endpoint changed by hand?"
                )
            self._variants[key] = found
        return self._variants[key]
