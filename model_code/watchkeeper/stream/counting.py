"""How records come to a shelf: counted by interval as an object is taken in, and judged as time goes on.

What rows are (late, duplicated, …) is judged with each object; which devices and values are there, when the
shelf has left an interval behind. How far a shelf is, is what a tenth of its live series has reached: so
neither a half that is silent holds it up, nor do a few clocks that are fast carry it away. Devices are heard
when anything of them comes, whatever its time, so that a wrong clock is not taken for silence.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import QualityPlan, WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.judgement.quality import DAY, FALLS, Signal, SignalName, judged, limit_of
from watchkeeper.stream.page import COUNTS, LAGS, NEVER, Integers, Page, Quality, Records
from watchkeeper.stream.readings import NOT_SAID, Source, Whole

RECENT_RECORDS = 4096
"""Ids of records that are kept beyond their interval's end, to tell a second delivery from a late one."""
LEAST_ROWS, LEAST_PRESENT = 20, 8
"""Rows that a share of rows is judged by at least; values or devices, over two intervals."""
HORIZONS = (1, 4, 16, 64)
"""Intervals in which a device may be heard: the shortest in which nearly all are is what tells."""
STEADY_OBJECTS = 12
"""Objects that have to come with about the same lag before another one is unusual."""

_MICROSECONDS = 1_000_000
_LAG_OF = 64
_PLACE = 1 << 40
"""Seconds are below it, for a hundred centuries."""
_LIVE_SHARE = 10
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arrived:
    """What came to a shelf with an object: `Readings.rows`, and what became of each."""

    rows: Records
    series: Integers
    """Positions on the page."""
    starts: Integers
    in_time: Flags
    fresh: Flags
    """Whether it counts."""
    new: Integers
    """Positions of the series that the page did not have."""
    whole: Whole | None


def lifetime(plan: WorkloadPlan) -> int:
    """Return the seconds for which a device is expected that has stopped, and what is unusual stays so."""
    return max(DAY, 10 * plan.interval_seconds)


def counted(before: Page, page: Page, arrived: Arrived, source: Source, plan: WorkloadPlan) -> Page:
    """Count what came, and judge it.

    Parameters
    ----------
    before
        The page before the object, with its new series.
    page
        The same after it.
    """
    quality = _of_measures(page.quality, tuple(measure.name for measure in plan.measures))
    heard = page.heard.copy()
    came = np.unique(arrived.series)
    live = _live(heard, quality.mark, plan)
    live[came] = True
    mark = max(quality.mark, _reached(page.watermark[live]))
    heard[came] = mark // _MICROSECONDS if mark != NEVER else NEVER
    lines = _lines(arrived, before.recent, quality, plan)
    at = mark // _MICROSECONDS if mark != NEVER else _hour_of(source)
    rows, refused = _rows(before, arrived, lines, live, at, plan)
    quality = dataclasses.replace(
        quality,
        mark=mark,
        counted=_added(quality.counted, rows),
        refused=_refused(quality.refused, refused, at // plan.interval_seconds * plan.interval_seconds),
    )
    ids = np.sort(lines.ids[lines.fresh]).astype(np.uint32)
    page = dataclasses.replace(
        page, heard=heard, recent=np.concatenate([page.recent, ids])[-RECENT_RECORDS:], quality=quality
    )
    if plan.quality is None:
        return dataclasses.replace(page, quality=_left_behind(quality, plan))
    quality = _rows_judged(quality, lines, arrived.whole, at, plan, plan.quality)
    return dataclasses.replace(page, quality=_intervals_judged(page, quality, plan, plan.quality))


def reported(quality: Quality, lines: Sequence[ScoreLine]) -> tuple[Quality, list[IntervalCounts]]:
    """Return what is to be written of the intervals that are judged, and what is left.

    Parameters
    ----------
    lines
        That are written with it.
    """
    found: dict[int, IntervalCounts] = {}
    done = quality.counted[:, 0] < quality.until if len(quality.counted) else np.zeros(0, dtype=np.bool_)
    for row in quality.counted[done].tolist():
        found[row[0]] = _counts(row, quality.measures)
    left = {start: reasons for start, reasons in quality.refused.items() if start >= quality.until}
    for start in quality.refused.keys() - left.keys():
        one = found.get(start, IntervalCounts(format_instant(start)))
        found[start] = dataclasses.replace(one, refused=quality.refused[start])
    scored, unscored, anomalies = Counter[str](), Counter[str](), Counter[str]()
    for line in lines:
        (unscored if line.anomaly_score is None else scored)[line.interval_start] += 1
        anomalies[line.interval_start] += line.is_anomaly
    for text in sorted(scored.keys() | unscored.keys()):
        start = epoch_seconds(parse_instant(text))
        found[start] = dataclasses.replace(
            found.get(start, IntervalCounts(text)),
            scored=scored[text],
            unscored=unscored[text],
            anomalies=anomalies[text],
        )
    rest = dataclasses.replace(quality, counted=quality.counted[~done], refused=left, told=())
    return rest, [found[start] for start in sorted(found)]


@dataclass(frozen=True)
class _Lines:
    """One row a line."""

    starts: Integers
    ids: npt.NDArray[np.uint64]
    fresh: Flags
    late: Flags
    duplicated: Flags
    off_clock: Flags
    lag: Integers
    """Microseconds, where it is said."""
    said: Flags
    steady: bool
    """Whether it is known what lag is usual."""


def _lines(arrived: Arrived, recent: npt.NDArray[np.uint32], quality: Quality, plan: WorkloadPlan) -> _Lines:
    rows = arrived.rows
    _, first, line = np.unique(rows["line"], return_index=True, return_inverse=True)
    count = len(first)

    def any_of(flags: Flags) -> Flags:
        return np.bincount(line[flags], minlength=count) > 0

    ids = rows["record_id"][first]
    remembered = np.isin(ids.astype(np.uint32), recent)
    # a value that was counted before comes of a new record, too, unless the record is known
    counted_before = arrived.in_time & (rows["identity"] != rows["record_id"]) & ~remembered[line]
    fresh = any_of(arrived.fresh | counted_before)
    again = any_of(arrived.in_time) | remembered
    received = rows["received_at"][first]
    lag, said = received - rows["event_time"][first], received != NOT_SAID
    steady = quality.lag_steady >= STEADY_OBJECTS
    off = said & (np.abs(lag - quality.lag) > _tolerance(plan)) if steady else np.zeros(count, dtype=np.bool_)
    return _Lines(arrived.starts[first], ids, fresh, ~fresh & ~again, ~fresh & again, off, lag, said, steady)


def _rows(
    before: Page,
    arrived: Arrived,
    lines: _Lines,
    live: Flags,
    at: int,
    plan: WorkloadPlan,
) -> tuple[Integers, tuple[tuple[str, int], ...]]:
    """Return the counts of an object, an interval a row as in `Quality.counted`, and what was refused."""
    names = tuple(measure.name for measure in plan.measures)
    places, measures = _places(before.series, names)
    opened = before.readings["series"], before.readings["start"]
    folded = [(one.series, one.start) for one in before.folded]
    known_series = np.concatenate([opened[0], [series for series, _ in folded]]).astype(np.int64)
    known_starts = np.concatenate([opened[1], [start for _, start in folded]]).astype(np.int64)
    fresh = arrived.fresh & (measures[arrived.series] >= 0)
    values = _new_pairs(arrived.series[fresh], arrived.starts[fresh], known_series, known_starts)
    devices = _new_pairs(places[values[0]], values[1], places[known_series], known_starts)
    here = at // plan.interval_seconds * plan.interval_seconds
    of_whole = np.array([] if arrived.whole is None or len(lines.starts) else [here], dtype=np.int64)
    found = np.unique(np.concatenate([lines.starts, of_whole]))
    rows = np.zeros((len(found), len(COUNTS) + len(LAGS) + 2 * len(names)), dtype=np.int64)
    if not len(found):
        return rows, ()
    rows[:, 0] = found
    of_line = np.searchsorted(found, lines.starts)
    flags = {"accepted": lines.fresh, "late": lines.late, "duplicated": lines.duplicated}
    for name, chosen in (flags | {"off_clock": lines.off_clock}).items():
        rows[:, COUNTS.index(name)] = np.bincount(of_line[chosen], minlength=len(found))
    if arrived.whole is not None:
        rows[np.searchsorted(found, lines.starts.max(initial=NEVER) if len(lines.starts) else here), 1] = 1
    first = np.full(len(places), np.iinfo(np.int64).max)
    np.minimum.at(first, arrived.series, arrived.starts)
    of_first = np.searchsorted(found, first[arrived.new])
    rows[:, COUNTS.index("new_series")] = np.bincount(of_first, minlength=len(found))
    rows[:, COUNTS.index("devices")] = np.bincount(np.searchsorted(found, devices[1]), minlength=len(found))
    lag, said = lines.lag // 1000, lines.said
    begin = len(COUNTS)
    rows[:, begin] = np.bincount(of_line[said], minlength=len(found))
    np.add.at(rows[:, begin + 1], of_line[said], lag[said])
    rows[:, begin + 2] = NEVER
    np.maximum.at(rows[:, begin + 2], of_line[said], lag[said])
    rows[rows[:, begin] == 0, begin + 2] = 0
    begin += len(LAGS)
    np.add.at(rows, (np.searchsorted(found, values[1]), begin + 2 * measures[values[0]]), 1)
    wanted = np.zeros((int(places.max(initial=-1)) + 1, len(names)), dtype=np.int64)
    there = live & (measures >= 0)
    wanted[places[there], measures[there]] = 1
    of_device = np.searchsorted(found, devices[1])
    for measure in range(len(names)):
        np.add.at(rows[:, begin + 2 * measure + 1], of_device, wanted[devices[0], measure])
    return rows, () if arrived.whole is None else arrived.whole.refused


def _rows_judged(
    quality: Quality, lines: _Lines, whole: Whole | None, at: int, plan: WorkloadPlan, limits: QualityPlan
) -> Quality:
    """Judge the shares of rows, and go on with what lag is usual."""
    making = _Judging(quality, plan, limits, at)
    count, off = len(lines.starts), lines.off_clock
    if count:
        making.judge("late", None, int((lines.late & ~off).sum()), count)
        making.judge("duplicated", None, int(lines.duplicated.sum()), count)
    if whole is not None and whole.lines:
        making.judge("refused", None, sum(found for _, found in whole.refused), whole.lines)
    said = int(lines.said.sum())
    if lines.steady and said:
        making.judge("clock", None, int(off.sum()), said)
    quality = making.done()
    if not said:
        return quality
    usual = float(np.partition(lines.lag[lines.said], (said - 1) // 2)[(said - 1) // 2])
    return _with_lag(quality, usual, plan)


def _with_lag(quality: Quality, usual: float, plan: WorkloadPlan) -> Quality:
    """Go on with the lag that is usual, by the median of an object.

    It follows slowly. Where it is not met for long it is not known any more: a replay of history comes
    sooner after its time with each object, and has no clocks that could be off.
    """
    clock = quality.signals.get("clock")
    if clock is not None and clock.since is not None:
        return quality
    if not quality.lag_steady:
        return dataclasses.replace(quality, lag=usual, lag_steady=1)
    if abs(usual - quality.lag) <= _tolerance(plan):
        steady = min(quality.lag_steady + 1, 4 * STEADY_OBJECTS)
        lag = quality.lag + (usual - quality.lag) / (_LAG_OF if steady >= STEADY_OBJECTS else 4)
        return dataclasses.replace(quality, lag=lag, lag_steady=steady)
    if quality.lag_steady >= STEADY_OBJECTS + 2:
        return dataclasses.replace(quality, lag_steady=quality.lag_steady - 2)
    signals = {name: one for name, one in quality.signals.items() if name != "clock"}
    lag = quality.lag + (usual - quality.lag) / 4
    return dataclasses.replace(quality, lag=lag, lag_steady=1, signals=signals)


def _intervals_judged(page: Page, quality: Quality, plan: WorkloadPlan, limits: QualityPlan) -> Quality:
    """Judge what is there of the intervals that the shelf has left behind."""
    done = _left_behind(quality, plan)
    if done.until == quality.until:
        return quality
    at = quality.mark // _MICROSECONDS
    making = _Judging(done, plan, limits, at)
    starts = quality.counted[:, 0]
    rows = quality.counted[(starts >= quality.until) & (starts < done.until)]
    begin = len(COUNTS) + len(LAGS)
    for place, name in enumerate(quality.measures):
        there, wanted = rows[:, begin + 2 * place], rows[:, begin + 2 * place + 1]
        if wanted.any():
            making.judge(
                "missing",
                name,
                int(np.minimum(there, wanted).sum()),
                int(wanted.sum()),
                rounds=int((wanted > 0).sum()),
            )
    for horizon, heard, of in _heard(page, at, plan):
        making.judge("silent", f"{horizon}", heard, of)
    return making.done()


def _heard(page: Page, at: int, plan: WorkloadPlan) -> Iterator[tuple[int, int, int]]:
    """Yield, of each horizon, how many of the live devices were heard in it."""
    places, _ = _places(page.series, ())
    last = np.full(int(places.max(initial=-1)) + 1, NEVER)
    np.maximum.at(last, places, page.heard)
    live = last[(last != NEVER) & (last >= at - lifetime(plan))]
    wait = plan.lateness_seconds + plan.delivery_seconds
    for horizon in HORIZONS:
        seconds = horizon * plan.interval_seconds
        if len(live) and (horizon == 1 or 2 * seconds <= lifetime(plan)):
            yield horizon, int((at - live <= seconds + wait).sum()), len(live)


class _Judging:
    """Signals of a shelf at one time."""

    def __init__(self, quality: Quality, plan: WorkloadPlan, limits: QualityPlan, at: int) -> None:
        self._quality, self._plan, self._limits, self._at = quality, plan, limits, at
        self._signals = dict(quality.signals)
        self._told: list[QualityEvent] = []

    def judge(self, name: SignalName, of_what: str | None, hits: int, of: int, rounds: int = 1) -> None:
        """Add to a signal, and note what is found."""
        key = name if of_what is None else f"{name}|{of_what}"
        was_unusual = self._unusual(name)
        present = name in FALLS
        signal, found = judged(
            self._signals.get(key, Signal()),
            hits,
            of,
            self._at,
            added=rounds,
            limit=limit_of(name, self._limits),
            falls=present,
            least=LEAST_PRESENT if present else LEAST_ROWS,
            rounds=2 if present else 1,
            forgets_seconds=lifetime(self._plan),
        )
        self._signals[key] = signal
        silent = name == "silent"
        if found is None or (silent and was_unusual and (found.began or self._unusual(name))):
            return  # one horizon tells it
        length = self._plan.interval_seconds
        self._told.append(
            QualityEvent(
                workload=self._plan.workload,
                signal=name,
                measure=None if silent else of_what,
                began=found.began,
                interval_start=format_instant(self._at // length * length),
                interval_seconds=length,
                since=format_instant(found.since),
                share=found.share,
                of=found.of,
                usual=found.usual,
                severity=found.severity,
            )
        )

    def done(self) -> Quality:
        """Return what is known now."""
        told = (*self._quality.told, *self._told)
        return dataclasses.replace(self._quality, signals=self._signals, told=told)

    def _unusual(self, name: SignalName) -> bool:
        return any(
            one.since is not None for key, one in self._signals.items() if key.partition("|")[0] == name
        )


def _left_behind(quality: Quality, plan: WorkloadPlan) -> Quality:
    if quality.mark == NEVER:
        return quality
    length = plan.interval_seconds
    behind = quality.mark // _MICROSECONDS - plan.lateness_seconds - plan.delivery_seconds
    return dataclasses.replace(quality, until=max(quality.until, behind // length * length))


def _of_measures(quality: Quality, measures: tuple[str, ...]) -> Quality:
    """Return what is known where the measures are the same; of others, nothing is."""
    if quality.measures == measures:
        return quality
    width = len(COUNTS) + len(LAGS) + 2 * len(measures)
    return Quality(measures=measures, counted=np.zeros((0, width), dtype=np.int64))


def _live(heard: Integers, mark: int, plan: WorkloadPlan) -> Flags:
    if mark == NEVER:
        return np.zeros(len(heard), dtype=np.bool_)
    live: Flags = (heard != NEVER) & (heard >= mark // _MICROSECONDS - lifetime(plan))
    return live


def _reached(watermarks: Integers) -> int:
    """Return what a tenth of the series has reached."""
    known = np.sort(watermarks[watermarks != NEVER])
    return int(known[-max(1, len(known) // _LIVE_SHARE)]) if len(known) else NEVER


def _tolerance(plan: WorkloadPlan) -> int:
    return (plan.quality or QualityPlan()).clock_seconds * _MICROSECONDS


def _hour_of(source: Source) -> int:
    return epoch_seconds(parse_instant(f"{source.hour[:13]}:00:00Z"))


@functools.lru_cache(maxsize=64)
def _places(series: tuple[str, ...], measures: tuple[str, ...]) -> tuple[Integers, Integers]:
    """Return the device and the measure of each series, by position; a measure that is not one is -1."""
    numbers: dict[str, int] = {}
    of_measure = {name: place for place, name in enumerate(measures)}
    parts = [name.partition("|") for name in series]
    places = [numbers.setdefault(place, len(numbers)) for _, _, place in parts]
    found = (
        np.array(places, dtype=np.int64),
        np.array([of_measure.get(measure, -1) for measure, _, _ in parts], dtype=np.int64),
    )
    for column in found:
        column.flags.writeable = False
    return found


def _new_pairs(
    what: Integers, starts: Integers, known: Integers, known_starts: Integers
) -> tuple[Integers, Integers]:
    """Return the pairs that are not known yet, each once."""
    pairs = np.setdiff1d(what * _PLACE + starts + _PLACE // 2, known * _PLACE + known_starts + _PLACE // 2)
    return pairs // _PLACE, pairs % _PLACE - _PLACE // 2


def _added(counts: Integers, rows: Integers) -> Integers:
    if not len(rows):
        return counts
    if not len(counts):
        return rows
    starts = np.unique(np.concatenate([counts[:, 0], rows[:, 0]]))
    added = np.zeros((len(starts), rows.shape[1]), dtype=np.int64)
    most = len(COUNTS) + LAGS.index("lag_most")
    added[:, most] = NEVER
    for part in (counts, rows):
        places = np.searchsorted(starts, part[:, 0])
        longest = np.maximum(added[places, most], np.where(part[:, len(COUNTS)] > 0, part[:, most], NEVER))
        added[places] += part
        added[places, most] = longest
    added[added[:, len(COUNTS)] == 0, most] = 0
    added[:, 0] = starts
    return added


def _refused(
    known: Mapping[int, Mapping[str, int]], more: Iterable[tuple[str, int]], start: int
) -> Mapping[int, Mapping[str, int]]:
    added = Counter(dict(more))
    if not added:
        return known
    added.update(known.get(start, {}))
    return dict(sorted({**known, start: dict(sorted(added.items()))}.items()))


def _counts(row: list[int], measures: Sequence[str]) -> IntervalCounts:
    begin = len(COUNTS) + len(LAGS)
    values = {name: row[begin + 2 * place] for place, name in enumerate(measures)}
    wanted = {name: row[begin + 2 * place + 1] for place, name in enumerate(measures)}
    numbers: dict[str, Any] = dict(zip((*COUNTS[1:], *LAGS), row[1:begin], strict=True))
    return IntervalCounts(
        format_instant(row[0]),
        **numbers,
        values={name: count for name, count in values.items() if count},
        missing={name: wanted[name] - values[name] for name in measures if wanted[name] > values[name]},
    )
