"""Which model gave the scores of an answer.

Every deployment of an endpoint serves under one variant name, so the answer does not tell. A request carries
the probe rows of the releases behind its own rows: one fleet answers a request as a whole, and the release
whose probe has its known score is the one that answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lambdas.adapters.endpoint import Endpoint, RowRefusedError
from lambdas.adapters.release_store import ReleaseStore
from watchkeeper.core.errors import UnavailableError
from watchkeeper.lifecycle.release import Release

CACHE_SECONDS = 60.0


@dataclass
class ReleaseCache:
    """Remembers the releases whose models may answer for `CACHE_SECONDS`.

    That there is no live release is not remembered: the first one takes effect at once. Nor is a live one
    with a streaming detector: no answer of an endpoint tells that another one is live by now.
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
        self._known.pop(workload, None)
        if releases and releases[0].stream is None:
            self._known[workload] = (self.clock(), releases)
        return releases


class UnidentifiedModelError(UnavailableError):
    """The endpoint serves a model that no release is known of."""


@dataclass(frozen=True)
class IdentifiedScores:
    """The scores of one request, in its order, and the release whose model gave them."""

    scores: tuple[float, ...]
    release: Release


@dataclass(frozen=True)
class ProbedEndpoint:
    """A workload's endpoint, asked so that the model that answers is known."""

    workload: str
    endpoint: Endpoint
    releases: ReleaseCache

    def score(self, rows: Sequence[str]) -> IdentifiedScores:
        """Send the rows as one request.

        Raises
        ------
        RowRefusedError
            If the model refuses one of these rows.
        UnidentifiedModelError
            If the model that answers is of no release, also after the releases were read again.
        UnavailableError
            If the endpoint is absent, busy or failing.
        ContractViolationError
            If the answer is not one anomaly score for each row.
        """
        for candidates in (self.releases.candidates, self.releases.read_again):
            identified = self._ask(rows, candidates(self.workload))
            if identified is not None:
                return identified
        raise UnidentifiedModelError(
            f"the endpoint of {self.workload} serves a model whose release is not known: "
            "it is just being deployed, or the endpoint was changed by hand"
        )

    def _ask(self, rows: Sequence[str], candidates: Sequence[Release]) -> IdentifiedScores | None:
        probed = [release for release in candidates if release.stream is None]
        while probed:
            name = probed[0].endpoint
            probes = [release.probe_row for release in probed]
            try:
                scores = self.endpoint.score(name, [*rows, *probes])
            except RowRefusedError as error:
                refused = self._refused_probes(error, len(rows), probed)
                if not refused:
                    raise
                probed = [release for release in probed if release not in refused]
                continue
            for release, score in zip(probed, scores[len(rows) :], strict=True):
                if release.gave(score):
                    return IdentifiedScores(tuple(scores[: len(rows)]), release)
            return None
        return None

    def _refused_probes(
        self, error: RowRefusedError, n_rows: int, probed: Sequence[Release]
    ) -> list[Release]:
        """Return the releases whose probe the model refuses, for instance since it lacks the probe's series.

        If the refusal names no row, each probe is asked for alone.
        """
        if error.record is not None and error.record < n_rows + len(probed):
            return [release for index, release in enumerate(probed, start=n_rows) if index == error.record]
        return [release for release in probed if self._refuses(release)]

    def _refuses(self, release: Release) -> bool:
        try:
            self.endpoint.score(release.endpoint, [release.probe_row])
        except RowRefusedError:
            return True
        return False
