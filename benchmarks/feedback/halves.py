"""Feedback on the first half of a series, by its labels, and what alerts find in the second."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.incidents.scoring import release_of
from benchmarks.quality.corpus import LabelledSeries
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.incidents.feedback import Mark, Verdict, moved_thresholds
from watchkeeper.judgement.moved import Direction, MovedThresholds
from watchkeeper.stream.deciding import decide
from watchkeeper.stream.judging import Thresholds
from watchkeeper.stream.page import WAITING, new_page, with_series
from watchkeeper.stream.placement import ROOT

BoolArray = npt.NDArray[np.bool_]
SERIES = "value"
PLAN = WorkloadPlan("bench", TimestampPlan("time"), (MeasurePlan(SERIES, SERIES),), 60)
GAP_ROWS = 3
"""As an incident's `gap` is without another word: alerts with no more rows between them are one incident."""


@dataclass(frozen=True)
class Found:
    """What alerts in the second halves of series find."""

    windows: int = 0
    found: int = 0
    false_alerts: int = 0

    def __add__(self, other: Found) -> Found:
        mine, theirs = dataclasses.astuple(self), dataclasses.astuple(other)
        return Found(*(one + more for one, more in zip(mine, theirs, strict=True)))


@dataclass(frozen=True)
class Halves:
    """Of one series, or of several together."""

    weeks: float
    """Of the second halves."""
    real: int
    """Incidents of the first halves that are in a labelled window."""
    noise: int
    before: Found
    raised: Found
    """After feedback, where no threshold is lowered."""
    after: Found

    def __add__(self, other: Halves) -> Halves:
        return Halves(
            *(getattr(self, part.name) + getattr(other, part.name) for part in dataclasses.fields(self))
        )


def halves_of(series: LabelledSeries) -> Halves:
    """Return what feedback is worth in one series."""
    scores = score_series(series.timestamps, series.values)
    above = series.values > scores.expected
    middle = len(above) // 2
    scored = np.arange(len(above)) >= series.probation_rows
    first = scores.is_anomaly & scored
    first[middle:] = False
    verdicts = list(_verdicts(series, first, above, scores.severity))
    kept = _decided(series, scores, moved_thresholds(verdicts))
    second = scored & (np.arange(len(above)) >= middle)
    real = sum(verdict.what == "real" for verdict in verdicts)
    return Halves(
        weeks=float((series.timestamps[-1] - series.timestamps[middle]) / np.timedelta64(7 * 86_400, "s")),
        real=real,
        noise=len(verdicts) - real,
        before=_found(series, scores.is_anomaly & second, middle),
        raised=_found(series, kept & scores.is_anomaly & second, middle),
        after=_found(series, kept & second, middle),
    )


def _verdicts(
    series: LabelledSeries, alerts: BoolArray, above: BoolArray, severity: npt.NDArray[np.float64]
) -> Iterator[Verdict]:
    rows = np.flatnonzero(alerts)
    for number, group in enumerate(np.split(rows, np.flatnonzero(np.diff(rows) > GAP_ROWS + 1) + 1)):
        if not len(group):
            continue
        ups = int(above[group].sum())
        directions: tuple[Direction, ...] = ("above", "below")
        if 2 * ups != len(group):
            directions = ("above",) if 2 * ups > len(group) else ("below",)
        yield Verdict(
            workload="bench",
            incident_id=str(number),
            what="real" if series.labels[group].any() else "noise",
            at="2026-01-01T00:00:00Z",
            who="labels",
            interval_seconds=60,
            marks=(Mark(SERIES, directions, float(severity[group].max()), ()),),
        )


def _decided(series: LabelledSeries, scores: SeriesScores, moved: MovedThresholds) -> BoolArray:
    """Return which rows are anomalies by the step's own decision."""
    page = with_series(new_page(PLAN.workload, ROOT, PLAN.interval_seconds), [SERIES])
    rows = np.zeros(len(series.values), dtype=WAITING)
    rows["start"], rows["value"] = series.timestamps.astype(np.int64), series.values
    release = dataclasses.replace(release_of(PLAN), moved=moved)
    return decide(page, rows, scores, release, Thresholds(page)).is_anomaly


def _found(series: LabelledSeries, alerts: BoolArray, middle: int) -> Found:
    windows = [(first, last) for first, last in series.windows if first >= middle]
    return Found(
        len(windows),
        sum(bool(alerts[first : last + 1].any()) for first, last in windows),
        int((alerts & ~series.labels).sum()),
    )


def together(series: Sequence[LabelledSeries]) -> Halves:
    """Return what feedback, of each series by itself, is worth in all of them."""
    total, *others = map(halves_of, series)
    for one in others:
        total += one
    return total
