"""Two versions of a workload over one history: which incidents stay, change, appear and go."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from watchkeeper.incidents.incident import Incident

Fate = Literal["same", "changed", "appears", "goes"]
SAME_SEVERITY = 0.5
"""A severity that moves by less is shown as the same number, or nearly."""


@dataclass(frozen=True)
class Pair:
    """What one or several incidents of the one version are in the other."""

    fate: Fate
    before: tuple[Incident, ...]
    after: tuple[Incident, ...]

    @property
    def first(self) -> Incident:
        """The incident that stands for all: the later version's oldest, if there is one."""
        return (*self.after, *self.before)[0]


def paired(before: Sequence[Incident], after: Sequence[Incident]) -> tuple[Pair, ...]:
    """Tell which incidents of two versions are about the same thing, the oldest first.

    They are where a run of anomalies of one series overlaps with one of the same series in the other version;
    what is connected so is one pair. The intervals of the versions may have different lengths.
    """
    everything = (*before, *after)
    parents = list(range(len(everything)))

    def root(node: int) -> int:
        while parents[node] != node:
            parents[node] = node = parents[parents[node]]
        return node

    spans = _spans(before, 0)
    for series, ours in _spans(after, len(before)).items():
        theirs = spans.get(series, [])
        ends = [end for _, end, _ in theirs]
        for start, end, node in ours:
            for other_start, _, other in theirs[bisect.bisect_right(ends, start) :]:
                if other_start >= end:
                    break
                parents[root(node)] = root(other)
    groups: dict[int, list[int]] = defaultdict(list)
    for node in range(len(everything)):
        groups[root(node)].append(node)
    pairs = [
        _pair(
            [before[node] for node in nodes if node < len(before)],
            [after[node - len(before)] for node in nodes if node >= len(before)],
        )
        for nodes in groups.values()
    ]
    return tuple(sorted(pairs, key=lambda pair: (pair.first.opened_at, pair.first.incident_id)))


def _pair(before: Sequence[Incident], after: Sequence[Incident]) -> Pair:
    fate: Fate = "changed"
    if not before:
        fate = "appears"
    elif not after:
        fate = "goes"
    elif len(before) == len(after) == 1 and _alike(before[0], after[0]):
        fate = "same"
    return Pair(fate, tuple(before), tuple(after))


def _alike(one: Incident, other: Incident) -> bool:
    """Tell whether the same intervals of the same series are in both, about as severe."""
    touched = [{(part.series, part.runs) for part in each.touched} for each in (one, other)]
    return touched[0] == touched[1] and abs(one.severity - other.severity) < SAME_SEVERITY


def _spans(incidents: Sequence[Incident], first: int) -> dict[str, list[tuple[int, int, int]]]:
    """Return begin, end and node of each run of anomalies, ascending, by series."""
    found: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for node, incident in enumerate(incidents, start=first):
        for part in incident.touched:
            found[part.series] += [
                (start, start + count * incident.interval_seconds, node) for start, count in part.runs
            ]
    return {series: sorted(spans) for series, spans in found.items()}
