"""How each series goes, by the head of its shelf's page: all but what its detector has learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.stream.page import Condition, Integers, Page, Records
from watchkeeper.telemetry.selection import mute_of

BEHIND_INTERVALS = 3
"""A series that is so far behind the newest one of its workload is told of."""
HealthName = Literal["silent", "behind", "anomalous", "waiting", "new", "usual"]
HEALTHS: tuple[HealthName, ...] = ("silent", "behind", "anomalous", "waiting", "new", "usual")
"""What a series can be, the worst first."""


@dataclass(frozen=True, eq=False)
class PageHead:
    """What of a page tells how its series go; columns are those of `Page`."""

    workload: str
    shelf: str
    condition: Condition
    series: tuple[str, ...]
    closed_until: Integers
    newest: Records
    acquainted: Records
    waiting: Records
    unusual: Mapping[str, int] = field(default_factory=dict)
    """Since when each signal of data quality is unusual, in seconds since 1970."""

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True)
class SeriesHealth:
    """How one series goes."""

    series: str
    health: HealthName
    """`silent`; `behind` the newest series of its workload; `anomalous` in its last interval; `waiting` for a
    score; `new` to the model; `usual`."""
    last_start: str | None
    """Of its last closed interval with records; ISO 8601, UTC."""
    last_value: float | None
    muted: bool


def head_of(page: Page) -> PageHead:
    """Return the head of a page."""
    return PageHead(
        page.workload,
        page.shelf,
        page.condition,
        page.series,
        page.closed_until,
        page.newest,
        page.acquainted,
        page.waiting,
        page.quality.unusual,
    )


def unusual_of(heads: Iterable[PageHead]) -> dict[str, int]:
    """Return since when each signal of data quality is unusual on a shelf, in seconds since 1970."""
    found: dict[str, int] = {}
    for head in heads:
        for name, since in head.unusual.items():
            found[name] = min(since, found.get(name, since))
    return dict(sorted(found.items()))


def end_of(heads: Iterator[PageHead] | list[PageHead]) -> int | None:
    """Return the end of the last interval that has closed, in seconds since 1970; None before the first."""
    end = max((int(head.closed_until.max()) for head in heads if len(head)), default=0)
    return end if end > 0 else None


def healths_of(
    head: PageHead, plan: WorkloadPlan, anomalous: Mapping[str, int], end: int
) -> NDArray[np.int8]:
    """Return how the series of a shelf go.

    Parameters
    ----------
    anomalous
        Start of the last anomalous interval by series, in seconds since 1970.
    end
        Of the last interval of the workload that has closed.

    Returns
    -------
    ndarray of shape (n_series,)
        Positions in `HEALTHS`.
    """
    starts = head.newest["start"]
    found = np.full(len(head), HEALTHS.index("usual"), np.int8)
    found[head.acquainted["intervals"] != 0] = HEALTHS.index("new")
    found[head.waiting["series"]] = HEALTHS.index("waiting")
    if anomalous:
        last = np.array([anomalous.get(name, -1) for name in head.series])
        found[last == starts] = HEALTHS.index("anomalous")
    behind = end - starts > (BEHIND_INTERVALS + 1) * plan.interval_seconds
    found[behind | (starts <= 0)] = HEALTHS.index("behind")
    found[head.newest["silent"] != 0] = HEALTHS.index("silent")
    return found


def counts_of(
    heads: Iterable[PageHead], plan: WorkloadPlan, anomalous: Mapping[str, int], end: int
) -> dict[HealthName, int]:
    """Return how many series of several shelves are in each health, the worst first; see `healths_of`."""
    found = sum(
        (np.bincount(healths_of(head, plan, anomalous, end), minlength=len(HEALTHS)) for head in heads),
        np.zeros(len(HEALTHS), np.int64),
    )
    return {name: int(count) for name, count in zip(HEALTHS, found, strict=True) if count}


def series_at(
    head: PageHead, plan: WorkloadPlan, healths: NDArray[np.int8], positions: Iterable[int], end: int
) -> Iterator[SeriesHealth]:
    """Yield how some series of a shelf go.

    Parameters
    ----------
    healths
        What `healths_of` says of the shelf.
    positions
        Of the series in the shelf.
    """
    for position in positions:
        name, start = head.series[position], int(head.newest["start"][position])
        yield SeriesHealth(
            name,
            HEALTHS[healths[position]],
            format_instant(start) if start > 0 else None,
            float(head.newest["value"][position]) if start > 0 else None,
            mute_of(name, end, plan.alerts.mutes) is not None,
        )


def health_of(
    head: PageHead, plan: WorkloadPlan, anomalous: Mapping[str, int], end: int
) -> Iterator[SeriesHealth]:
    """Yield how the series of a shelf go; see `healths_of`."""
    yield from series_at(head, plan, healths_of(head, plan, anomalous, end), range(len(head)), end)
