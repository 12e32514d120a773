"""A history as pages: what the scoring loop would keep, had the history come through it.

An interval is closed where the loop would have closed it; what is still open stands in the page, with the
ids of its records, so that the stream goes on where the history ends.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from watchkeeper.core import layout
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_seconds
from watchkeeper.lifecycle.release import StreamModel
from watchkeeper.stream.learning import learn
from watchkeeper.stream.page import (
    NEVER,
    NEWEST,
    READING,
    WAITING,
    Folded,
    Page,
    firsts,
    in_order,
    new_page,
    overflows,
    split,
    with_series,
)
from watchkeeper.stream.placement import ROOT
from watchkeeper.telemetry.intervals import Aggregation
from watchkeeper.telemetry.rows import Row

NOTHING = ((NEVER, 0.0),)
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class SeriesHistory:
    """What is known of a series' past."""

    values: Sequence[tuple[int, float]]
    """Start and value of each closed interval, in the order of time."""
    open: Mapping[int, Aggregation]
    """By interval start."""
    record_ids: Mapping[int, Collection[int]]
    """Of the readings in the open intervals."""
    watermark: int
    """The newest event time, in microseconds since 1970."""


def boundary_of(watermark: int, plan: WorkloadPlan) -> int:
    """Return the instant, in seconds since 1970, before which a series' intervals are closed."""
    seen = watermark // _MICROSECONDS - plan.lateness_seconds
    return seen // plan.interval_seconds * plan.interval_seconds


def pages_of(histories: Mapping[str, SeriesHistory], plan: WorkloadPlan) -> Iterator[Page]:
    """Yield the pages of all shelves; their closed intervals wait, nothing is learned yet.

    Parameters
    ----------
    histories
        By series key.
    """
    root = with_series(new_page(plan.workload, ROOT, plan.interval_seconds), histories)
    known = [histories[name] for name in root.series]
    waiting = [
        (position, start, value, 1)
        for position, history in enumerate(known)
        for start, value in history.values
    ]
    ids = [
        (position, start, record_id, np.nan)  # it is counted in what is folded
        for position, history in enumerate(known)
        for start, of_interval in history.record_ids.items()
        for record_id in of_interval
    ]
    watermark = np.array([history.watermark for history in known], dtype=np.int64)
    readings = np.array(ids, dtype=READING)
    whole = dataclasses.replace(
        root,
        watermark=watermark,
        closed_until=np.array([boundary_of(history.watermark, plan) for history in known], dtype=np.int64),
        newest=np.array([(*(history.values or NOTHING)[-1], 0) for history in known], dtype=NEWEST),
        waiting=in_order(np.array(waiting, dtype=WAITING)),
        readings=readings[np.lexsort((readings["record_id"], readings["start"], readings["series"]))],
        folded=tuple(
            Folded(position, start, aggregation)
            for position, history in enumerate(known)
            for start, aggregation in sorted(history.open.items())
        ),
    )
    yield from _leaves(whole)


def following(rows: npt.NDArray[np.void], page: Page) -> list[Row]:
    """Return a row that could follow for each series of a page: a record high, and what was last, by turns.

    Parameters
    ----------
    rows
        The intervals that the page learned last: WAITING, in the order of series and time.
    """
    found = []
    begins = firsts(rows, "series")
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], len(rows)], strict=True)):
        known = rows[begin:end]
        value = float(known["value"][-1])
        if number % 2 == 0:
            value += float(np.ptp(known["value"])) + 1.0
        start = int(known["start"][-1]) + page.interval_seconds
        series = page.series[int(known["series"][0])]
        found.append(Row(EPOCH + timedelta(seconds=start), series, value))
    return found


def scores_of(rows: Sequence[Row], page: Page, model: StreamModel) -> list[float]:
    """Return the score that a page gives to each row; it stays as it is.

    Parameters
    ----------
    rows
        One a series at most; the page has all of their series.
    """
    positions = page.positions_of(row.series or "" for row in rows)
    waiting = [
        (position, epoch_seconds(row.timestamp), row.value, 1)
        for position, row in zip(positions.tolist(), rows, strict=True)
    ]
    asked = dataclasses.replace(page, waiting=in_order(np.array(waiting, dtype=WAITING)))
    _, learned, said = learn(asked, model)
    scores = dict(zip(learned["series"].tolist(), said.anomaly_score.tolist(), strict=True))
    return [scores[position] for position in positions.tolist()]


def page_name(shelf: str) -> str:
    """Return the name of a shelf's page among the files of a run."""
    return f"shelf={layout.shelf_name(shelf)}.page"


def shelf_of_name(name: str) -> str:
    """Return the shelf whose page has this name."""
    shelf = name.rpartition("shelf=")[2].removesuffix(".page")
    return ROOT if shelf == layout.shelf_name(ROOT) else shelf


def _leaves(page: Page) -> Iterator[Page]:
    if not overflows(page, ()):
        yield page
        return
    for part in split(page):
        if len(part):
            yield from _leaves(part)
