"""What people say of incidents, and where that moves the thresholds of what these were about.

Thresholds are a function of the verdicts that stand, whatever their order: taking one back leaves what would
be without it. What they do is in `judgement.moved`.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.documents import Document
from watchkeeper.core.layout import short_hash
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.incident import TAKEN_BACK, Entry, Feedback, Incident
from watchkeeper.incidents.touched import Run, Touched
from watchkeeper.judgement.moved import DIRECTIONS, Direction, MovedThresholds
from watchkeeper.telemetry.series import parse_series_key

RAISED_BY: Mapping[Feedback, float] = {"noise": 10.0, "expected": 5.0, "real": 0.0}
"""How much one verdict raises a threshold at most: never beyond what it was about."""
LOWERED_BY = 1.0
"""How much one `real` lowers it, where nothing was noise or expected."""
HIGHEST, LOWEST = 95.0, 65.0
"""No number of verdicts moves a threshold beyond these."""
MARGIN = 1.0
"""By so much a threshold stays below what was real."""
SERIES_OF_A_MEASURE = 3
"""So many series of a measure that only ever were noise or expected move all series of it."""


@dataclass(frozen=True)
class Mark:
    """One series of an incident, as it was when somebody judged it."""

    series: str
    directions: tuple[Direction, ...]
    """On which side of what was expected; both where that is not told, none of a silence."""
    severity: float
    """Of its worst anomaly."""
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Verdict(Document, name="verdict"):
    """What somebody says of an incident."""

    workload: str
    incident_id: str
    what: Feedback
    at: str
    """ISO 8601, UTC."""
    who: str
    interval_seconds: int
    marks: tuple[Mark, ...]
    """By series. What the incident touches later is not judged."""
    note: str | None = None


@dataclass(frozen=True)
class Label(Document, name="label"):
    """A stretch of one series of which somebody says that it was an anomaly, whatever was found there."""

    workload: str
    series: str
    start: int
    """Of its first interval, in seconds since 1970."""
    end: int
    """Of its last interval, in seconds since 1970."""
    interval_seconds: int
    at: str
    """When it was said; ISO 8601, UTC."""
    who: str
    note: str | None = None

    @property
    def label_id(self) -> str:
        """The same of the same stretch."""
        return short_hash(f"{self.workload} {self.series} {self.start} {self.end}")

    @property
    def window(self) -> tuple[str, str]:
        """First and last labelled instant, as a file of labels has them."""
        return _window(self.start, self.end, self.interval_seconds)


def verdict_of(
    incident: Incident, what: Feedback, who: str, at: datetime, note: str | None = None
) -> Verdict:
    """Return a verdict of what an incident touches now."""
    marks = (
        Mark(part.series, _directions(part), part.peak_severity, part.runs)
        for part in sorted(incident.touched, key=lambda part: part.series)
    )
    return Verdict(
        workload=incident.workload,
        incident_id=incident.incident_id,
        what=what,
        at=format_instant(at),
        who=who,
        interval_seconds=incident.interval_seconds,
        marks=tuple(marks),
        note=note,
    )


def judged(incident: Incident, verdict: Verdict) -> Incident:
    """Return an incident with a verdict in place of one that it had."""
    said = verdict.what if verdict.note is None else f"{verdict.what}: {verdict.note}"
    entry = Entry(verdict.at, "feedback", who=verdict.who, note=said)
    return dataclasses.replace(incident, feedback=verdict.what, timeline=(*incident.timeline, entry))


def unjudged(incident: Incident, who: str, at: datetime) -> Incident:
    """Return an incident whose verdict is taken back."""
    entry = Entry(format_instant(at), "feedback", who=who, note=TAKEN_BACK)
    return dataclasses.replace(incident, feedback=None, timeline=(*incident.timeline, entry))


def verdicts_about(incident: Incident, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return those of an incident, or of one that is in it now."""
    ids = {incident.incident_id, *incident.former_ids}
    return [verdict for verdict in verdicts if verdict.incident_id in ids]


def moved_thresholds(verdicts: Iterable[Verdict]) -> MovedThresholds:
    """Return where the verdicts of a workload move thresholds.

    Each `noise` raises the threshold of a series and side by 10, each `expected` by 5; not beyond the worst
    that was noise or expected, not to within 1 of the mildest that was real, and not beyond 95. Where there
    is only `real`, each lowers it by 1, to 65 at least. Where three series of a measure, and none of its
    series was real, are raised on a side, its other series are raised by as much as the least of them.
    """
    said: dict[tuple[Direction, str], list[tuple[Feedback, float]]] = defaultdict(list)
    for verdict in verdicts:
        for mark in verdict.marks:
            for direction in mark.directions:
                said[direction, mark.series].append((verdict.what, mark.severity))
    series: dict[Direction, dict[str, float]] = {direction: {} for direction in DIRECTIONS}
    of_measures: dict[tuple[Direction, str], list[float]] = defaultdict(list)
    for (direction, name), marks in sorted(said.items()):
        level = series[direction][name] = _level(marks)
        real = any(what == "real" for what, _ in marks)
        of_measures[direction, parse_series_key(name).measure].append(THRESHOLD_SEVERITY if real else level)
    measures: dict[Direction, dict[str, float]] = {direction: {} for direction in DIRECTIONS}
    for (direction, measure), levels in of_measures.items():
        if len(levels) >= SERIES_OF_A_MEASURE and min(levels) > THRESHOLD_SEVERITY:
            measures[direction][measure] = min(levels)
    return MovedThresholds(series, measures)


def _level(marks: Sequence[tuple[Feedback, float]]) -> float:
    real = [severity for what, severity in marks if what == "real"]
    unwanted = [severity for what, severity in marks if what != "real"]
    if not unwanted:
        return max(LOWEST, THRESHOLD_SEVERITY - LOWERED_BY * len(real))
    raised = THRESHOLD_SEVERITY + sum(RAISED_BY[what] for what, _ in marks)
    limits = [raised, max(unwanted), HIGHEST, *(severity - MARGIN for severity in real)]
    return max(THRESHOLD_SEVERITY, min(limits))


def _directions(part: Touched) -> tuple[Direction, ...]:
    if part.observed is None and not part.above + part.below:
        return ()
    if part.above != part.below:
        return ("above",) if part.above > part.below else ("below",)
    return DIRECTIONS


def labels_of(verdicts: Iterable[Verdict], labels: Iterable[Label] = ()) -> dict[str, list[tuple[str, str]]]:
    """Return labels as `watchkeeper.telemetry.labels` reads them: windows of what was real, by series.

    A series of which all was noise or expected has no window; one that no verdict and no label is about is
    left out, since nothing is known of it.
    """
    windows: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for verdict in verdicts:
        for mark in verdict.marks:
            of_series = windows[mark.series]
            if verdict.what == "real":
                seconds = verdict.interval_seconds
                of_series.update(
                    _window(start, start + count * seconds, seconds) for start, count in mark.runs
                )
    for label in labels:
        windows[label.series].add(label.window)
    return {series: sorted(found) for series, found in sorted(windows.items())}


def _window(start: int, end: int, interval_seconds: int) -> tuple[str, str]:
    """Return the first and the last instant of intervals: both are included, so the last has its start."""
    return format_instant(start), format_instant(end - interval_seconds)
