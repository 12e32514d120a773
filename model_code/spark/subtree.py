"""The shelves below a key, in memory: what Spark keeps as the state of the key.

Spark's keys are fixed when a query begins: the first bits of a series' path. A shelf of so many bits is one
page; where it fills it splits as it does anywhere, and its children stay under the key.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.intake import TakenIn
from watchkeeper.stream.page import Page, new_page, overflows, split
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.placement import SHELF_SERIES, children
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.stream.step import Outcome, step, written

_LENGTH = struct.Struct("<Q")


class Subtree:
    """Pages of the leaves below a key.

    Parameters
    ----------
    key
        The bits that all of them begin with.
    pages
        None of them is split or has outputs that are pending.
    most
        Series of a page, before it splits.
    """

    def __init__(self, key: str, pages: Iterable[Page] = (), *, most: int = SHELF_SERIES) -> None:
        self.key = key
        self.pages = {page.shelf: page for page in pages}
        self._most = most

    @classmethod
    def from_bytes(cls, key: str, content: bytes, *, most: int = SHELF_SERIES) -> Subtree:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ContractViolationError
            If it is of another release.
        """
        pages, position = [], 0
        while position < len(content):
            (length,) = _LENGTH.unpack_from(content, position)
            position += _LENGTH.size
            pages.append(from_bytes(content[position : position + length]))
            position += length
        if position != len(content):
            raise ContractViolationError(f"the state of key {key!r} ends in the middle of a page")
        return cls(key, pages, most=most)

    def to_bytes(self) -> bytes:
        """Return the pages, each behind its length, in the order of their shelves."""
        contents = [to_bytes(self.pages[shelf]) for shelf in sorted(self.pages)]
        return b"".join(part for content in contents for part in (_LENGTH.pack(len(content)), content))

    def take(
        self, readings: Readings, source: Source, release: Release | None, plan: WorkloadPlan
    ) -> Iterator[tuple[Outcome, TakenIn]]:
        """Make the step of an object on every shelf that it has readings of.

        Whoever reads what comes of it writes the outputs: the pages do not keep them, since the state is
        kept after the outputs are written, and the same readings give the same outputs again.

        Raises
        ------
        UnavailableError
            As `watchkeeper.stream.intake.take_in`.
        """
        paths = readings.by_path()
        yield from self._take(self.key, paths, _Step(readings, source, release, plan))

    def _take(
        self, shelf: str, paths: dict[str, list[int]], making: _Step
    ) -> Iterator[tuple[Outcome, TakenIn]]:
        page = self.pages.get(shelf)
        if page is None and not self._is_split(shelf):
            page = new_page(making.plan.workload, shelf, making.plan.interval_seconds)
        positions = sorted(position for found in paths.values() for position in found)
        names = [making.readings.series[position] for position in positions]
        if page is not None and not overflows(page, names, self._most):
            outcome, taken = step(
                page, making.readings.of_series(positions), making.source, making.release, making.plan
            )
            after = outcome.page
            self.pages[shelf] = written(after, [outcome.output]) if outcome.output else after
            yield outcome, taken
            return
        if page is not None:
            self.pages.pop(shelf, None)
            self.pages |= {child.shelf: child for child in split(page)}
        for child in children(shelf):
            below = {path: found for path, found in paths.items() if path.startswith(child)}
            if below or (not paths and child == children(shelf)[0]):
                yield from self._take(child, below, making)

    def _is_split(self, shelf: str) -> bool:
        return any(other.startswith(shelf) for other in self.pages)


@dataclass(frozen=True)
class _Step:
    readings: Readings
    source: Source
    release: Release | None
    plan: WorkloadPlan
