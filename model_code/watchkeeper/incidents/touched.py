"""What an incident knows of one series: which of its intervals are in it, and how far they were off.

Everything in it adds up alike in any order, so that it is a matter of the anomalies alone.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.incidents.deviation import deviation_of

Run = tuple[int, int]
"""Intervals without one between them: start of the first, in seconds since 1970, and how many."""
UNEXPLAINED = "unexplained|"
"""Where the deviation of an anomaly without contributions is counted."""


@dataclass(frozen=True)
class Touched:
    """One series of an incident."""

    series: str
    runs: tuple[Run, ...]
    """Its anomalous intervals, ascending: a redelivered anomaly is recognised by them."""
    above: int
    """Intervals whose value was above the expected one; neither counts where nothing was expected."""
    below: int
    deviation: int
    """Sum of `deviation_of` its anomalies, in thousandths."""
    contributions: Mapping[str, int]
    """The same by `feature|lag` (no lag where the feature has no place in time); adds up to it."""
    peak_severity: float
    """Of the anomaly with the highest severity, the first of equals; the next fields are that one's."""
    at: str
    """Start of its interval, ISO 8601, UTC."""
    observed: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    anomaly_id: str

    @property
    def first(self) -> int:
        """Start of the first interval, in seconds since 1970."""
        return self.runs[0][0]

    @property
    def intervals(self) -> int:
        """How many intervals are in the incident."""
        return sum(count for _, count in self.runs)

    def end(self, interval_seconds: int) -> int:
        """Return the end of the last interval, in seconds since 1970."""
        start, count = self.runs[-1]
        return start + count * interval_seconds

    def starts(self, interval_seconds: int, since: int, until: int) -> Iterable[int]:
        """Return the starts of its intervals from `since` to `until`, both included."""
        for start, count in self.runs:
            skipped = max(0, -((start - since) // interval_seconds))
            for at in range(
                start + skipped * interval_seconds, start + count * interval_seconds, interval_seconds
            ):
                if at > until:
                    return
                yield at

    def holds(self, start: int, interval_seconds: int) -> bool:
        """Tell whether the interval that begins at `start` is in the incident."""
        at = bisect.bisect_right(self.runs, start, key=lambda run: run[0]) - 1
        return at >= 0 and start < self.runs[at][0] + self.runs[at][1] * interval_seconds


def touched_by(events: Sequence[AnomalyEvent]) -> Touched:
    """Return what anomalies of one series, each of another interval, say of it."""
    contributions: Counter[str] = Counter()
    for event in events:
        contributions.update(_apportioned(event))
    peak = min(events, key=lambda event: (-event.severity, event.at))
    known = [(event.observed, event.expected) for event in events]
    differences = [seen - usual for seen, usual in known if seen is not None and usual is not None]
    return Touched(
        series=peak.series,
        runs=_runs([(event.at, 1) for event in events], peak.interval_seconds),
        above=sum(difference > 0 for difference in differences),
        below=sum(difference < 0 for difference in differences),
        deviation=sum(contributions.values()),
        contributions=dict(sorted(contributions.items())),
        peak_severity=peak.severity,
        at=peak.interval_start,
        observed=peak.observed,
        expected=peak.expected,
        lower=peak.lower,
        upper=peak.upper,
        anomaly_id=peak.anomaly_id,
    )


def joined(parts: Sequence[Touched], interval_seconds: int) -> Touched:
    """Return what several say of one series together; no interval may be in two of them."""
    if len(parts) == 1:
        return parts[0]
    contributions: Counter[str] = Counter()
    for part in parts:
        contributions.update(part.contributions)
    peak = min(parts, key=lambda part: (-part.peak_severity, part.at))
    return Touched(
        series=peak.series,
        runs=_runs([run for part in parts for run in part.runs], interval_seconds),
        above=sum(part.above for part in parts),
        below=sum(part.below for part in parts),
        deviation=sum(part.deviation for part in parts),
        contributions=dict(sorted(contributions.items())),
        peak_severity=peak.peak_severity,
        at=peak.at,
        observed=peak.observed,
        expected=peak.expected,
        lower=peak.lower,
        upper=peak.upper,
        anomaly_id=peak.anomaly_id,
    )


def _runs(runs: Iterable[Run], interval_seconds: int) -> tuple[Run, ...]:
    found: list[Run] = []
    for start, count in sorted(runs):
        if found and found[-1][0] + found[-1][1] * interval_seconds == start:
            found[-1] = (found[-1][0], found[-1][1] + count)
        else:
            found.append((start, count))
    return tuple(found)


def _apportioned(event: AnomalyEvent) -> dict[str, int]:
    """Return an anomaly's deviation by feature and lag, in whole thousandths that add up to it."""
    deviation, parts = deviation_of(event), event.contributions
    total = sum(part.score for part in parts)
    if not total > 0:
        return {UNEXPLAINED: deviation}
    found: Counter[str] = Counter()
    running, given = 0.0, 0
    for part in parts:
        running += part.score
        upto = round(deviation * min(1.0, running / total))
        found[f"{part.feature}|{'' if part.lag is None else part.lag}"] += upto - given
        given = upto
    found[f"{parts[0].feature}|{'' if parts[0].lag is None else parts[0].lag}"] += deviation - given
    return {name: share for name, share in found.items() if share}
