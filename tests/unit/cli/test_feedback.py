"""`watchkeeper feedback`: what was said is kept, listed, exported and taken back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import feedback as verb
from cli.main import app
from lambdas.adapters.incident_store import Book
from tests.unit.lambdas.fakes import FakeIncidentStore
from tests.unit.watchkeeper.incidents.anomalies import anomaly
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.progress import Change
from watchkeeper.telemetry.labels import read_labels


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeIncidentStore:
    store = FakeIncidentStore()
    found = incidents_of([anomaly("no2|station=b", at) for at in (0, 1, 50)], GroupingRule(gap_seconds=900))
    kept = [Incident.from_dict({**each.to_dict(), "workload": "air_quality"}) for each in found]
    store.commit("air_quality", Book(), Book(), Change(tuple(kept)))
    monkeypatch.setattr(verb, "store_of", lambda session: store)
    return store


def run(*arguments: str, fails: bool = False) -> str:
    done = CliRunner().invoke(app, ["feedback", *arguments])
    assert (done.exit_code != 0) == fails, done.output
    return " ".join(f"{done.output} {done.exception or ''}".split())


def test_what_is_said_is_kept_listed_exported_and_taken_back(
    store: FakeIncidentStore, tmp_path: Path
) -> None:
    first, second = store.incidents
    assert f"{first} was real: " in run(first, "--real", "--by", "mia")
    run(second, "--noise", "--note", "a test", "--by", "ben")
    assert store.incidents[second].feedback == "noise"
    assert [entry.note for entry in store.incidents[second].timeline] == ["noise: a test"]

    listed = run("air_quality", "--list")
    assert "a test" in listed
    assert "no2|station=b above what is expected: the limit is severity 79.0" in listed
    lines, table = tmp_path / "labels.json", tmp_path / "verdicts.csv"
    run("air_quality", "--export", str(lines))
    windows = read_labels(lines).windows
    assert isinstance(windows, dict)
    assert len(windows["no2|station=b"]) == 1
    run("air_quality", "--export", str(table))
    with table.open() as file:
        assert [(row["incident_id"], row["verdict"], row["who"]) for row in csv.DictReader(file)] == sorted(
            [(first, "real", "mia"), (second, "noise", "ben")]
        )

    run(second, "--undo", "--by", "ben")
    assert store.incidents[second].feedback is None
    kept = CliRunner().invoke(app, ["feedback", "air_quality", "--list", "--json"]).output.splitlines()
    assert [json.loads(line)["incident_id"] for line in kept] == [first]
    assert "nothing to undo" in run(second, "--undo", "--by", "ben", fails=True)


def test_what_cannot_be_done_is_said(store: FakeIncidentStore, tmp_path: Path) -> None:
    [first, _] = store.incidents
    assert "not --real and --noise" in run(first, "--real", "--noise", fails=True)
    assert "give one of --real" in run(first, fails=True)
    assert "--note goes with" in run(first, "--undo", "--note", "why", fails=True)
    assert "--json goes with" in run(first, "--real", "--json", fails=True)
    assert "there is no incident 'nothing'" in run("nothing", "--real", "--by", "mia", fails=True)
    assert "nobody has judged" in run("air_quality", "--export", str(tmp_path / "a.csv"), fails=True)
    assert ".json or .csv" in run("air_quality", "--export", str(tmp_path / "a.txt"), fails=True)
    assert "nobody has judged" in run("air_quality", "--list")
