"""What is measured: faults of known truth, time in which nothing happens, and alerts before and after."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.incidents.scoring import Floats, events_after, plan_of, release_of, rule_of, warmed
from benchmarks.incidents.told import throttled
from benchmarks.incidents.worlds import (
    BEGIN,
    MEASURES,
    STATIONS,
    WARM_ROWS,
    Fault,
    faults_of,
    record,
    series_of,
    world,
)
from benchmarks.quality.ordinary import KINDS
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.incidents.causes import Place, Surroundings
from watchkeeper.incidents.grouping import GroupingRule, grown_by, incidents_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.telemetry.census import census_of

LEVELS = (70, 80, 90, 95)
"""Severities."""
SHUFFLES = 3
SECONDS_PER_WEEK = 7 * 86_400
_QUIET_ROWS = 10_000
_AFTERMATH = 24
"""Intervals after a fault in which an incident is still counted as of it."""


@dataclass(frozen=True)
class FaultFound:
    """What became of one fault."""

    kind: str
    size: float
    incidents: int
    """That have an anomaly of its series while it lasts or in the two hours after."""
    points: int
    """Anomalies in them."""
    right_stations: bool
    """Whether the first of the first incident's causes names exactly its stations."""
    right_measures: bool
    severity: float
    """Of the first incident."""
    worst_point: float
    """Highest severity of one anomaly in it."""
    title: str

    @property
    def right(self) -> bool:
        """Stations and measures."""
        return self.right_stations and self.right_measures


@dataclass(frozen=True)
class FaultsFound:
    """What became of all of them."""

    faults: tuple[FaultFound, ...]
    others: int
    """Incidents of no fault."""
    differing: int
    """Runs whose incidents were others when the anomalies came in another order, some of them twice."""
    runs: int
    incidents: int
    """All."""
    throttled: int
    """Alerts as they were before: one an anomaly, none of a series in the two hours after one."""
    by_quiet: dict[int, float]
    """Incidents a fault that is found, by minutes of quiet after which an incident is over."""


QUIET_MINUTES = (20, 30, 60)


def measure_faults(worlds: int) -> FaultsFound:
    """Put faults into worlds and group what is found."""
    plan, measured = plan_of(), record()
    release, rule = release_of(plan), rule_of(plan)
    begin = BEGIN + WARM_ROWS * plan.interval_seconds
    found: list[FaultFound] = []
    others = differing = runs = total = alerts = 0
    joined: dict[int, list[int]] = {minutes: [] for minutes in QUIET_MINUTES}
    for seed in range(worlds):
        here = world(measured, seed)
        around = Surroundings(census_of(here.values))
        page = warmed(here.warm, BEGIN, plan, release)
        for faults in faults_of(seed):
            events = events_after(page, here.stretch(faults), begin, plan, release)
            incidents = incidents_of(events, rule, around)
            runs += 1
            total += len(incidents)
            in_time = sorted(events, key=lambda event: (event.at, event.series))
            alerts += len(throttled(in_time, plan.alerts.throttle_seconds))
            differing += _differs(events, incidents, rule, around, seed)
            met: set[str] = set()
            for fault in faults:
                of_fault = [one for one in incidents if _is_of(one, fault, begin, plan.interval_seconds)]
                met |= {one.incident_id for one in of_fault}
                found.append(_judged(fault, of_fault))
            others += len(incidents) - len(met)
            for minutes, counts in joined.items():
                other = dataclasses.replace(rule, quiet_seconds=60 * minutes)
                grouped = incidents_of(events, other)
                of_each = [
                    sum(_is_of(one, fault, begin, plan.interval_seconds) for one in grouped)
                    for fault in faults
                ]
                counts += [count for count in of_each if count]
    by_quiet = {minutes: sum(counts) / len(counts) for minutes, counts in joined.items()}
    return FaultsFound(tuple(found), others, differing, runs, total, alerts, by_quiet)


def _is_of(incident: Incident, fault: Fault, begin: int, interval: int) -> bool:
    since = begin + fault.begin * interval
    until = since + (fault.rows + _AFTERMATH) * interval
    return any(
        part.series in fault.series and any(True for _ in part.starts(interval, since, until))
        for part in incident.touched
    )


def _judged(fault: Fault, incidents: Sequence[Incident]) -> FaultFound:
    if not incidents:
        return FaultFound(fault.kind, fault.size, 0, 0, False, False, 0.0, 0.0, "")
    first = incidents[0]
    place = first.causes.places[0] if first.causes else Place({}, (), 0.0, 0, None, 0.0)
    stations = set(place.dimensions.get("LOCATION_ID", STATIONS))
    return FaultFound(
        kind=fault.kind,
        size=fault.size,
        incidents=len(incidents),
        points=sum(part.intervals for one in incidents for part in one.touched),
        right_stations=stations == set(fault.stations),
        right_measures=set(place.measures) == set(fault.measures),
        severity=first.severity,
        worst_point=max(part.peak_severity for part in first.touched),
        title=first.title,
    )


def _differs(
    events: Sequence[AnomalyEvent],
    incidents: Sequence[Incident],
    rule: GroupingRule,
    around: Surroundings,
    seed: int,
) -> bool:
    generator = np.random.default_rng(seed)
    expected = {dataclasses.replace(one, former_ids=()).to_json() for one in incidents}
    for _ in range(SHUFFLES):
        twice = generator.integers(max(1, len(events)), size=len(events) // 2)
        order = generator.permutation(np.concatenate([np.arange(len(events)), twice]))
        kept: dict[str, Incident] = {}
        for at in order.tolist():
            for grown in grown_by(tuple(kept.values()), [events[at]], rule, around):
                for before in grown.before:
                    del kept[before.incident_id]
                kept[grown.incident.incident_id] = grown.incident
        if {dataclasses.replace(one, former_ids=()).to_json() for one in kept.values()} != expected:
            return True
    return False


@dataclass(frozen=True)
class Quiet:
    """How often something is told though nothing happens, in all series of a workload, by `LEVELS`."""

    kind: str
    weeks: float
    anomalies: tuple[int, ...]
    """Anomalies of at least each severity."""
    incidents: tuple[int, ...]
    """Incidents of at least each severity as a whole."""


def measure_quiet(repetitions: int) -> Iterator[Quiet]:
    """Yield what each kind of series gives in which nothing happens: 12 stations of 3 measures."""
    plan = plan_of()
    release, rule = release_of(plan), rule_of(plan)
    names = [series_of(measure, station) for station in STATIONS for measure in MEASURES]
    for kind, draw in KINDS.items():
        anomalies, incidents = Counter[int](), Counter[int]()
        for repetition in range(repetitions):
            values: dict[str, Floats] = {
                name: draw(np.random.default_rng(1_000 * repetition + at), _QUIET_ROWS)
                for at, name in enumerate(names)
            }
            warm = {name: row[:2_000] for name, row in values.items()}
            rest = {name: row[2_000:] for name, row in values.items()}
            page = warmed(warm, BEGIN, plan, release)
            events = events_after(page, rest, BEGIN + 2_000 * plan.interval_seconds, plan, release)
            grouped = incidents_of(events, rule)
            for level in LEVELS:
                anomalies[level] += sum(event.severity >= level for event in events)
                incidents[level] += sum(one.severity >= level for one in grouped)
        weeks = repetitions * (_QUIET_ROWS - 2_000) * plan.interval_seconds / SECONDS_PER_WEEK
        yield Quiet(
            kind,
            weeks,
            tuple(anomalies[level] for level in LEVELS),
            tuple(incidents[level] for level in LEVELS),
        )


def share(found: Iterable[bool]) -> float:
    """Return how many of 100 are true."""
    values = list(found)
    return 100 * sum(values) / len(values) if values else 0.0


def by_kind(found: Sequence[FaultFound]) -> Mapping[str, list[FaultFound]]:
    """Return faults by kind, in the order of their first ones."""
    kinds: dict[str, list[FaultFound]] = {}
    for fault in found:
        kinds.setdefault(fault.kind, []).append(fault)
    return kinds
