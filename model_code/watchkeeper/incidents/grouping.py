"""Which anomalies are one incident.

Two anomalies of a workload are linked when at most `gap` lies between their intervals, and

1. all their dimensions' values are equal, whatever the measures; then `quiet` may lie between, after which an
   incident is over: what comes to a place whose incident is not over is of it; or
2. they are of a crowd: within one window of `gap`, at least `together_at_least` series that share the measure
   or a dimension's value have anomalies, and more than chance makes of so many series (`crowd`); or
3. their measures moved together in the history, and a dimension's value is equal.

Incidents are the connected components. More anomalies only ever add links, so what was one incident stays
one, and the incidents of a set of anomalies are the same in whatever order, and however often, they come.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.features.relations import Relation, pairs_of
from watchkeeper.incidents.causes import NOTHING_KNOWN, Surroundings, causes_of
from watchkeeper.incidents.crowd import crowd_of
from watchkeeper.incidents.incident import Incident, incident_id, opening_of
from watchkeeper.incidents.severity import severity_of
from watchkeeper.incidents.title import title_of
from watchkeeper.incidents.touched import Touched, joined, touched_by
from watchkeeper.telemetry.series import SeriesKey, parse_series_key

Link = tuple[int, int]


@dataclass(frozen=True)
class GroupingRule:
    """When anomalies hang together."""

    gap_seconds: int
    """How much may lie between the end of an interval and the start of the next."""
    quiet_seconds: int = 0
    """The same between two anomalies of one place, where it is more."""
    together_at_least: int = 3
    """Series that are a crowd, where chance does not make as many; see `crowd_of`."""
    pairs: frozenset[tuple[str, str]] = frozenset()
    """Measures that moved together in the history; a measure with itself is a pair, too."""

    def reach_seconds(self, interval_seconds: int) -> int:
        """Return how far apart two intervals may begin."""
        return self.gap_seconds + interval_seconds

    def longest_reach_seconds(self, interval_seconds: int) -> int:
        """Return the same of two intervals of one place."""
        return max(self.gap_seconds, self.quiet_seconds) + interval_seconds


def rule_of(plan: WorkloadPlan, relations: Sequence[Relation] = ()) -> GroupingRule:
    """Return when the anomalies of a workload hang together.

    Parameters
    ----------
    relations
        Of the live release; none where no model is live.
    """
    return GroupingRule(
        plan.incidents.gap(plan.interval_seconds),
        quiet_seconds=plan.incidents.closes_after(plan.interval_seconds),
        together_at_least=plan.incidents.together_at_least,
        pairs=pairs_of(relations),
    )


@dataclass(frozen=True)
class Grown:
    """An incident that is new, or has more in it than before."""

    incident: Incident
    """As the anomalies make it; state and what people did are those of the first of `before`."""
    before: tuple[Incident, ...]
    """Incidents that are in it now, the oldest first; none where it is new."""
    added: tuple[AnomalyEvent, ...]
    """Anomalies that were in none, in the order of time and series."""


def incidents_of(
    events: Sequence[AnomalyEvent], rule: GroupingRule, around: Surroundings = NOTHING_KNOWN
) -> tuple[Incident, ...]:
    """Return the incidents of a workload's anomalies, the oldest first."""
    return tuple(grown.incident for grown in grown_by((), events, rule, around))


def grown_by(
    known: Collection[Incident],
    events: Collection[AnomalyEvent],
    rule: GroupingRule,
    around: Surroundings = NOTHING_KNOWN,
) -> tuple[Grown, ...]:
    """Return what becomes of a workload's incidents when anomalies come; those that stay are left out.

    Parameters
    ----------
    known
        Every incident that has an interval within the rule's longest reach of an anomaly, whole.
    events
        In any order; those that are in an incident already change nothing.
    around
        What the live release knows of the workload: causes and titles say it.

    Raises
    ------
    InvalidInputError
        If an anomaly's series is not a series key (reason `bad_series`).
    """
    lengths = sorted({event.interval_seconds for event in events})
    found = [
        grown
        for seconds in lengths  # an anomaly of before the workload's interval changed is of another kind
        for grown in _grown(
            [incident for incident in known if incident.interval_seconds == seconds],
            [event for event in events if event.interval_seconds == seconds],
            rule,
            seconds,
            around,
        )
    ]
    return tuple(sorted(found, key=lambda grown: (grown.incident.opened_at, grown.incident.incident_id)))


@dataclass(frozen=True, order=True)
class _Member:
    start: int
    series: str
    node: int
    """An incident that is known, or an anomaly."""
    key: SeriesKey = dataclasses.field(compare=False)


def _grown(
    known: Sequence[Incident],
    events: Sequence[AnomalyEvent],
    rule: GroupingRule,
    interval_seconds: int,
    around: Surroundings,
) -> Iterator[Grown]:
    new = _new(known, events, interval_seconds)
    if not new:
        return
    longest = rule.longest_reach_seconds(interval_seconds)
    since, until = new[0].at - longest, new[-1].at + longest
    members = [
        _Member(start, part.series, node, parse_series_key(part.series))
        for node, incident in enumerate(known)
        for part in incident.touched
        for start in part.starts(interval_seconds, since, until)
    ]
    members += [
        _Member(event.at, event.series, len(known) + index, parse_series_key(event.series))
        for index, event in enumerate(new)
    ]
    for nodes in _components(len(known) + len(new), links(sorted(members), rule, interval_seconds, around)):
        before = sorted(
            (known[node] for node in nodes if node < len(known)),
            key=lambda each: (each.opened, each.incident_id),
        )
        added = [new[node - len(known)] for node in nodes if node >= len(known)]
        if added or len(before) > 1:
            yield Grown(_incident(before, added, interval_seconds, around), tuple(before), tuple(added))


def links(
    members: Sequence[_Member],
    rule: GroupingRule,
    interval_seconds: int,
    around: Surroundings,
) -> Iterator[Link]:
    """Return pairs of nodes that connect all that hangs together; not each pair that is linked.

    Parameters
    ----------
    members
        In the order of time.
    """
    reach = rule.reach_seconds(interval_seconds)
    places: dict[tuple[tuple[str, str], ...], list[_Member]] = defaultdict(list)
    traits: dict[tuple[str, str] | str, list[_Member]] = defaultdict(list)
    for member in members:
        places[member.key.dimensions].append(member)
        traits[member.key.measure].append(member)
        for value in member.key.dimensions:
            traits[value].append(member)
    for of_place in places.values():
        yield from _chained(of_place, rule.longest_reach_seconds(interval_seconds))
    for trait, sharing in traits.items():
        crowd = crowd_of(around.sharing(trait) or 0, reach // interval_seconds + 1, rule.together_at_least)
        yield from _crowded(sharing, reach, crowd)
        if isinstance(trait, str) or not rule.pairs:
            continue
        measured: dict[str, list[_Member]] = defaultdict(list)
        for member in sharing:
            measured[member.key.measure].append(member)
        for one, other in rule.pairs:
            yield from _moved_together(measured.get(one, []), measured.get(other, []), reach)


def _chained(members: Sequence[_Member], reach: int) -> Iterator[Link]:
    for one, other in itertools.pairwise(members):
        if other.start - one.start <= reach:
            yield one.node, other.node


def _crowded(members: Sequence[_Member], reach: int, at_least: int) -> Iterator[Link]:
    """Connect what is in a window that begins with a member and has anomalies of enough series."""
    inside: Counter[str] = Counter()
    first = connected = 0
    for last, member in enumerate(members):
        inside[member.series] += 1
        while member.start - members[first].start > reach:
            inside[members[first].series] -= 1
            if not inside[members[first].series]:
                del inside[members[first].series]
            first += 1
        if len(inside) >= at_least:
            for at in range(max(first, connected), last):  # what is before is connected already
                yield members[at].node, members[at + 1].node
            connected = last


def _moved_together(ones: Sequence[_Member], others: Sequence[_Member], reach: int) -> Iterator[Link]:
    """Connect each of the ones with all others that are within reach."""
    first = until = connected = 0
    for one in ones:
        while first < len(others) and others[first].start < one.start - reach:
            first += 1
        while until < len(others) and others[until].start <= one.start + reach:
            until += 1
        if first < until:
            yield one.node, others[first].node
            for at in range(max(first, connected), until - 1):
                yield others[at].node, others[at + 1].node
            connected = until - 1


def _components(nodes: int, found: Iterator[Link]) -> list[list[int]]:
    parents = list(range(nodes))

    def root(node: int) -> int:
        while parents[node] != node:
            parents[node] = node = parents[parents[node]]
        return node

    for one, other in found:
        parents[root(one)] = root(other)
    components: dict[int, list[int]] = defaultdict(list)
    for node in range(nodes):
        components[root(node)].append(node)
    return list(components.values())


def _new(
    known: Sequence[Incident], events: Sequence[AnomalyEvent], interval_seconds: int
) -> list[AnomalyEvent]:
    """Return the anomalies that are in no incident, each once, in the order of time and series."""
    there: dict[str, list[Touched]] = defaultdict(list)
    for incident in known:
        for part in incident.touched:
            there[part.series].append(part)
    first = {(event.at, event.series): event for event in reversed(events)}
    return [
        event
        for (start, series), event in sorted(first.items())
        if not any(part.holds(start, interval_seconds) for part in there[series])
    ]


def _incident(
    before: Sequence[Incident],
    added: Sequence[AnomalyEvent],
    interval_seconds: int,
    around: Surroundings,
) -> Incident:
    """Return one incident of several and of anomalies: the one place that derives what it says."""
    parts: dict[str, list[Touched]] = defaultdict(list)
    for incident in before:
        for part in incident.touched:
            parts[part.series].append(part)
    by_series: dict[str, list[AnomalyEvent]] = defaultdict(list)
    for event in added:
        by_series[event.series].append(event)
    for series, events in by_series.items():
        parts[series].append(touched_by(events))
    touched = sorted(
        (joined(each, interval_seconds) for each in parts.values()),
        key=lambda part: (-part.deviation, part.series),
    )
    start, series = opening_of(touched)
    workload = before[0].workload if before else added[0].workload
    identity = incident_id(workload, series, start, interval_seconds)
    former = [each for incident in before for each in (incident.incident_id, *incident.former_ids)]
    oldest = before[0] if before else None
    whole = Incident(
        incident_id=identity,
        workload=workload,
        interval_seconds=interval_seconds,
        opened_at=format_instant(start),
        last_at=format_instant(max(part.end(interval_seconds) for part in touched)),
        state="open" if oldest is None else oldest.state,
        severity=severity_of(touched),
        title="",
        opened_by=series,
        touched=tuple(touched),
        causes=causes_of(touched, around),
        run_ids=tuple(
            sorted({*(run for each in before for run in each.run_ids), *(e.run_id for e in added)})
        ),
        former_ids=tuple(each for each in former if each != identity),
        timeline=() if oldest is None else oldest.timeline,
        feedback=None if oldest is None else oldest.feedback,
        assigned_to=None if oldest is None else oldest.assigned_to,
        snoozed_until=None if oldest is None else oldest.snoozed_until,
    )
    return dataclasses.replace(whole, title=title_of(whole, around))
