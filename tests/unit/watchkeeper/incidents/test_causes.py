"""What an incident is made of: shares that add up, the place that fits, what was not touched."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.incidents.anomalies import INTERVAL, anomaly
from watchkeeper.features.relations import Relation
from watchkeeper.incidents.causes import (
    MOST_SHARES,
    MOST_UNTOUCHED,
    Causes,
    Share,
    Surroundings,
    causes_of,
    in_words,
)
from watchkeeper.incidents.crowd import FALSE_ALARMS, crowd_of
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.touched import Touched, touched_by
from watchkeeper.telemetry.census import census_of

MEASURES = ("co", "no2", "so2")
STATIONS = tuple(f"B-{number}" for number in range(101, 113))
ALL = Surroundings(census_of([f"{measure}|station={place}" for measure in MEASURES for place in STATIONS]))


def _touched(observed: Mapping[str, float]) -> list[Touched]:
    return [touched_by([anomaly(series, 0, observed=value)]) for series, value in observed.items()]


def _everywhere(measures: Sequence[str], places: Sequence[str]) -> list[Touched]:
    return _touched({f"{measure}|station={place}": 13.0 for measure in measures for place in places})


def _first(causes: Causes) -> tuple[Mapping[str, tuple[str, ...]], set[str]]:
    return causes.places[0].dimensions, set(causes.places[0].measures)


@pytest.mark.parametrize("around", [ALL, Surroundings()])
def test_all_of_a_fault_at_one_station_is_there(around: Surroundings) -> None:
    causes = causes_of(_everywhere(("no2", "so2"), ["B-101"]), around)
    assert _first(causes) == ({"station": ("B-101",)}, {"no2", "so2"})
    [share] = causes.dimensions["station"]
    assert (share.name, share.share, share.touched) == ("B-101", 1.0, 2)
    assert share.series == (3 if around.keys else None)


def test_one_measure_at_every_station_is_everywhere() -> None:
    causes = causes_of(_everywhere(["no2"], STATIONS), ALL)
    assert _first(causes) == ({}, {"no2"})
    assert causes.n_untouched == 0


def test_a_few_stations_are_named_together() -> None:
    causes = causes_of(_everywhere(["no2"], STATIONS[:3]), ALL)
    assert _first(causes) == ({"station": STATIONS[:3]}, {"no2"})
    assert (causes.places[0].touched, causes.places[0].series, causes.places[0].share) == (3, 3, 1.0)
    assert causes.n_untouched == 9 + 2 * 3  # no2 elsewhere, the other measures at the three


def test_a_combination_of_values_is_a_place() -> None:
    around = Surroundings(census_of([f"load|site={site}|unit={unit}" for site in "ab" for unit in "xyz"]))
    causes = causes_of(_touched({"load|site=a|unit=y": 15.0}), around)
    assert _first(causes) == ({"site": ("a",), "unit": ("y",)}, {"load"})


def test_a_measure_with_next_to_nothing_is_not_named() -> None:
    long = touched_by([anomaly("no2|station=B-101", at, observed=19.0) for at in range(5)])
    [mild] = _touched({"co|station=B-101": 12.0})
    causes = causes_of([long, mild], ALL)
    assert causes.places[0].measures == ("no2",)
    assert causes.places[0].share == pytest.approx(45 / 47)


def test_the_untouched_are_counted_beyond_those_that_are_named() -> None:
    many = Surroundings(census_of([f"no2|station={number}" for number in range(500)]))
    causes = causes_of(_touched({"no2|station=7": 13.0}), many)
    assert (causes.n_untouched, len(causes.untouched)) == (499, MOST_UNTOUCHED)
    assert "no2|station=7" not in causes.untouched


def test_of_too_many_series_to_list_only_the_measures_counts_are_known() -> None:
    many = census_of([f"no2|station={number:05d}" for number in range(10_000)])
    assert (many.series, many.measures, many.dimensions) == ((), {"no2": 10_000}, {"station": 10_000})
    causes = causes_of(_touched({"no2|station=00007": 13.0}), Surroundings(many))
    assert _first(causes) == ({"station": ("00007",)}, {"no2"})
    assert (causes.measures[0].series, causes.dimensions["station"][0].series) == (10_000, None)
    assert causes.n_untouched is None


def test_series_that_the_release_does_not_know_count_as_known() -> None:
    causes = causes_of(_everywhere(["no2"], ["B-999"]), ALL)
    assert causes.measures[0].series == 13
    assert all(share.touched <= (share.series or 0) for share in causes.dimensions["station"])


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(MEASURES), st.integers(0, 90)),
        st.floats(-1e6, 1e6),
        min_size=1,
        max_size=120,
    ),
    st.randoms(use_true_random=False),
)
def test_shares_of_each_kind_add_up_whatever_the_order(
    observed: Mapping[tuple[str, int], float], order: random.Random
) -> None:
    touched = _touched({f"{measure}|station={place}": one for (measure, place), one in observed.items()})
    total = sum(part.deviation for part in touched)
    causes = causes_of(touched, ALL)
    kinds: list[tuple[Share, ...]] = [causes.measures, causes.features, *causes.dimensions.values()]
    for shares in kinds:
        assert sum(share.deviation for share in shares) == total
        assert sum(share.share for share in shares) == pytest.approx(1.0, abs=1e-12)
        assert len(shares) <= MOST_SHARES + 1
    assert sum(share.touched for share in causes.measures) == len(touched)
    assert sum(share.values for share in causes.dimensions["station"]) == len({at for _, at in observed})
    order.shuffle(touched)
    assert causes_of(touched, ALL) == causes


def test_a_crowd_of_many_series_is_larger_than_what_chance_makes() -> None:
    def of(series: int, anomalous: int) -> int:
        around = Surroundings(census_of([f"no2|station={number}" for number in range(series)]))
        events = [anomaly(f"no2|station={number}", number % 4) for number in range(anomalous)]
        return len(incidents_of(events, GroupingRule(gap_seconds=3 * INTERVAL), around))

    assert of(100, 3) == 1
    assert of(2_000, 5) == 5
    assert of(2_000, 20) == 1


@given(st.integers(0, 100_000), st.integers(1, 20), st.integers(1, 10))
def test_a_crowd_grows_with_the_series_and_is_never_less_than_the_rule_says(
    series: int, intervals: int, least: int
) -> None:
    crowd = crowd_of(series, intervals, least)
    assert least <= crowd <= crowd_of(series + 1_000, intervals, least)
    assert crowd == least or crowd > series * intervals * FALSE_ALARMS


def test_what_the_history_shows_of_its_measures_is_told_without_a_cause() -> None:
    before = Relation("no2", "so2", 600, 0.62, 2300)
    around = Surroundings(ALL.census, [before, Relation("co", "so2", 0, -0.3, 2300)])
    causes = causes_of(_everywhere(("no2", "so2"), ["B-101"]), around)
    assert causes.relations == (before,)
    words = in_words(before)
    assert words == "in the history no2 moved 10 minutes before so2 (correlation 0.62 over 2,300 intervals)"
    assert "at the same time as so2 in the opposite direction" in in_words(around.relations[1])


def test_an_incident_has_its_causes_and_is_read_back_with_them() -> None:
    events = [anomaly(f"{measure}|station=B-101", 0) for measure in ("no2", "so2")]
    [incident] = incidents_of(events, GroupingRule(gap_seconds=3 * INTERVAL), ALL)
    assert incident.causes is not None
    assert incident.causes.places[0].dimensions == {"station": ("B-101",)}
    assert type(incident).from_json(incident.to_json()) == incident
