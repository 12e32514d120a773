"""The verbs that show incidents."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli import incidents as verbs
from cli.main import app
from lambdas.adapters.incident_store import Book
from tests.unit.lambdas.fakes import FakeIncidentStore
from tests.unit.watchkeeper.incidents.anomalies import anomaly
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.grouping import GroupingRule, grown_by
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.progress import Change, after_anomalies

RULE = GroupingRule(gap_seconds=900)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Incident]:
    """Two incidents of air_quality, of which the later one is severe."""
    store = FakeIncidentStore()
    events = [
        anomaly("no2|station=b", 0),
        anomaly("so2|station=b", 1),
        anomaly("no2|station=b", 50, severity=95),
    ]
    change = after_anomalies(grown_by((), events, RULE), watermark=0, closes_after=1800)
    found = [Incident.from_dict({**each.to_dict(), "workload": "air_quality"}) for each in change.incidents]
    store.commit("air_quality", Book(), Book(), Change(tuple(found)))
    monkeypatch.setattr(verbs, "_store", lambda: store)
    monkeypatch.setattr(verbs, "_zone", lambda workload: "Europe/Vienna")
    return found


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_lists_the_newest_first(kept: list[Incident]) -> None:
    first, second = kept
    since, until = format_instant(first.opened), format_instant(second.opened + 1)
    listing = ("incidents", "air_quality", "--from", since, "--to", until)
    lines = run(*listing, "--json").splitlines()
    assert [json.loads(line)["incident_id"] for line in lines] == [second.incident_id, first.incident_id]
    severe = run(*listing, "--severity-at-least", "94")
    assert second.incident_id in severe
    assert first.incident_id not in severe
    assert "2 others began in that time" in " ".join(run(*listing, "--state", "closed").split())
    before = run("incidents", "air_quality", "--from", "2000-01-01", "--to", since)
    assert "no incident of air_quality that was asked for" in before
    newest = run("incidents", "air_quality", "--limit", "1")
    assert second.incident_id in newest
    assert "the newest 1 are shown" in newest
    assert "limit 70" in newest


def test_shows_one_with_what_it_is_made_of(kept: list[Incident]) -> None:
    shown = run("incident", kept[0].incident_id)
    for part in (
        kept[0].title,
        "2 series",
        "By station: 100% b",
        "no2|station=b",
        "opened, severity",
        "(limit 70)",
        " CE",
    ):
        assert part in shown
    assert Incident.from_json(run("incident", kept[0].incident_id, "--json")) == kept[0]


def test_an_unknown_id_says_what_to_do(kept: list[Incident]) -> None:
    done = CliRunner().invoke(app, ["incident", "nothing"])
    assert done.exit_code != 0
    assert "watchkeeper incidents WORKLOAD" in " ".join(f"{done.output} {done.exception}".split())
