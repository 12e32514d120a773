"""A page goes over to the live release of a streaming detector at the next object of its shelf.

Pages of the release's run are read where a series has learned nothing with its parameters; what has closed
since that run read its telemetry is read from the objects of scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from watchkeeper.anomalies.score_line import ScoreLine, lines_of
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.adoption import adopted, beginning, is_behind
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes
from watchkeeper.stream.warming import shelf_of_name

_KNOWN_PAGES = 64
_READERS = 16

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Adopting:
    """Reads what a page needs of another release.

    Parameters
    ----------
    bucket
        Of the objects of scores.
    """

    objects: ObjectStore
    bucket: str
    _pages: dict[str, list[ObjectUri]] = field(default_factory=dict)
    """The pages of a run, by their prefix: a run writes them once."""
    _names: dict[str, frozenset[str]] = field(default_factory=dict)
    """Series of the warm pages that were read, by their URI."""

    def adopt(
        self, page: Page, names: Iterable[str], candidates: Sequence[Release], plan: WorkloadPlan
    ) -> tuple[Page, Release | None]:
        """Return a page as the live release wants it, and the release that judges its next intervals.

        A page that is behind what the live release knows stays with the one that it has, or with none.

        Parameters
        ----------
        names
            Of the series that are about to come to the page.
        candidates
            The live release, which has a streaming detector, and those that may have scored the page before.
        """
        live = candidates[0]
        model = live.streaming
        begin = beginning(page, names, model)
        if not begin and page.model == live.run_id:
            return page, live
        warm = self._warm(page, begin, model)
        if is_behind(page, warm, begin):
            return page, _before(page, candidates)
        values = self._values(page, begin.intersection(page.series), model) if warm else {}
        return adopted(page, model, live.run_id, warm, begin, values, plan), live

    def _warm(self, page: Page, begin: Set[str], model: StreamModel) -> list[Page]:
        """Return the run's pages that know one of the series."""
        if not begin or not model.pages:
            return []
        if model.pages not in self._pages:
            prefix = ObjectUri.parse(model.pages)
            self._pages[model.pages] = [
                ObjectUri(prefix.bucket, key) for key in self.objects.keys_under(prefix)
            ]
        uris = [uri for uri in self._pages[model.pages] if _related(shelf_of_name(uri.key), page.shelf)]
        wanted = [uri for uri in uris if not begin.isdisjoint(self._names.get(str(uri), begin))]
        return [one for one in _each(self._page, wanted) if not set(one.series).isdisjoint(begin)]

    def _page(self, uri: ObjectUri) -> Page:
        content = self.objects.read(uri)
        if content is None:
            raise ContractViolationError(f"{uri} is gone: the release cannot be adopted; train again")
        page = from_bytes(content)
        if len(self._names) >= _KNOWN_PAGES:
            self._names.clear()
        self._names[str(uri)] = frozenset(page.series)
        return page

    def _values(self, page: Page, begin: Set[str], model: StreamModel) -> dict[str, list[tuple[int, float]]]:
        """Return the intervals of series that have closed since the run read its telemetry."""
        if not begin:
            return {}
        prefix = layout.scores_prefix(page.workload)
        since = f"{prefix}date={model.heard_until[:10]}/hour={model.heard_until[11:]}/"
        keys = self.objects.keys_under(ObjectUri(self.bucket, prefix), after=since)
        of_shelf = [key for key in keys if _is_of(key, page.shelf)]
        found: dict[str, dict[int, float]] = {}
        for lines in _each(self._lines, of_shelf):
            for line in lines:
                if line.series in begin and line.value is not None:
                    found.setdefault(line.series, {})[line.start] = line.value
        return {series: sorted(values.items()) for series, values in found.items()}

    def _lines(self, key: str) -> list[ScoreLine]:
        content = self.objects.read(ObjectUri(self.bucket, key))
        return [] if content is None else lines_of(content)


def _each(read: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Read several objects at once, in threads of its own: shelves are opened in those that are shared."""
    if len(items) < 2:
        return [read(item) for item in items]
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(read, items))


def _before(page: Page, candidates: Sequence[Release]) -> Release | None:
    """Return the release that has scored a page so far."""
    known = (each for each in candidates if each.run_id == page.model and each.stream is not None)
    return next(known, None)


def _related(shelf: str, other: str) -> bool:
    return shelf.startswith(other) or other.startswith(shelf)


def _is_of(key: str, shelf: str) -> bool:
    try:
        return _related(layout.shelf_of_scores_key(key), shelf)
    except InvalidInputError:  # not the loop's
        return False
