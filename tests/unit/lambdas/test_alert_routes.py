"""Which routes are told of an incident."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.alerting.alert import Delivered, alert_of, announced, delivered
from lambdas.alerting.formats import Announced
from lambdas.alerting.routing import routes_of, within
from tests.unit.lambdas.builders import make_event, make_notice
from watchkeeper.anomalies.quality import QUALITY_DETAIL_TYPE, QualityEvent
from watchkeeper.core.plan import AlertPlan, AlertRoute, HoursPlan, RouteFilter, SeriesSelection
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import Told, notice_of

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
"""A Monday."""


def nothing_more(incident_id: str) -> Incident | None:
    raise AssertionError("the notice has all series: nobody needs to ask for the whole incident")


def told(notice: Announced, *routes: AlertRoute, at: datetime = NOON) -> list[str]:
    found = routes_of(notice, at, AlertPlan(routes), nothing_more)
    return [route.channel for route in found]


@pytest.mark.parametrize(
    ("severity", "channels"), [(69.9, []), (70.0, ["operations"]), (95.0, ["operations", "oncall"])]
)
def test_severity_decides_who_is_told(severity: float, channels: list[str]) -> None:
    routes = (AlertRoute("operations", 70.0), AlertRoute("oncall", 90.0))
    assert told(make_notice(severity=severity), *routes) == channels


@pytest.mark.parametrize(
    ("what", "channels"),
    [("opened", ["usual", "first"]), ("escalated", ["usual"]), ("closed", ["last"])],
)
def test_a_route_tells_the_moments_that_it_names(what: Told, channels: list[str]) -> None:
    routes = (AlertRoute("usual"), AlertRoute("first", when=("opening",)), AlertRoute("last", when=("end",)))
    assert told(make_notice(what=what), *routes) == channels


def only(selection: SeriesSelection) -> AlertRoute:
    return AlertRoute("a", only=RouteFilter(series=(SeriesSelection("other"), selection)))


@pytest.mark.parametrize(
    ("selection", "is_told"),
    [
        (SeriesSelection("pressure"), True),
        (SeriesSelection("flow"), False),
        (SeriesSelection(where={"device": ("a", "c")}), True),
        (SeriesSelection("pressure", {"device": ("b",)}), False),
    ],
)
def test_a_route_is_about_the_series_that_it_names(selection: SeriesSelection, is_told: bool) -> None:
    assert bool(told(make_notice(), only(selection))) == is_told


def test_measure_value_and_direction_have_to_be_of_one_series() -> None:
    events = [make_event(0, device="a", observed=90.0), make_event(0, device="b", observed=1.0)]
    [incident] = incidents_of(events, GroupingRule(gap_seconds=180, together_at_least=2))
    notice = notice_of("opened", incident, events[0])
    of_a = (SeriesSelection(where={"device": ("a",)}),)
    above, below = (AlertRoute(side, only=RouteFilter(of_a, side)) for side in ("above", "below"))
    assert told(notice, above, below) == ["above"]


def test_series_that_the_notice_leaves_out_are_looked_up() -> None:
    events = [make_event(0, device=f"d{number:04}" + "x" * 200) for number in range(200)]
    [incident] = incidents_of(events, GroupingRule(gap_seconds=180))
    notice = notice_of("opened", incident, events[0])
    shown = {part.series for part in notice.incident.touched}
    hidden = next(part.series for part in incident.touched if part.series not in shown)
    route = only(SeriesSelection(where={"device": (hidden.partition("device=")[2],)}))
    asked: list[str] = []

    def whole(incident_id: str) -> Incident | None:
        asked.append(incident_id)
        return incident

    assert routes_of(notice, NOON, AlertPlan((route,)), whole) == [route]
    assert asked == [incident.incident_id]
    assert routes_of(notice, NOON, AlertPlan((AlertRoute("all"),)), nothing_more) != []


def test_nobody_is_told_of_an_incident_that_is_snoozed() -> None:
    notice = make_notice(what="escalated")
    snoozed = replace(notice, incident=replace(notice.incident, snoozed_until="2026-11-30T13:00:00Z"))
    assert told(snoozed, AlertRoute("a")) == []
    assert told(snoozed, AlertRoute("a"), at=NOON + timedelta(hours=1)) == ["a"]


@pytest.mark.parametrize(
    ("hours", "at", "is_within"),
    [
        (HoursPlan(480, 1080), "2026-11-30T08:00", True),
        (HoursPlan(480, 1080), "2026-11-30T18:00", False),
        (HoursPlan(480, 1080, days=(5, 6)), "2026-11-30T12:00", False),
        (HoursPlan(1320, 360, days=(0,)), "2026-11-30T22:00", True),
        (HoursPlan(1320, 360, days=(0,)), "2026-12-01T05:59", True),
        (HoursPlan(1320, 360, days=(0,)), "2026-11-30T05:59", False),
        (HoursPlan(0, 1440, days=(1,)), "2026-11-30T23:30", False),
        (HoursPlan(0, 1440, days=(1,), timezone="Europe/Vienna"), "2026-11-30T23:30", True),
        # summer time: 06:30 UTC is 08:30 in Vienna in July, and 07:30 in November
        (HoursPlan(480, 1080, timezone="Europe/Vienna"), "2026-07-30T06:30", True),
        (HoursPlan(480, 1080, timezone="Europe/Vienna"), "2026-11-30T06:30", False),
    ],
)
def test_hours_are_those_of_the_clocks_of_their_zone(hours: HoursPlan, at: str, is_within: bool) -> None:
    assert within(hours, datetime.fromisoformat(at).replace(tzinfo=UTC)) == is_within


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 7 * 1440 - 1))
def test_hours_and_the_hours_between_them_are_all_hours(begin: int, end: int, minute: int) -> None:
    if begin == end:
        return
    at = NOON + timedelta(minutes=minute)
    assert within(HoursPlan(begin, end), at) != within(HoursPlan(end, begin), at)


def test_a_filter_by_hours_takes_the_time_of_the_alert_bus() -> None:
    route = AlertRoute("day", only=RouteFilter(hours=HoursPlan(480, 1080)))
    assert told(make_notice(), route) == ["day"]
    assert told(make_notice(), route, at=NOON.replace(hour=20)) == []


def quality_event(**changes: Any) -> QualityEvent:
    event = QualityEvent(
        workload="pumps",
        signal="missing",
        measure="flow",
        began=True,
        interval_start="2026-11-30T11:55:00Z",
        interval_seconds=300,
        since="2026-11-30T11:58:00Z",
        share=0.0,
        of=40,
        usual=0.96,
        severity=94.0,
    )
    return replace(event, **changes)


def test_data_quality_reaches_routes_that_ask_for_no_series_and_no_other_kind() -> None:
    routes = (
        AlertRoute("all"),
        AlertRoute("values", only=RouteFilter(kind="incident")),
        AlertRoute("feeds", when=("opening", "end"), only=RouteFilter(kind="data_quality")),
        AlertRoute("flow", only=RouteFilter((SeriesSelection("pressure"),))),
        AlertRoute("severe", 95.0),
    )
    event = quality_event()
    assert told(event, *routes) == ["all", "feeds"]
    assert told(replace(event, began=False, severity=70.0), *routes) == ["feeds"]
    assert told(make_notice(), *routes) == ["all", "values", "flow"]


def test_what_is_told_of_data_quality_is_read_back_and_says_what_is_wrong() -> None:
    event = quality_event()
    alert = alert_of(event, ["feeds"])
    assert delivered(alert.messages["sqs"]) == Delivered(event, ("feeds",))
    assert alert.subject == "[pumps] data quality: missing flow, severity 94 (limit 70)"
    assert "flow has 0% of 40 possible values; usual is 96% at least" in alert.messages["email"]
    assert "Since:     2026-11-30 11:58 UTC" in alert.messages["email"]
    assert event.alert_id != replace(event, began=False).alert_id
    message = {"detail-type": QUALITY_DETAIL_TYPE, "detail": event.to_dict(), "time": "2026-11-30T12:00:00Z"}
    assert announced(json.dumps(message)) == (event, NOON)
