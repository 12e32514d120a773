"""Which anomalies are one incident, whatever their order."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.incidents.anomalies import EPOCH, INTERVAL, anomaly
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.documents import plain
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.incidents.grouping import GroupingRule, grown_by, incidents_of
from watchkeeper.incidents.incident import Incident, incident_id
from watchkeeper.incidents.touched import joined, touched_by
from watchkeeper.telemetry.series import parse_series_key

RULE = GroupingRule(gap_seconds=3 * INTERVAL)
PAIRED = GroupingRule(
    gap_seconds=INTERVAL, quiet_seconds=2 * INTERVAL, together_at_least=3, pairs=frozenset({("no2", "so2")})
)


def _members(incidents: Sequence[Incident]) -> list[set[tuple[str, int]]]:
    return [
        {
            (part.series, (start - EPOCH) // INTERVAL)
            for part in incident.touched
            for start in part.starts(INTERVAL, 0, 1 << 40)
        }
        for incident in incidents
    ]


def _grown(batches: Sequence[Sequence[AnomalyEvent]], rule: GroupingRule) -> list[Incident]:
    """Return the incidents after each batch was taken in, as a store keeps them."""
    kept: dict[str, Incident] = {}
    for batch in batches:
        for grown in grown_by(tuple(kept.values()), batch, rule):
            for earlier in grown.before:
                del kept[earlier.incident_id]
            kept[grown.incident.incident_id] = grown.incident
    return sorted(kept.values(), key=lambda incident: (incident.opened_at, incident.incident_id))


def _of_anomalies(incidents: Sequence[Incident]) -> list[Incident]:
    """Leave out what tells how an incident came about."""
    return [dataclasses.replace(incident, former_ids=()) for incident in incidents]


def test_measures_of_one_place_are_one_incident() -> None:
    events = [anomaly("no2|station=b", 0), anomaly("so2|station=b", 2), anomaly("co|station=b", 6)]
    [incident] = incidents_of(events, RULE)
    assert incident.incident_id == incident_id("air", "no2|station=b", EPOCH, INTERVAL)
    assert (incident.opened - EPOCH, incident.last - EPOCH) == (0, 7 * INTERVAL)


def test_two_places_that_fail_at_the_same_time_are_two_incidents() -> None:
    events = [anomaly(f"{measure}|station={place}", 0) for measure in ("no2", "so2") for place in "ab"]
    assert len(incidents_of(events, RULE)) == 2


def test_a_crowd_of_one_measure_is_one_incident() -> None:
    events = [anomaly(f"no2|station={place}", at) for place, at in (("a", 0), ("b", 3), ("c", 4))]
    assert len(incidents_of(events, RULE)) == 1
    assert len(incidents_of([*events[:2], anomaly("no2|station=c", 5)], RULE)) == 3


def test_quiet_longer_than_the_gap_parts_incidents() -> None:
    assert len(incidents_of([anomaly("no2", 0), anomaly("no2", 4)], RULE)) == 1
    assert len(incidents_of([anomaly("no2", 0), anomaly("no2", 5)], RULE)) == 2


def test_measures_that_moved_together_are_one_incident_where_a_value_is_shared() -> None:
    events = [anomaly("no2|city=b|station=1", 0), anomaly("so2|city=b|station=2", 2)]
    assert len(incidents_of(events, PAIRED)) == 1
    assert len(incidents_of([events[0], anomaly("so2|city=c|station=2", 2)], PAIRED)) == 2
    assert len(incidents_of([events[0], anomaly("no2|city=b|station=2", 2)], PAIRED)) == 2


def test_a_late_anomaly_joins_two_incidents_under_the_older_id() -> None:
    first, between, last = (anomaly("no2", at) for at in (0, 4, 8))
    older, newer = _grown([[last], [first]], RULE)
    [incident] = _grown([[last], [first], [between]], RULE)
    assert incident.incident_id == older.incident_id
    assert incident.former_ids == (newer.incident_id,)


def test_an_earlier_anomaly_renames_the_incident() -> None:
    [was] = _grown([[anomaly("no2", 4)]], RULE)
    [incident] = _grown([[anomaly("no2", 4)], [anomaly("no2", 2)]], RULE)
    assert incident.incident_id == incident_id("air", "no2", EPOCH + 2 * INTERVAL, INTERVAL)
    assert incident.former_ids == (was.incident_id,)


def test_what_came_before_changes_nothing() -> None:
    events = [anomaly("no2", at) for at in (0, 1, 3)]
    assert grown_by(incidents_of(events, RULE), events, RULE) == ()


def test_anomalies_of_another_interval_length_are_incidents_of_their_own() -> None:
    hourly = dataclasses.replace(anomaly("no2", 0), interval_seconds=3600)
    assert len(incidents_of([anomaly("no2", 0), hourly], RULE)) == 2


def test_a_name_that_is_no_series_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not of the form dimension=value"):
        incidents_of([anomaly("no2|station", 0)], RULE)


SERIES = [
    f"{measure}|city={city}|station={station}"
    for measure in ("no2", "so2", "co")
    for city in "ab"
    for station in "12"
]
EVENTS = st.lists(
    st.builds(
        lambda series, at, severity, score: anomaly(series, at, severity=severity, score=score),
        st.sampled_from(SERIES),
        st.integers(0, 30),
        st.sampled_from([70.0, 80.0, 95.0]),
        st.floats(1.0, 9.0),
    ),
    max_size=25,
    unique_by=lambda event: (event.series, event.at),
)


def _by_definition(events: Sequence[AnomalyEvent], rule: GroupingRule) -> set[frozenset[tuple[str, int]]]:
    reach = rule.reach_seconds(INTERVAL)
    traits = [{parse_series_key(e.series).measure, *parse_series_key(e.series).dimensions} for e in events]
    groups = [{index} for index in range(len(events))]

    def linked(one: int, other: int) -> bool:
        a, b = events[one], events[other]
        key, other_key = parse_series_key(a.series), parse_series_key(b.series)
        if key.dimensions == other_key.dimensions:
            return abs(a.at - b.at) <= rule.longest_reach_seconds(INTERVAL)
        if abs(a.at - b.at) > reach:
            return False
        pair = (key.measure, other_key.measure)
        if {pair, pair[::-1]} & rule.pairs and set(key.dimensions) & set(other_key.dimensions):
            return True
        for trait in traits[one] & traits[other]:
            for begin in {event.at for event in events}:
                inside = [
                    index
                    for index, event in enumerate(events)
                    if trait in traits[index] and begin <= event.at <= begin + reach
                ]
                crowd = len({events[index].series for index in inside}) >= rule.together_at_least
                if crowd and one in inside and other in inside:
                    return True
        return False

    for one, other in itertools.combinations(range(len(events)), 2):
        if linked(one, other):
            [mine] = [group for group in groups if one in group]
            [theirs] = [group for group in groups if other in group]
            if mine is not theirs:
                groups.remove(theirs)
                mine |= theirs
    return {
        frozenset((events[i].series, (events[i].at - EPOCH) // INTERVAL) for i in group) for group in groups
    }


@given(EVENTS, st.sampled_from([RULE, PAIRED, GroupingRule(0, together_at_least=2)]))
def test_incidents_are_the_connected_components_of_the_definition(
    events: list[AnomalyEvent], rule: GroupingRule
) -> None:
    assert set(map(frozenset, _members(incidents_of(events, rule)))) == _by_definition(events, rule)


@given(EVENTS, st.sampled_from([RULE, PAIRED]), st.data())
def test_order_batches_and_duplicates_change_nothing(
    events: list[AnomalyEvent], rule: GroupingRule, data: st.DataObject
) -> None:
    whole = incidents_of(events, rule)
    again = data.draw(st.lists(st.sampled_from(events), max_size=10)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=6)))
    batches = [shuffled[a:b] for a, b in itertools.pairwise([0, *cuts, len(shuffled)])]
    assert _of_anomalies(_grown(batches, rule)) == list(whole)


@given(st.lists(st.integers(0, 40), unique=True, min_size=1), st.data())
def test_a_series_adds_up_alike_however_it_is_parted(starts: list[int], data: st.DataObject) -> None:
    events = [anomaly("no2", at, severity=70 + at % 3, score=1 + at / 7) for at in starts]
    cut = data.draw(st.integers(0, len(events)))
    parts = [touched_by(part) for part in (events[:cut], events[cut:]) if part]
    whole = touched_by(sorted(events, key=lambda event: event.at))
    assert joined(parts, INTERVAL) == whole
    assert sum(whole.contributions.values()) == whole.deviation
    assert [at for at in range(41) if whole.holds(EPOCH + at * INTERVAL, INTERVAL)] == sorted(starts)
    assert list(whole.starts(INTERVAL, EPOCH + 900, EPOCH + 3000)) == [
        EPOCH + at * INTERVAL for at in sorted(starts) if 3 <= at <= 10
    ]


def test_a_copy_says_what_it_leaves_out() -> None:
    [incident] = incidents_of([anomaly(f"m{index}", 0, score=1 + index) for index in range(5)], RULE)
    short = incident.shortened(len(json.dumps(plain(incident.touched[:2]))))
    assert [part.series for part in short.touched] == ["m4", "m3"]
    assert short.left_out == {"touched": 3, "causes": 1}
    assert incident.shortened(100_000) == incident
    assert Incident.from_json(short.to_json()) == short


def test_what_comes_to_a_place_before_its_incident_is_over_is_of_it() -> None:
    rule = GroupingRule(gap_seconds=INTERVAL, quiet_seconds=6 * INTERVAL)
    assert len(incidents_of([anomaly("no2|station=a", 0), anomaly("so2|station=a", 7)], rule)) == 1
    assert len(incidents_of([anomaly("no2|station=a", 0), anomaly("so2|station=a", 8)], rule)) == 2
    assert (
        len(
            incidents_of(
                [anomaly(f"no2|station={place}", at) for place, at in zip("abc", (0, 3, 6), strict=True)],
                rule,
            )
        )
        == 3
    )
