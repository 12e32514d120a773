"""What people do about an incident stays, whatever comes to it later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.lambdas.builders import make_event
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.incidents.grouping import GroupingRule, grown_by
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.progress import Change, after_anomalies, closed
from watchkeeper.incidents.response import acknowledged, assigned, snoozed

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
RULE = GroupingRule(gap_seconds=300)


def change(known: list[Incident], minute: int, severity: float, at: datetime = NOW) -> Change:
    event = make_event(minute, severity)
    return after_anomalies(
        grown_by(known, [event], RULE),
        watermark=event.at + event.interval_seconds,
        closes_after=1800,
        arrived=epoch_seconds(at),
    )


def opened() -> Incident:
    return change([], 0, 75.0).incidents[0]


def test_who_acknowledges_is_in_the_timeline_and_again_changes_nothing() -> None:
    found = acknowledged(opened(), "mia", NOW, "pump is being changed")
    assert found.state == "acknowledged"
    last = found.timeline[-1]
    assert (last.what, last.who, last.note) == ("acknowledged", "mia", "pump is being changed")
    assert acknowledged(found, "ben", NOW) == found
    assert assigned(assigned(found, "team", "mia", NOW), "team", "ben", NOW).timeline[-1].who == "mia"


def test_it_stays_acknowledged_and_assigned_as_it_grows() -> None:
    found = assigned(acknowledged(opened(), "mia", NOW), "ben", "mia", NOW)
    [grown] = change([found], 2, 76.0).incidents
    assert (grown.state, grown.assigned_to, len(grown.timeline)) == ("acknowledged", "ben", 3)


def test_what_is_worse_while_snoozed_is_told_afterwards_and_once() -> None:
    until = NOW + timedelta(hours=1)
    found = snoozed(opened(), until, "mia", NOW)
    during = change([found], 1, 99.0)
    assert during.notices == ()
    assert during.incidents[0].snoozed_until == format_instant(until)
    after = change(list(during.incidents), 2, 80.0, at=until)
    assert [notice.what for notice in after.notices] == ["escalated"]
    assert change(list(after.incidents), 3, 80.0, at=until).notices == ()


def test_a_time_that_is_past_and_an_incident_that_is_over_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="is past"):
        snoozed(opened(), NOW, "mia", NOW)
    [over] = closed([opened()], 1800).incidents
    with pytest.raises(InvalidInputError, match="is closed since"):
        acknowledged(over, "mia", NOW)
    with pytest.raises(InvalidInputError, match="is closed since"):
        snoozed(over, NOW + timedelta(hours=1), "mia", NOW)
