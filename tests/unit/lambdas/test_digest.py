"""A day in one message: every incident is in one digest, and the counts are of all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.alerting.alert import alert_of, delivered
from lambdas.alerting.digest import (
    LISTED,
    Digest,
    DigestDue,
    digest_of,
    digest_text,
    looked_back_to,
    period_of,
)
from lambdas.alerting.formats import GSM_CHARACTERS, in_words, short_text
from lambdas.alerting.publishing import AlertReport, publish_digest
from tests.unit.lambdas.builders import BEGIN, make_notice, make_plan
from tests.unit.lambdas.fakes import AlertFakes
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.incidents.incident import Entry, Incident
from watchkeeper.incidents.progress import closed

PLAN = make_plan()
DUE = BEGIN + timedelta(days=1, hours=7)
CHANNEL = PLAN.alerts.routes[0].channel


def incident(minute: int, severity: float = 80.0, device: str = "a") -> Incident:
    found = make_notice(minute, severity, device).incident
    return replace(found, timeline=(Entry(found.opened_at, "opened", severity=severity),))


def digest(*incidents: Incident, due: datetime = DUE) -> Digest:
    return digest_of(PLAN, *period_of(due, PLAN), incidents, 3, "https://example.com/d")


def over(found: Incident) -> Incident:
    [change] = closed([found], 600).incidents
    return change


def test_it_says_what_opened_is_open_and_ended() -> None:
    day = 24 * 60
    made = digest(incident(10), over(incident(day, 90.0, "b")), over(incident(-day, 75.0, "c")))
    assert made.counts == {"opened": 1, "open": 1, "closed": 1, "silent": 0}
    assert [each.incident_id for each in made.open] == [incident(10).incident_id]
    assert made.opened == made.closed
    assert (made.alerts_of_week, made.alerts_budget) == (3, PLAN.gate.max_alerts_per_week)
    opened_at, last_at = made.open[0].opened_at, made.open[0].last_at
    assert parse_instant(opened_at) < parse_instant(last_at)
    link = f"https://example.com/d?start={opened_at}&end={last_at}"
    assert made.open[0].link.replace("%3A", ":") == link


@given(st.integers(-3000, 9000))
def test_each_incident_is_in_the_opened_ones_of_one_digest(minute: int) -> None:
    found = incident(minute)
    days = [digest(found, due=BEGIN + timedelta(days=day, hours=7)) for day in range(-4, 9)]
    assert [len(day.opened) for day in days].count(1) == 1
    assert all(earlier.until == later.since for earlier, later in pairwise(days))


def test_a_day_is_from_the_same_time_by_the_clocks_of_the_zone() -> None:
    plan = replace(PLAN, timestamp=TimestampPlan("time", "iso8601", "Europe/Vienna"))
    since, until = period_of(datetime(2026, 10, 25, 6, tzinfo=UTC), plan)  # the night has an hour more
    assert until - since == timedelta(hours=25)


def test_what_is_silent_is_named_and_long_lists_are_counted() -> None:
    silent = incident(1)
    silent = replace(silent, touched=tuple(replace(part, observed=None) for part in silent.touched))
    made = digest(silent, *(incident(minute) for minute in range(2, 40)))
    assert made.silent == ("pressure|device=a",)
    assert (made.counts["open"], len(made.open)) == (39, LISTED)
    assert "  and 19 more" in digest_text(made)


def test_it_is_read_as_it_was_written_and_fits_into_each_format() -> None:
    made = digest(*(incident(minute) for minute in range(40)))
    alert = alert_of(made, ["a"])
    assert delivered(alert.messages["sqs"]).event == made
    assert len(alert.subject) <= 100
    assert len(short_text(made, "UTC")) <= GSM_CHARACTERS
    for words in ("text", "markdown", "slack"):
        assert made.open[0].incident_id in in_words(words, made, "UTC")  # type: ignore[arg-type]


def test_a_route_is_told_of_all_that_it_must_know_and_one_that_is_gone_is_not() -> None:
    fakes = AlertFakes(PLAN)
    for each in (incident(24 * 60), over(incident(-3 * 24 * 60, device="b"))):
        fakes.incidents.incidents[each.incident_id] = each
    assert publish_digest(DigestDue("pump", CHANNEL), DUE, fakes.effects) == AlertReport((CHANNEL,), ())
    assert publish_digest(DigestDue("pump", "gone"), DUE, fakes.effects) == AlertReport((), ())
    [alert] = fakes.topic.alerts
    assert alert.subject == "[pump] digest: 1 opened, 1 open, 0 over"
    assert "Alerts:    2 in seven days" in alert.messages["email"]


@pytest.mark.parametrize("open_since", [None, 0])
def test_looks_back_for_whatever_may_be_in_it(open_since: int | None) -> None:
    since, until = period_of(DUE, PLAN)
    first = looked_back_to(since, until, 3600, open_since)
    expected = until - timedelta(days=7, hours=1)
    assert format_instant(first) == ("1970-01-01T00:00:00Z" if open_since == 0 else format_instant(expected))
