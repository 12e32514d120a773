"""Twenty series under every combination of faults: is each record counted once, each interval said once, and
each anomaly told once?"""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from benchmarks.faults.equality import Values, by_the_detector, compared
from benchmarks.faults.killing import Killer, Victim
from benchmarks.faults.loop import Loop, Message, repeated, shuffled, timed
from cli.demo.inbox import Inbox
from watchkeeper.anomalies.score_line import Interval
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, parse_instant
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice

WORKLOAD, MEASURE, FIELD = "air_quality", "co", "CO"
SERIES = 20
START, APART = datetime(2024, 3, 4, tzinfo=timezone.utc), timedelta(days=10)
MINUTE = timedelta(minutes=1)
FAULTS = ("duplicates", "reordering", "dropped acknowledgements", "SIGKILL")
HEADER = (
    *FAULTS,
    "records",
    "messages",
    "lost answers",
    "killed",
    "intervals",
    "lost",
    "twice",
    "wrong aggregates",
    "wrong scores",
    "anomalies",
    "incidents",
    "alerts",
    "told twice",
    "not told",
    "s",
)
KILLS: Sequence[tuple[float, Victim]] = (
    (10.0, "scoring"),  # the laptop has saved by then what was made for the devices
    (5.0, "server"),
    (2.0, "alerting"),
    (1.0, "scoring"),
)
REPEATED = 0.3
KILLING_SECONDS = 40.0
"""So long messages are under way at least where there are kills."""
MESSAGES_A_SECOND = 10.0
"""Of a device whose connection breaks: IoT discards what is beyond 100, also of what is sent again."""
SPIKE_EVERY, _SPIKE = 97, 60.0
"""Intervals between spikes, more than a route is throttled for."""


@dataclass(frozen=True)
class Faults:
    """Which of `FAULTS` a run has."""

    duplicates: bool
    reordering: bool
    dropped: bool
    killing: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """For the table."""
        flags = (self.duplicates, self.reordering, self.dropped, self.killing)
        return tuple("×" if flag else "" for flag in flags)


def combinations() -> Iterator[Faults]:
    """Give all sixteen."""
    for flags in itertools.product((False, True), repeat=len(FAULTS)):
        yield Faults(*flags)


@dataclass(frozen=True)
class Fleet:
    """Readings of stations, one a minute."""

    stations: tuple[str, ...]
    start: datetime
    readings: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, run: int, records: int, plan: WorkloadPlan) -> Fleet:
        """Make so many records a station, in whole intervals; every now and then an interval is a spike.

        Each run has stations and days of its own, so that its anomalies join no incident of another's.
        """
        an_interval = plan.interval_seconds // int(MINUTE.total_seconds())
        whole = records // an_interval * an_interval
        stations = tuple(f"f{run}-{number}" for number in range(SERIES))
        readings = {}
        for station in stations:
            noise = random.Random(station)
            offset = noise.randrange(SPIKE_EVERY // 2)
            readings[station] = [
                round(
                    40
                    + noise.gauss(0, 1)
                    + _SPIKE * ((at // an_interval + offset) % SPIKE_EVERY == SPIKE_EVERY - 1),
                    3,
                )
                for at in range(whole)
            ]
        return cls(stations, START + run * APART, readings)

    def values(self, plan: WorkloadPlan) -> Values:
        """Return the averages of the intervals."""
        an_interval = plan.interval_seconds // int(MINUTE.total_seconds())
        start = epoch_seconds(self.start)
        return {
            f"{MEASURE}|{plan.dimensions[0]}={station}": [
                (start + at * int(MINUTE.total_seconds()), exact_mean(found[at : at + an_interval]))
                for at in range(0, len(found), an_interval)
            ]
            for station, found in self.readings.items()
        }

    def messages(self, station: str, plan: WorkloadPlan) -> list[Message]:
        """Return a station's messages in order."""
        return [self._message(station, at, value, plan) for at, value in enumerate(self.readings[station])]

    def last_word(self, station: str, plan: WorkloadPlan) -> Message:
        """Return a reading by which all intervals are over."""
        after = (plan.interval_seconds + plan.lateness_seconds) // int(MINUTE.total_seconds())
        return self._message(station, len(self.readings[station]) + after, 40.0, plan)

    def _message(self, station: str, at: int, value: float, plan: WorkloadPlan) -> Message:
        when = self.start + at * MINUTE
        fields = {plan.timestamp.field: when.strftime(plan.timestamp.format), plan.dimensions[0]: station}
        return Message(when, json.dumps({**fields, FIELD: value}).encode())


def exact_mean(values: Sequence[float]) -> float:
    """Return the mean, rounded once."""
    ratios = [value.as_integer_ratio() for value in values]
    scale = max(denominator for _, denominator in ratios)
    return sum(numerator * (scale // denominator) for numerator, denominator in ratios) / (
        scale * len(values)
    )


def measure(loop: Loop, inbox: Inbox, faults: Faults, records: int, run: int) -> tuple[object, ...]:
    """Send a fleet's records under faults, and count what came out wrong; see `HEADER`."""
    loop.shorten_waiting()
    plan = loop.spec.plan()
    fleet = Fleet.of(run, records, plan)
    expected = by_the_detector({}, fleet.values(plan), plan)
    order = random.Random(run)
    devices = [_order(fleet, station, faults, loop.spec.lateness, order, plan) for station in fleet.stations]
    killer = Killer(loop.trained.settings, KILLS if faults.killing else ())
    with timed() as seconds:
        slow = max(KILLING_SECONDS, max(map(len, devices)) / MESSAGES_A_SECOND)
        lost = loop.send(
            devices,
            killer,
            loses=faults.dropped,
            seed=order.randrange(1000),
            seconds=slow if faults.killing or faults.dropped else 0.0,
        )
        loop.until(set(expected))
        loop.until_drained()
        if faults.dropped:
            loop.announce_again(order)
            loop.until_drained()
        end = fleet.start + APART
        notices = _told(inbox, fleet.start, end)
        incidents = loop.incidents(fleet.start, end)
        anomalies = [
            line.interval
            for interval in expected
            for line in loop.said.get(interval, ())[:1]
            if line.is_anomaly
        ]
        doubled, missing = alerts_wrong(notices, incidents, anomalies, plan.alerts.throttle_seconds)
        return (
            *faults.cells,
            f"{sum(map(len, fleet.readings.values())):,}",
            f"{sum(map(len, devices)):,}",
            lost,
            sum(killer.killed.values()),
            f"{len(expected):,}",
            *compared(loop.said, expected, own=True),
            len(anomalies),
            len(incidents),
            len(notices),
            doubled,
            missing,
            f"{seconds():.0f}",
        )


def alerts_wrong(
    notices: Sequence[IncidentNotice],
    incidents: Sequence[Incident],
    anomalies: Iterable[Interval],
    throttle_seconds: int,
) -> tuple[int, int]:
    """Count the alerts that came more than once, and what nobody was told of.

    That are anomalies of no incident, and incidents of which no alert came, unless one of the series that
    they began with came within the throttle.
    """
    told_ids = {notice.incident.incident_id for notice in notices}
    told_at: dict[str, list[int]] = {}
    for notice in notices:
        told_at.setdefault(notice.series, []).append(notice.at)
    untold = sum(
        told_ids.isdisjoint((incident.incident_id, *incident.former_ids))
        and all(abs(incident.opened - at) >= throttle_seconds for at in told_at.get(incident.opened_by, ()))
        for incident in incidents
    )
    within: dict[str, list[tuple[int, int]]] = {}
    for incident in incidents:
        for touched in incident.touched:
            within.setdefault(touched.series, []).extend(
                (first, first + count * incident.interval_seconds) for first, count in touched.runs
            )
    alone = sum(
        not any(first <= epoch_seconds(parse_instant(start)) < last for first, last in within.get(series, ()))
        for series, start in anomalies
    )
    often = Counter(notice.alert_id for notice in notices)
    return sum(count > 1 for count in often.values()), untold + alone


def _order(
    fleet: Fleet, station: str, faults: Faults, lateness: timedelta, order: random.Random, plan: WorkloadPlan
) -> list[Message]:
    messages = fleet.messages(station, plan)
    if faults.duplicates:
        messages = repeated(messages, REPEATED, order)
    if faults.reordering:
        messages = shuffled(messages, lateness, order)
    return [*messages, fleet.last_word(station, plan)]


def _told(inbox: Inbox, start: datetime, end: datetime) -> list[IncidentNotice]:
    """Return what was told of incidents that began from `start` to `end`, as often as it came."""
    told: list[IncidentNotice] = []
    quiet = 0
    while quiet < 2:
        alerts = inbox.receive()
        quiet = 0 if alerts else quiet + 1
        told += [alert.notice for alert in alerts]
    return [each for each in told if epoch_seconds(start) <= each.incident.opened < epoch_seconds(end)]
