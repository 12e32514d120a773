"""A shelf's page: all that the scoring loop keeps of its series, as columns.

Series are in alphabetical order, and rows of several series in the order of series and time: so what a page
holds does not depend on the order in which it came, and equal pages have equal bytes.
"""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import QualityEvent, events_in
from watchkeeper.anomalies.score_line import ScoreLine, lines_of
from watchkeeper.detectors.streaming.state import STATE, new_states
from watchkeeper.judgement.quality import Signal
from watchkeeper.stream.placement import SHELF_SERIES, bits_of, can_split, children
from watchkeeper.telemetry.intervals import Aggregation

Condition = Literal["open", "splitting", "split"]
Records = npt.NDArray[np.void]
Integers = npt.NDArray[np.int64]

Column = TypeVar("Column", Integers, Records)

NEVER = np.iinfo(np.int64).min
"""A time before all others."""
NO_RUN = -1

READING = np.dtype([("series", "<i4"), ("start", "<i8"), ("record_id", "<u8"), ("value", "<f8")])
"""A reading of an open interval, with what it counts once by. Its value is NaN where it is counted in
`Page.folded` already."""
WAITING = np.dtype([("series", "<i4"), ("start", "<i8"), ("value", "<f8"), ("scorable", "<i4")])
"""A closed interval that has no line yet; `scorable` is 0 where the plan's interval has changed since."""
KNOWN = np.dtype([("series", "<i4"), ("start", "<i8"), ("value", "<f8")])
"""An interval of `watchkeeper.telemetry.context.Context`."""
THRESHOLD = np.dtype([("run", "<i4"), ("alerting", "<i4"), ("value", "<f8")])
"""`watchkeeper.judgement.adaptation.Adaptation`; its run is a position in `Page.runs`."""
ACQUAINTED = np.dtype([("intervals", "<i8"), ("mean_square", "<f8")])
"""`watchkeeper.judgement.acquaintance.Acquaintance`."""
NEWEST = np.dtype([("start", "<i8"), ("value", "<f8"), ("silent", "<i8")])
"""The last closed interval with records, `NEVER` before the first; `silent` is 1 where it was told that
nothing came after it."""
APPLIED = np.dtype([("object", "<u8"), ("parts", "<i8")])
"""An object that was taken in, and how many outputs were made while it was the newest."""


COUNTS = ("start", "objects", "accepted", "late", "duplicated", "off_clock", "new_series", "devices")
LAGS = ("lag_of", "lag_total", "lag_most")
"""Columns of `Quality.counted`; two of each measure follow: series with a value, and without."""


@dataclass(frozen=True, eq=False)
class Quality:
    """How records come to a shelf: what is counted and not yet written, and what is usual."""

    measures: tuple[str, ...] = ()
    mark: int = NEVER
    """Event time that a tenth of the live series has reached, in microseconds since 1970."""
    until: int = NEVER
    """Intervals that begin before it are judged, in seconds since 1970."""
    counted: Integers = dataclasses.field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    """An interval a row, in order."""
    refused: Mapping[int, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    """Lines by interval and reason."""
    signals: Mapping[str, Signal] = dataclasses.field(default_factory=dict)
    lag: float = 0.0
    """Usual time from a record to its arrival, in microseconds."""
    lag_steady: int = 0
    """Objects in a row that had it."""
    told: tuple[QualityEvent, ...] = ()
    """What is not written yet."""

    @property
    def unusual(self) -> dict[str, int]:
        """Since when each unusual signal is, in seconds since 1970."""
        return {name: one.since for name, one in sorted(self.signals.items()) if one.since is not None}


@dataclass(frozen=True)
class Folded:
    """Readings of an open interval of which only the aggregation is kept."""

    series: int
    start: int
    aggregation: Aggregation


@dataclass(frozen=True)
class Output:
    """What a step says, as it is written: it stays in the page until it is known to be."""

    scores_key: str
    scores: bytes
    """Packed `ScoreLine`s; empty where there are none."""
    quarantine_key: str
    quarantine: bytes
    """JSON lines of what was refused; empty where there is none."""

    def lines(self) -> list[ScoreLine]:
        """Return the lines of its intervals."""
        return lines_of(self.scores) if self.scores else []

    def quality_events(self) -> list[QualityEvent]:
        """Return what it says of how telemetry came."""
        return events_in(gzip.decompress(self.scores).splitlines()) if self.scores else []

    def events(self) -> list[AnomalyEvent]:
        """Return the anomalies among them."""
        if not self.scores:
            return []
        lines = gzip.decompress(self.scores).splitlines()
        found = ScoreLine.from_lines(line for line in lines if b'"anomaly":' in line)
        return [line.anomaly for line in found if line.anomaly is not None]


@dataclass(frozen=True, eq=False)
class Page:
    """A shelf between two steps; never changed in place."""

    workload: str
    shelf: str
    """Its bits."""
    interval_seconds: int
    series: tuple[str, ...] = ()
    """Keys in alphabetical order; the columns below have one item each."""
    watermark: Integers = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """The newest event time, in microseconds since 1970; `NEVER` before the first."""
    closed_until: Integers = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Intervals that begin before it, in seconds since 1970, are closed; `NEVER` before the first."""
    thresholds: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=THRESHOLD))
    newest: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=NEWEST))
    acquainted: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=ACQUAINTED))
    """With series that the model has not seen in training."""
    states: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=STATE))
    """What the streaming detector has learned, or nothing at all where another model scores."""
    readings: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=READING))
    """Of open intervals."""
    folded: tuple[Folded, ...] = ()
    """Likewise, in order."""
    waiting: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=WAITING))
    context: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=KNOWN))
    """The intervals before those that wait; of stateless models."""
    applied: Records = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=APPLIED))
    """The last objects that were taken in, the newest last."""
    runs: tuple[str, ...] = ()
    """Those whose thresholds are moving here."""
    model: str = ""
    """The run whose model scored last."""
    learner: str = ""
    """What the states were learned with: equal for equal parameters."""
    zone: str = ""
    """The time zone that its event times were read in; empty where they say their own, or none is known."""
    shape: str = ""
    """Of the plan's series: `watchkeeper.stream.fitting`."""
    heard: Integers = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """How far the shelf was (`Quality.mark`) when something of a series last came, whenever it was measured,
    in seconds since 1970; `NEVER` before the first."""
    recent: npt.NDArray[np.uint32] = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.uint32))
    """The low halves of the ids of the last records, the newest last."""
    quality: Quality = dataclasses.field(default_factory=Quality)
    pending: tuple[Output, ...] = ()
    condition: Condition = "open"
    """`splitting`: frozen until its children are written; `split`: empty, its children have everything."""

    def __len__(self) -> int:
        return len(self.series)

    def positions_of(self, series: Iterable[str]) -> Integers:
        """Return where series are that the page has."""
        positions = {name: position for position, name in enumerate(self.series)}
        return np.array([positions[name] for name in series], dtype=np.int64)

    def knows(self, source: int) -> bool:
        """Tell whether an object was taken in."""
        return bool((self.applied["object"] == np.uint64(source)).any())


def new_page(workload: str, shelf: str, interval_seconds: int) -> Page:
    """Return the page of a shelf that has no series."""
    return Page(workload, shelf, interval_seconds)


def with_series(page: Page, names: Iterable[str]) -> Page:
    """Return a page that has these series too; of the new ones it knows nothing."""
    new = set(names).difference(page.series)
    if not new:
        return page
    series = tuple(sorted((*page.series, *new)))
    place = {name: position for position, name in enumerate(series)}
    moved = np.array([place[name] for name in page.series], dtype=np.int32)
    count = len(series)

    def spread(column: Column, empty: Column) -> Column:
        empty[moved] = column
        return empty

    thresholds = np.zeros(count, dtype=THRESHOLD)
    thresholds["run"] = NO_RUN
    return dataclasses.replace(
        page,
        series=series,
        watermark=spread(page.watermark, np.full(count, NEVER)),
        closed_until=spread(page.closed_until, np.full(count, NEVER)),
        thresholds=spread(page.thresholds, thresholds),
        newest=spread(page.newest, nothing_heard(count)),
        acquainted=spread(page.acquainted, np.zeros(count, dtype=ACQUAINTED)),
        heard=spread(page.heard, np.full(count, NEVER)),
        states=spread(page.states, new_states(count)) if len(page.states) else page.states,
        readings=_renumbered(page.readings, moved),
        waiting=_renumbered(page.waiting, moved),
        context=_renumbered(page.context, moved),
        folded=tuple(dataclasses.replace(one, series=int(moved[one.series])) for one in page.folded),
    )


def nothing_heard(count: int) -> Records:
    """Return `Page.newest` of series that nothing is known of."""
    newest = np.zeros(count, dtype=NEWEST)
    newest["start"] = NEVER
    return newest


def overflows(page: Page, names: Sequence[str], most: int = SHELF_SERIES) -> bool:
    """Tell whether a page has to split before it takes in these series."""
    count = len(set(names).difference(page.series)) + len(page)
    return count > most and can_split({bits_of(name) for name in (*page.series, *names)})


def split(page: Page) -> tuple[Page, Page]:
    """Return the pages of the two shelves that a page's series go to.

    Raises
    ------
    ValueError
        If the page has outputs that may not be written: they belong to no child.
    """
    if page.pending:
        raise ValueError(f"shelf {page.shelf!r} has outputs that are pending")
    bit = len(page.shelf)
    ones = np.array([bits_of(name)[bit] == "1" for name in page.series], dtype=np.bool_)
    zero, one = children(page.shelf)
    more = ones.sum() > len(page) / 2  # what was counted goes where records come
    return (
        _part(page, zero, np.flatnonzero(~ones), counts=not more),
        _part(page, one, np.flatnonzero(ones), counts=bool(more)),
    )


def tombstone(page: Page) -> Page:
    """Return what is left of a page when its children are written."""
    return dataclasses.replace(new_page(page.workload, page.shelf, page.interval_seconds), condition="split")


def _part(page: Page, shelf: str, chosen: npt.NDArray[np.intp], *, counts: bool) -> Page:
    moved = np.full(len(page), NO_RUN, dtype=np.int32)
    moved[chosen] = np.arange(len(chosen), dtype=np.int32)

    def of_chosen(rows: Records) -> Records:
        return _renumbered(rows[moved[rows["series"]] >= 0], moved)

    return dataclasses.replace(
        page,
        shelf=shelf,
        condition="open",
        series=tuple(page.series[position] for position in chosen.tolist()),
        watermark=page.watermark[chosen],
        closed_until=page.closed_until[chosen],
        thresholds=page.thresholds[chosen],
        newest=page.newest[chosen],
        acquainted=page.acquainted[chosen],
        heard=page.heard[chosen],
        quality=page.quality if counts else _uncounted(page.quality),
        states=page.states[chosen] if len(page.states) else page.states,
        readings=of_chosen(page.readings),
        waiting=of_chosen(page.waiting),
        context=of_chosen(page.context),
        folded=tuple(
            dataclasses.replace(one, series=int(moved[one.series]))
            for one in page.folded
            if moved[one.series] >= 0
        ),
    )


def _uncounted(quality: Quality) -> Quality:
    """Return what is usual alone: what was counted is the other child's."""
    return dataclasses.replace(quality, counted=quality.counted[:0], refused={}, told=())


def _renumbered(rows: Records, moved: npt.NDArray[np.int32]) -> Records:
    if not len(rows):
        return rows
    rows = rows.copy()
    rows["series"] = moved[rows["series"]]
    return rows


def in_order(rows: Records) -> Records:
    """Return rows in the order of series and time."""
    return rows[np.lexsort((rows["start"], rows["series"]))]


def firsts(rows: Records, *names: str) -> Integers:
    """Return where groups of equal neighbours begin."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    differs = np.zeros(len(rows) - 1, dtype=np.bool_)
    for name in names:
        differs |= rows[name][1:] != rows[name][:-1]
    return np.flatnonzero(np.concatenate(([True], differs)))


def stacked(parts: Sequence[Records]) -> Records:
    """Return rows of several parts, one after the other."""
    return np.concatenate(parts)
