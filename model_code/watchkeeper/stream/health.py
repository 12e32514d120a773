"""How each series goes, by the head of its shelf's page: all but what its detector has learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

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


def health_of(
    head: PageHead, plan: WorkloadPlan, anomalous: Mapping[str, int], end: int
) -> Iterator[SeriesHealth]:
    """Yield how the series of a shelf go.

    Parameters
    ----------
    anomalous
        Start of the last anomalous interval by series, in seconds since 1970.
    end
        Of the last interval of the workload that has closed.
    """
    waiting = set(head.waiting["series"].tolist())
    acquainted = head.acquainted["intervals"].tolist()
    values = head.newest["value"].tolist()
    starts, silences = head.newest["start"].tolist(), head.newest["silent"].tolist()
    for position, name in enumerate(head.series):
        start = starts[position]
        heard = start > 0
        health: HealthName
        if silences[position]:
            health = "silent"
        elif not heard or end - start > (BEHIND_INTERVALS + 1) * plan.interval_seconds:
            health = "behind"
        elif anomalous.get(name) == start:
            health = "anomalous"
        elif position in waiting:
            health = "waiting"
        else:
            health = "new" if acquainted[position] else "usual"
        yield SeriesHealth(
            name,
            health,
            format_instant(start) if heard else None,
            values[position] if heard else None,
            mute_of(name, end, plan.alerts.mutes) is not None,
        )
