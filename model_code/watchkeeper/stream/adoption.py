"""How a page goes over to another release of a streaming detector.

What the stream has learned with the same parameters stays: the release brings a threshold, and the states of
series that the page has none of. With other parameters every series begins with what the run's warm page
knows, and learns what has closed since. A page that is behind the warm page waits: its next intervals are
among those that the warm page knows already.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.streaming.state import new_states
from watchkeeper.lifecycle.release import StreamModel
from watchkeeper.stream.learning import adopt, learner_of
from watchkeeper.stream.page import NEVER, NO_RUN, Folded, Page, Records, new_page, stacked, with_series
from watchkeeper.telemetry.series import measure_of

Values = Mapping[str, Sequence[tuple[int, float]]]
"""Start and value of closed intervals in the order of time, by series key."""


def beginning(page: Page, names: Iterable[str], model: StreamModel) -> set[str]:
    """Return the series that have learned nothing with these parameters: of a page, and new ones.

    Parameters
    ----------
    names
        Of series that are about to come to the page.
    """
    new = set(names).difference(page.series)
    if page.learner != learner_of(model) or len(page.states) != len(page):
        return new | set(page.series)
    unlearned = np.flatnonzero(page.states["slots"] == 0)
    return new | {page.series[position] for position in unlearned.tolist()}


def is_behind(page: Page, warm: Iterable[Page], names: Iterable[str]) -> bool:
    """Tell whether a page has still to close, for one of these series, what a warm page knows."""
    until = dict(zip(page.series, page.closed_until.tolist(), strict=True))
    known = {name: until.get(name, NEVER) for name in names}
    return any(
        NEVER < known[name] < reached
        for one in warm
        for name, reached in zip(one.series, one.closed_until.tolist(), strict=True)
        if name in known
    )


def adopted(
    page: Page,
    model: StreamModel,
    run: str,
    warm: Sequence[Page],
    names: Iterable[str],
    values: Values,
    plan: WorkloadPlan,
) -> Page:
    """Return a page whose states are those of a release's detector.

    Parameters
    ----------
    page
        Not behind the warm ones, nor changed.
    run
        Of the release.
    warm
        Pages of the run: together they have the series of this shelf that it knows.
    names
        Of the series that begin: see `beginning`.
    values
        Of the intervals that have closed since the warm pages ended.
    """
    known = _of_series(warm, set(names), page)
    page = _joined(page, known)
    between = _with_open(values, page, known, plan)
    return dataclasses.replace(adopt(page, model, known, between), model=run)


def _of_series(warm: Sequence[Page], names: set[str], page: Page) -> Page:
    """Return one page with what warm pages have of these series."""
    series = {name for one in warm for name in one.series if name in names}
    found = with_series(new_page(page.workload, page.shelf, page.interval_seconds), series)
    states, readings, folded = new_states(len(found)), [found.readings], []
    for one in warm:
        here = np.array([place for place, name in enumerate(one.series) if name in names], dtype=np.int64)
        moved = np.full(len(one), NO_RUN, dtype=np.int32)
        moved[here] = there = found.positions_of(one.series[place] for place in here.tolist())
        found.watermark[there], found.closed_until[there] = one.watermark[here], one.closed_until[here]
        found.newest[there], states[there] = one.newest[here], one.states[here]
        rows = one.readings[moved[one.readings["series"]] >= 0].copy()
        rows["series"] = moved[rows["series"]]
        readings.append(rows)
        folded += [
            dataclasses.replace(each, series=int(moved[each.series]))
            for each in one.folded
            if moved[each.series] >= 0
        ]
    return dataclasses.replace(
        found, states=states, readings=_sorted(stacked(readings)), folded=tuple(sorted(folded, key=_place))
    )


def _joined(page: Page, warm: Page) -> Page:
    """Take series over whole that the page does not have: what is open in them, too."""
    is_new = np.array([name not in page.series for name in warm.series], dtype=np.bool_)
    page = with_series(page, warm.series)
    places = page.positions_of(warm.series)
    columns = {name: getattr(page, name).copy() for name in ("watermark", "closed_until", "newest")}
    for name, column in columns.items():
        column[places[is_new]] = getattr(warm, name)[is_new]
    readings = warm.readings[is_new[warm.readings["series"]]].copy()
    readings["series"] = places[readings["series"]]
    folded = [
        dataclasses.replace(one, series=int(places[one.series])) for one in warm.folded if is_new[one.series]
    ]
    return dataclasses.replace(
        page,
        **columns,
        readings=_sorted(stacked([page.readings, readings])),
        folded=tuple(sorted((*page.folded, *folded), key=_place)),
    )


def _with_open(values: Values, page: Page, warm: Page, plan: WorkloadPlan) -> Values:
    """Count as closed what is open in the warm page and behind the page: the history's last intervals."""
    found = {name: dict(of_series) for name, of_series in values.items()}
    for one in warm.folded:
        name = warm.series[one.series]
        if one.start < page.closed_until[page.positions_of([name])[0]]:
            value = one.aggregation.value(measure_of(name, plan).aggregate)
            found.setdefault(name, {}).setdefault(one.start, value)
    return {name: sorted(of_series.items()) for name, of_series in found.items()}


def _sorted(readings: Records) -> Records:
    return readings[np.lexsort((readings["record_id"], readings["start"], readings["series"]))]


def _place(folded: Folded) -> tuple[int, int]:
    return folded.series, folded.start
