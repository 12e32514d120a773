"""Titles, reasons, deviation and severity of the whole."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.incidents.anomalies import INTERVAL, anomaly
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY
from watchkeeper.features.contributions import Contribution
from watchkeeper.incidents.causes import Surroundings
from watchkeeper.incidents.deviation import LARGEST, THOUSANDTHS, deviation_of
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.reasons import reason_of
from watchkeeper.incidents.severity import severity_of
from watchkeeper.incidents.touched import Touched, touched_by
from watchkeeper.telemetry.census import census_of

RULE = GroupingRule(gap_seconds=3 * INTERVAL)
AROUND = Surroundings(
    census_of([f"{name}|LOCATION_ID=B-{n}" for name in ("co", "NO2", "SO2") for n in range(101, 113)])
)


def _made_of(event: AnomalyEvent, feature: str) -> AnomalyEvent:
    return dataclasses.replace(event, contributions=(Contribution(feature, "no2", None, event.score),))


def _titles(events: list[AnomalyEvent], around: Surroundings = AROUND) -> list[str]:
    return [incident.title for incident in incidents_of(events, RULE, around)]


@pytest.mark.parametrize(
    ("events", "title"),
    [
        (
            [anomaly(f"{name}|LOCATION_ID=B-101", at) for name in ("NO2", "SO2") for at in (0, 2)],
            "NO2 and SO2 high at B-101 since 22:15, 1 of 12 locations",
        ),
        (
            [anomaly(f"NO2|LOCATION_ID=B-{n}", 0, observed=5.0) for n in (101, 102, 103)],
            "NO2 low at B-101, B-102 and B-103 since 22:15, 3 of 12 locations",
        ),
        (
            [anomaly(f"NO2|LOCATION_ID=B-{n}", 0) for n in range(101, 113)],
            "NO2 high at all 12 locations since 22:15",
        ),
        (
            [anomaly(f"NO2|LOCATION_ID=B-{n}", 0) for n in range(101, 112)],
            "NO2 high at 11 of 12 locations since 22:15",
        ),
        (
            [_made_of(anomaly("NO2|LOCATION_ID=B-101", 0, observed=10.5), "pattern")],
            "NO2 of unusual shape at B-101 since 22:15, 1 of 12 locations",
        ),
        (
            [anomaly("NO2|LOCATION_ID=B-101", 0, observed=None)],
            "NO2 silent at B-101 since 22:15, 1 of 12 locations",
        ),
        (
            [anomaly("NO2|LOCATION_ID=B-101", 0), anomaly("co|LOCATION_ID=B-101", 0, observed=1.0)],
            "co low, NO2 high at B-101 since 22:15, 1 of 12 locations",
        ),
    ],
)
def test_a_title_says_what_is_wrong_where_and_since_when(events: list[AnomalyEvent], title: str) -> None:
    assert _titles(events) == [title]


def test_a_title_of_a_series_without_dimensions_or_of_an_unknown_fleet_says_what_it_knows() -> None:
    assert _titles([anomaly("temperature", 0)], Surroundings()) == ["temperature high since 22:15"]
    assert _titles([anomaly("no2|LOCATION_ID=a", 0)], Surroundings()) == ["no2 high at a since 22:15"]


def test_a_title_says_the_time_in_the_zone_of_the_source() -> None:
    berlin = Surroundings(timezone="Europe/Berlin")
    assert _titles([anomaly("temperature", 0)], berlin) == ["temperature high since 23:15"]


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("pattern", "by its shape: the last intervals"),
        ("calm", "by its shape: it moves less"),
        ("profile", "by its level: unusual for this hour"),
        ("unexplained", "why is not known"),
    ],
)
def test_a_value_inside_its_band_is_never_called_anomalous_without_saying_why(
    feature: str, words: str
) -> None:
    event = _made_of(anomaly("no2", 0, observed=10.5), feature)
    assert words in reason_of(touched_by([event]))
    assert "inside its usual range (10 expected, 9 to 11 usual)" in reason_of(touched_by([event]))


def test_a_value_outside_its_band_is_told_with_the_band_that_it_was_judged_with() -> None:
    told = reason_of(touched_by([anomaly("no2", 0, observed=8.0)]))
    assert told == "8, below its usual range (10 expected, 9 to 11 usual)"
    assert "nothing" in reason_of(touched_by([anomaly("no2", 0, observed=None)]))


def test_a_deviation_is_in_half_widths_of_the_band_from_one_to_ten() -> None:
    def of(observed: float | None, score: float = 1.1) -> float:
        return deviation_of(anomaly("no2", 0, observed=observed, score=score)) / THOUSANDTHS

    assert of(13.0) == of(7.0) == 3.0
    assert of(10.5) == of(None) == 1.1
    assert of(1e9) == LARGEST
    flat = dataclasses.replace(anomaly("no2", 0, observed=11.0), upper=10.0, lower=10.0)
    assert deviation_of(flat) == LARGEST * THOUSANDTHS
    unlimited = dataclasses.replace(anomaly("no2", 0), score=0.5, threshold=0.0, observed=None)
    assert deviation_of(unlimited) == THOUSANDTHS


def _parts(severities: list[float], intervals: int = 1) -> list[Touched]:
    return [
        touched_by([anomaly(f"no2|station={place}", at, severity=severity) for at in range(intervals)])
        for place, severity in enumerate(severities)
    ]


def test_one_anomaly_alone_is_as_severe_as_it_is() -> None:
    assert severity_of(_parts([83.25])) == 83.25


def test_many_mild_anomalies_are_one_severe_incident() -> None:
    assert severity_of(_parts([72.0] * 3)) > 80
    assert severity_of(_parts([72.0] * 8)) > 93
    assert 74 < severity_of(_parts([72.0], intervals=12)) < 85


@given(
    st.lists(st.floats(THRESHOLD_SEVERITY, MAX_SEVERITY), min_size=1, max_size=30),
    st.floats(THRESHOLD_SEVERITY, MAX_SEVERITY),
    st.randoms(use_true_random=False),
)
def test_more_anomalies_never_make_an_incident_less_severe(
    severities: list[float], more: float, order: random.Random
) -> None:
    before = severity_of(_parts(severities))
    after = severity_of(_parts([*severities, more]))
    assert max(severities) <= before <= after + 1e-9
    assert after <= MAX_SEVERITY
    parts = _parts(severities)
    order.shuffle(parts)
    assert math.isclose(severity_of(parts), before, rel_tol=0, abs_tol=0)
