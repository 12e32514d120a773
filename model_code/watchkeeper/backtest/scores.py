"""The scores of a history: each interval's is given before the interval is learned, as the stream does it.

A year of many series is long, so nothing is kept of a row but its score and whether it may be an anomaly, and
each series' state at every `PIECE_ROWS`-th row: from there, what lies around an anomaly is learned again.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import StreamModel
from watchkeeper.stream.learning import learn_once
from watchkeeper.stream.page import WAITING, Page, Records, new_page, with_series
from watchkeeper.stream.placement import ROOT
from watchkeeper.stream.warming import boundary_of
from watchkeeper.telemetry.columns import Floats, Integers, Intervals
from watchkeeper.telemetry.missing import filled
from watchkeeper.telemetry.series import measure_of

PIECE_ROWS = 1024

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Closed:
    """Closed intervals of a series, in the order of time."""

    starts: Integers
    values: Floats


@dataclass(frozen=True, eq=False)
class ScoredSeries:
    """What a streaming detector says of a series' closed intervals."""

    closed: Closed
    score: Floats
    found: tuple[Booleans, ...]
    """What each of the models calls an anomaly by its own rarity."""
    pages: tuple[Page, ...]
    """Of the series alone, before each piece; nothing waits on them."""

    def waiting(self, begin: int, end: int) -> Records:
        """Return consecutive intervals as they wait on a page."""
        return _waiting(self.closed, begin, end)


@dataclass(frozen=True, eq=False)
class KeptSeries:
    """What the model of one run has said of a series' closed intervals, as it is kept."""

    closed: Closed
    score: Floats
    expected: Floats
    """NaN where nothing was."""
    step_scale: float
    """Of the run: what half a band is a multiple of."""


def closed_intervals(intervals: Mapping[str, Intervals], plan: WorkloadPlan) -> dict[str, Closed]:
    """Return what the loop would have closed of a history, by series; as training takes it.

    Intervals without records have the value that the plan gives them.
    """
    newest = max((int(one.starts[-1]) for one in intervals.values()), default=0)
    found = {}
    for series, one in intervals.items():
        first, last = 0, int(np.searchsorted(one.starts, boundary_of(one.watermark, plan)))
        if plan.history_seconds is not None:
            oldest = newest + plan.interval_seconds - plan.history_seconds
            first = int(np.searchsorted(one.starts, oldest))
        if first < last:
            kept = Closed(one.starts[first:last], one.values[first:last])
            found[series] = _filled(kept, one, first, series, plan)
    return found


def score_history(
    history: Mapping[str, Closed], models: Sequence[StreamModel], plan: WorkloadPlan
) -> dict[str, ScoredSeries]:
    """Score and learn every series from its first interval on, on all processors.

    Parameters
    ----------
    models
        That learn alike: they differ in what they call an anomaly.
    """
    score = partial(_score_series, models=models, plan=plan)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(history, pool.map(score, history, history.values()), strict=True))


def _score_series(
    series: str, closed: Closed, *, models: Sequence[StreamModel], plan: WorkloadPlan
) -> ScoredSeries:
    page = with_series(new_page(plan.workload, ROOT, plan.interval_seconds), [series])
    pages, scores, found = [], [], []
    for begin in range(0, len(closed.starts), PIECE_ROWS):
        pages.append(page)
        piece = _waiting(closed, begin, begin + PIECE_ROWS)
        page, _, said = learn_once(dataclasses.replace(page, waiting=piece), models)
        scores.append(said[0].anomaly_score)
        found.append([one.is_anomaly for one in said])
    return ScoredSeries(
        closed,
        np.concatenate(scores),
        tuple(np.concatenate(each) for each in zip(*found, strict=True)),
        tuple(pages),
    )


def _waiting(closed: Closed, begin: int, end: int) -> Records:
    starts = closed.starts[begin:end]
    rows = np.zeros(len(starts), dtype=WAITING)
    rows["start"], rows["value"], rows["scorable"] = starts, closed.values[begin:end], 1
    return rows


def _filled(closed: Closed, whole: Intervals, first: int, series: str, plan: WorkloadPlan) -> Closed:
    """Return closed intervals with those between them that have no records, and before what is still open."""
    measure, length = measure_of(series, plan), plan.interval_seconds
    if measure.fill == "ignore":
        return closed
    until = boundary_of(whole.watermark, plan)
    starts, values = whole.starts[first:], whole.values[first:]
    if (np.diff(starts) == length).all():
        return closed
    rows = zip(starts.tolist(), values.tolist(), strict=True)
    found = [(start, value) for start, value in filled(list(rows), measure, length) if start < until]
    return Closed(
        np.array([start for start, _ in found], dtype=np.int64), np.array([value for _, value in found])
    )
