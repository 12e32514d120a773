"""What the release before pages kept of a series, and how a page takes it over.

That release had one item a series in a table, with the closed intervals that waited to be scored. A page
takes an item over when it meets its series for the first time; nothing writes items any more.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.adaptation import Adaptation
from watchkeeper.stream.page import (
    KNOWN,
    NEVER,
    NO_RUN,
    READING,
    WAITING,
    Folded,
    Page,
    in_order,
    stacked,
    with_series,
)
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.telemetry.context import Context, extend
from watchkeeper.telemetry.intervals import Aggregation
from watchkeeper.telemetry.records import RECORD_ID_LENGTH

STATE_VERSION = 1
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class SeriesState:
    """The state of one series, as the release before pages wrote it."""

    series: str
    interval_seconds: int
    open: dict[int, Aggregation] = dataclasses.field(default_factory=dict)
    """By interval start, in seconds since 1970."""
    record_ids: dict[int, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Of the readings in the open intervals."""
    watermark_microseconds: int | None = None
    closed_until: int | None = None
    context: Context = ()
    """The intervals before the outbox."""
    outbox: Context = ()
    """Closed intervals that wait to be scored, oldest first."""
    applied: tuple[tuple[str, int | None], ...] = ()
    """Hash of each object that was taken in, and `closed_until` before it."""
    adaptation: Adaptation | None = None

    @classmethod
    def from_bytes(cls, document: bytes) -> SeriesState:
        """Read a state.

        Raises
        ------
        ContractViolationError
            If it was written by an older release yet.
        """
        fields: dict[str, Any] = json.loads(gzip.decompress(document))
        version = fields.pop("version", None)
        if version != STATE_VERSION:
            raise ContractViolationError(
                f"series state version {version!r}, this release takes over {STATE_VERSION}"
            )
        fields["open"] = {
            start: Aggregation(count, Fraction(numerator, denominator), minimum, maximum)
            for start, count, numerator, denominator, minimum, maximum in fields["open"]
        }
        fields["record_ids"] = {start: _ids(joined) for start, joined in fields["record_ids"]}
        for name in ("context", "outbox", "applied"):
            fields[name] = tuple(tuple(item) for item in fields[name])
        if "adaptation" in fields:
            fields["adaptation"] = Adaptation(*fields["adaptation"])
        return cls(**fields)

    def settled(self, through: int, plan: WorkloadPlan, adaptation: Adaptation | None) -> SeriesState:
        """Take the intervals that begin at or before `through` out of the outbox: they have their lines.

        Parameters
        ----------
        adaptation
            Where the threshold stands after them; None of one that does not move.
        """
        context = self.context
        done = [item for item in self.outbox if item[0] <= through]
        for start, value in done:
            context, _ = extend(context, start, value, plan)
        return dataclasses.replace(
            self, context=context, outbox=self.outbox[len(done) :], adaptation=adaptation or self.adaptation
        )


def taken_over(page: Page, states: Mapping[str, SeriesState]) -> Page:
    """Return a page that has the series of these states, and what they say.

    Parameters
    ----------
    page
        One that has none of them.
    states
        By series.
    """
    if not states:
        return page
    page = with_series(page, states)
    watermark, closed_until, newest = page.watermark.copy(), page.closed_until.copy(), page.newest.copy()
    thresholds, runs = page.thresholds.copy(), list(page.runs)
    readings: list[tuple[int, int, int, float]] = []
    waiting: list[tuple[int, int, float, int]] = []
    context: list[tuple[int, int, float]] = []
    folded = list(page.folded)
    for series, name in zip(page.positions_of(states).tolist(), states, strict=True):
        state = states[name]
        same = state.interval_seconds == page.interval_seconds
        if state.watermark_microseconds is not None:
            watermark[series] = state.watermark_microseconds
        closed_until[series] = _closed_until(state, page.interval_seconds)
        waiting += [(series, start, value, int(same)) for start, value in state.outbox]
        if not same:
            continue
        context += [(series, start, value) for start, value in state.context]
        for start, value in (state.context + state.outbox)[-1:]:
            newest[series] = (start, value, 0)
        folded += [Folded(series, start, found) for start, found in state.open.items()]
        for start, ids in state.record_ids.items():
            readings += [(series, start, int(record_id, 16), np.nan) for record_id in ids]
        if state.adaptation is not None:
            if state.adaptation.run_id not in runs:
                runs.append(state.adaptation.run_id)
            standing = state.adaptation
            thresholds[series] = (runs.index(standing.run_id), standing.alerting, standing.value)
    order = sorted(runs)
    moved = np.array([order.index(run) for run in runs], dtype=np.int32)
    moving = thresholds["run"] != NO_RUN
    thresholds["run"][moving] = moved[thresholds["run"][moving]]
    rows = stacked([page.readings, np.array(readings, dtype=READING)])
    return dataclasses.replace(
        page,
        watermark=watermark,
        closed_until=closed_until,
        newest=newest,
        thresholds=thresholds,
        runs=tuple(order),
        readings=rows[np.lexsort((rows["record_id"], rows["start"], rows["series"]))],
        waiting=in_order(stacked([page.waiting, np.array(waiting, dtype=WAITING)])),
        context=in_order(stacked([page.context, np.array(context, dtype=KNOWN)])),
        folded=tuple(sorted(folded, key=lambda one: (one.series, one.start))),
    )


def not_taken_before(
    readings: Readings, source: Source, states: Mapping[str, SeriesState]
) -> tuple[Readings, list[int]]:
    """Return the readings of the series whose state has not taken this object in, and which lines of the
    others were late then."""
    number = short_hash(source.object_id, RECORD_ID_LENGTH)
    before = {
        position: closed_until
        for position, name in enumerate(readings.series)
        if name in states
        for known, closed_until in states[name].applied
        if known == number
    }
    if not before:
        return readings, []
    late = []
    for series, event_time, line in readings.rows[["series", "event_time", "line"]].tolist():
        closed_until = before.get(series)
        length = states[readings.series[series]].interval_seconds if closed_until is not None else 1
        if closed_until is not None and event_time // (length * _MICROSECONDS) * length < closed_until:
            late.append(line)
    rest = readings.of_series(at for at in range(len(readings.series)) if at not in before)
    return rest, sorted(set(late))


def _closed_until(state: SeriesState, interval_seconds: int) -> int:
    known = [] if state.closed_until is None else [state.closed_until]
    if state.interval_seconds == interval_seconds:
        return max(known, default=NEVER)
    until = max([*known, *(start + state.interval_seconds for start in state.open)], default=None)
    return NEVER if until is None else -(-until // interval_seconds) * interval_seconds


def _ids(joined: str) -> tuple[str, ...]:
    return tuple(
        joined[index : index + RECORD_ID_LENGTH] for index in range(0, len(joined), RECORD_ID_LENGTH)
    )
