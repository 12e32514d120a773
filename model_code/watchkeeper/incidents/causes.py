"""What an incident is made of: its deviation by dimension value, measure, feature and lag, and where it is.

Shares add up. A **place** is a dimension's value or a few of them, a combination of all dimensions, or
everywhere; what stands first explains most of the deviation with the fewest series that were not
touched. That is explanatory power and succinctness in the sense of Bhagwan et al., Adtributor (NSDI 2014).
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from watchkeeper.features.relations import Relation
from watchkeeper.incidents.touched import Touched
from watchkeeper.telemetry.census import Census, census_of
from watchkeeper.telemetry.series import SeriesKey, parse_series_key

MOST_SHARES = 20
"""Values of a kind that are named; the rest are one share together."""
MOST_PLACES = 5
_MOST_CANDIDATES = 100
"""Places that are looked at: those with the largest deviation. One with less explains next to nothing."""
MOST_VALUES = 10
"""Of a dimension in one place: with more, the place is everywhere."""
PENALTY = 0.02
"""Off the fit for each further value."""
MOST_UNTOUCHED = 20
SMALLEST_PART = 0.05
"""Of a place's deviation: a measure with less does not belong to its cause."""

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Share:
    """What one value of a kind accounts for."""

    name: str
    """The value; empty where the share is of all others together."""
    deviation: int
    """In thousandths; the deviations of a kind add up to the incident's."""
    share: float
    """Of the incident's deviation, 0 to 1; those of a kind add up to 1."""
    touched: int
    """Series that are in the incident; 0 of a feature."""
    series: int | None = None
    """All series that are known to have the value; None where they are not known."""
    values: int = 1
    """How many values it stands for."""


@dataclass(frozen=True)
class Place:
    """Where and of what an incident may be: a candidate for its cause."""

    dimensions: dict[str, tuple[str, ...]]
    """Values by dimension, those with the largest deviation first; none: everywhere."""
    measures: tuple[str, ...]
    """The one with the largest deviation there first."""
    share: float
    """Of the incident's deviation that is there."""
    touched: int
    """Series there of these measures that are in the incident."""
    series: int | None
    """All known series there of these measures; None where they are not known."""
    fit: float
    """0 to 1: harmonic mean of `share` and of the share of its series that were touched, less a
    fiftieth for each further value."""


@dataclass(frozen=True)
class Causes:
    """What an incident is made of. Nothing in it says that one thing caused another."""

    places: tuple[Place, ...]
    """What fits best first."""
    dimensions: dict[str, tuple[Share, ...]]
    """By dimension, the largest first."""
    measures: tuple[Share, ...]
    features: tuple[Share, ...]
    """By `feature|lag`."""
    untouched: tuple[str, ...] = ()
    """Known series that share a dimension's value or a measure with the first place and are not in the
    incident, by name; 20 at most."""
    n_untouched: int | None = None
    """How many those are; None where the series are not known."""
    relations: tuple[Relation, ...] = ()
    """Of its measures, as they moved in the history before training."""


@dataclass(frozen=True)
class Surroundings:
    """What a release and the plan know of a workload beside an incident."""

    census: Census = field(default_factory=Census)
    relations: Sequence[Relation] = ()
    timezone: str = "UTC"
    """IANA name of the source's zone, in which titles say times."""

    @cached_property
    def keys(self) -> dict[str, SeriesKey]:
        """The series' keys, taken apart; none where they are not listed."""
        return {series: parse_series_key(series) for series in self.census.series}

    @cached_property
    def _counts(self) -> Counter[tuple[Dimensions, str]]:
        return Counter(
            (place, key.measure) for key in self.keys.values() for place in _places(key.dimensions)
        )

    def of(self, place: Dimensions, measures: Iterable[str] | None = None) -> int | None:
        """Return how many series are at a place, of some measures or of all; None where that is not known."""
        chosen = self.census.measures if measures is None else measures
        if self.keys:
            return sum(self._counts[place, measure] for measure in chosen)
        if place or not self.census.measures:
            return None
        return sum(self.census.measures.get(measure, 0) for measure in chosen)

    def sharing(self, trait: str | tuple[str, str]) -> int | None:
        """Return how many series have a measure, or a dimension's value; None where nothing is known.

        Where keys are too many to be listed, a value is taken to have as many as the others of its dimension.
        """
        if isinstance(trait, str):
            return self.of((), (trait,))
        known, values = self.of((trait,)), self.census.dimensions.get(trait[0])
        if known is not None or not values:
            return known
        return round(sum(self.census.measures.values()) / values)

    def with_touched(self, touched: Iterable[Touched]) -> Surroundings:
        """Return surroundings that list the touched series, too, where they list any."""
        new = {part.series for part in touched} - self.keys.keys()
        if not self.keys or not new:
            return self
        return replace(self, census=census_of({*self.census.series, *new}))


NOTHING_KNOWN = Surroundings()


@dataclass
class _Sums:
    """What the touched series of one place and measure add up to."""

    deviation: int = 0
    touched: int = 0
    by_measure: dict[str, _Sums] = field(default_factory=dict)

    def add(self, part: Touched, measure: str) -> None:
        own = self.by_measure.get(measure)
        if own is None:
            own = self.by_measure[measure] = _Sums()
        for sums in (self, own):
            sums.deviation += part.deviation
            sums.touched += 1


def causes_of(touched: Sequence[Touched], around: Surroundings = NOTHING_KNOWN) -> Causes:
    """Return what an incident's deviation is made of.

    Parameters
    ----------
    touched
        At least one, in any order.
    """
    around = around.with_touched(touched)
    total = sum(part.deviation for part in touched)
    sums: dict[Dimensions, _Sums] = defaultdict(_Sums)
    features: Counter[str] = Counter()
    for part in touched:
        key = parse_series_key(part.series)
        features.update(part.contributions)
        for place in _places(key.dimensions):
            sums[place].add(part, key.measure)
    everywhere = sums[()]
    of_dimensions: dict[str, dict[str, _Sums]] = defaultdict(dict)
    for place, of_place in sums.items():
        if len(place) == 1:
            [(name, value)] = place
            of_dimensions[name][value] = of_place
    largest = heapq.nsmallest(_MOST_CANDIDATES, sums, key=lambda place: (-sums[place].deviation, place))
    candidates = {(place,) for place in largest} | {
        tuple(((name, value),) for value in _few(by_value, total)) for name, by_value in of_dimensions.items()
    }
    places = sorted(
        (_place(together, sums, total, around) for together in candidates if together),
        key=lambda place: (-place.fit, -len(place.dimensions), sorted(place.dimensions.items())),
    )
    first = places[0]
    left = None if not around.keys else _untouched(first, {part.series for part in touched}, around)
    return Causes(
        places=tuple(places[:MOST_PLACES]),
        dimensions={
            name: _shares(
                {
                    value: (of_value.deviation, of_value.touched, around.of(((name, value),)))
                    for value, of_value in by_value.items()
                },
                total,
            )
            for name, by_value in sorted(of_dimensions.items())
        },
        measures=_shares(
            {
                measure: (own.deviation, own.touched, around.of((), (measure,)))
                for measure, own in everywhere.by_measure.items()
            },
            total,
        ),
        features=_shares({name: (deviation, 0, None) for name, deviation in features.items()}, total),
        untouched=() if left is None else tuple(left[:MOST_UNTOUCHED]),
        n_untouched=None if left is None else len(left),
        relations=tuple(
            one for one in around.relations if {one.leader, one.follower} <= everywhere.by_measure.keys()
        ),
    )


def in_words(relation: Relation) -> str:
    """Return what the history shows of two measures, in words that claim no cause."""
    when = "at the same time as" if relation.at_once else f"{relation.lag_seconds / 60:g} minutes before"
    way = "" if relation.strength > 0 else " in the opposite direction"
    return (
        f"in the history {relation.leader} moved {when} {relation.follower}{way} "
        f"(correlation {relation.strength:.2f} over {relation.evidence:,} intervals)"
    )


def _places(dimensions: Dimensions) -> list[Dimensions]:
    """Return everywhere, each value alone and, where there are several, all of them."""
    single = [(value,) for value in dimensions]
    return [(), *single, *([dimensions] if len(dimensions) > 1 else [])]


def _few(by_value: Mapping[str, _Sums], total: int) -> list[str]:
    """Return the values that have nearly all of the deviation; none where those are many."""
    found, covered = [], 0
    for value, sums in sorted(by_value.items(), key=lambda item: (-item[1].deviation, item[0])):
        if covered >= (1 - SMALLEST_PART) * total:
            break
        found.append(value)
        covered += sums.deviation
    return found if len(found) <= MOST_VALUES else []


def _place(
    together: Sequence[Dimensions], sums: Mapping[Dimensions, _Sums], total: int, around: Surroundings
) -> Place:
    """Return a place with its measures: those that have a part worth naming of what is there."""
    deviations: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for place in together:
        for measure, own in sums[place].by_measure.items():
            deviations[measure] += own.deviation
            counts[measure] += own.touched
    least = SMALLEST_PART * deviations.total()
    named = [
        measure
        for measure, deviation in sorted(deviations.items(), key=lambda item: (-item[1], item[0]))
        if deviation >= least
    ]
    share = sum(deviations[measure] for measure in named) / total
    touched = sum(counts[measure] for measure in named)
    known = [around.of(place, named) for place in together]
    counted = [one for one in known if one is not None]
    series = max(touched, sum(counted)) if len(counted) == len(together) else None
    hit = touched / series if series else 1.0 if together[0] else 0.5
    dimensions: dict[str, list[str]] = defaultdict(list)
    for place in together:
        for name, value in place:
            dimensions[name].append(value)
    return Place(
        dimensions={name: tuple(values) for name, values in dimensions.items()},
        measures=tuple(named),
        share=share,
        touched=touched,
        series=series,
        fit=2 * share * hit / (share + hit) * (1 - PENALTY * (len(together) - 1)),
    )


def _shares(found: Mapping[str, tuple[int, int, int | None]], total: int) -> tuple[Share, ...]:
    ranked = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    named = [
        Share(name, deviation, deviation / total, touched, None if series is None else max(touched, series))
        for name, (deviation, touched, series) in ranked[:MOST_SHARES]
    ]
    rest = [values for _, values in ranked[MOST_SHARES:]]
    if rest:
        deviation = sum(one for one, _, _ in rest)
        counts = [series for _, _, series in rest if series is not None]
        named.append(
            Share(
                "",
                deviation,
                deviation / total,
                sum(touched for _, touched, _ in rest),
                sum(counts) if len(counts) == len(rest) else None,
                len(rest),
            )
        )
    return tuple(named)


def _untouched(first: Place, touched: Collection[str], around: Surroundings) -> list[str]:
    return [
        series
        for series, key in around.keys.items()
        if series not in touched
        and (
            key.measure in first.measures
            or any(value in first.dimensions.get(name, ()) for name, value in key.dimensions)
        )
    ]
