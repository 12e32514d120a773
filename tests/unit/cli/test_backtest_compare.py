"""`watchkeeper backtest --compare`: two versions of a workload file over one history, without a cloud."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.comparison.reading import read_history
from cli.export import write_tables
from cli.main import app
from tests.unit.watchkeeper.backtest.histories import csv_of, readings_of
from watchkeeper.anomalies import merged
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.timestamps import EPOCH, format_instant
from watchkeeper.incidents.feedback import Mark, Verdict
from watchkeeper.spec import load_workload

WORKLOAD = """
name: plant
kind: anomaly
source:
  topic: plant/+
  timestamp: {field: t, format: iso8601}
measures:
  - {field: m, name: m, aggregate: avg}
  - {field: n, name: n, aggregate: avg}
dimensions: [device]
interval: 1m
lateness: 2m
detector: {algorithm: watchkeeper}
threshold: {rule: rarity, rarity: 3}
alerts:
  routes:
    - {channel: operators}
    - {channel: on_call, severity_at_least: 90}
training: {instance_type: ml.m5.large}
"""
LABELS = [["1970-01-01T21:38:00Z", "1970-01-01T21:45:00Z"], ["1970-01-01T23:00:00Z", "1970-01-01T23:10:00Z"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a workload whose threshold has been changed since."""
    (tmp_path / "history.csv").write_bytes(csv_of(readings_of()))
    (tmp_path / "labels.json").write_text(json.dumps(LABELS))
    workload = tmp_path / "plant.yaml"
    workload.write_text(WORKLOAD)
    for command in (["init", "-q"], ["add", "plant.yaml"], ["commit", "-qm", "as it was"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *command], check=True)
    workload.write_text(WORKLOAD.replace("rarity: 3}", "rarity: 9}"))
    return tmp_path


def run(folder: Path, *more: str, before: str = "HEAD", fails: bool = False) -> str:
    arguments = ["backtest", "--compare", before, str(folder / "plant.yaml")]
    result = CliRunner().invoke(app, [*arguments, "--history", str(folder / "history.csv"), *more])
    assert result.exit_code == (2 if fails else 0), result.output
    return " ".join(result.output.split())


def document(folder: Path, *more: str, before: str = "HEAD") -> Any:
    return json.loads(run(folder, "--json", *more, before=before))


def test_a_rarer_threshold_lets_incidents_go_and_the_file_at_the_ref_is_what_it_is_compared_with(
    folder: Path,
) -> None:
    found = document(folder, "--labels", str(folder / "labels.json"))

    assert found["changes"] == [{"key": "threshold.rarity", "before": "3.0", "after": "9.0"}]
    assert found["before"]["name"] == "HEAD"
    assert found["before"]["incidents"] > found["after"]["incidents"]
    assert len(found["incidents"]["go"]) == found["before"]["incidents"] - found["after"]["incidents"]
    assert all("since" in one["title"] for one in found["incidents"]["go"])
    assert found["before"]["windows"] == 2
    assert found["before"]["windows_found"] == 1
    assert found["before"]["recall"] == 0.5
    assert found["after"]["scoring_seconds"] == 0
    assert found["before"]["month_usd"] == found["after"]["month_usd"] > 0


def test_versions_that_say_the_same_have_no_difference(folder: Path) -> None:
    found = document(folder, before=str(folder / "plant.yaml"))

    assert found["changes"] == []
    assert found["incidents"]["same"] == found["before"]["incidents"] == found["after"]["incidents"]


def test_table_markdown_and_chart_are_made(folder: Path) -> None:
    markdown, chart = folder / "out.md", folder / "out.png"

    said = run(folder, "--markdown", str(markdown), "--plot", str(chart))

    assert "threshold.rarity: 3.0 → 9.0" in said
    assert "incidents a week" in said
    assert "Go:" in said
    text = markdown.read_text()
    assert "| `threshold.rarity` | 3.0 | 9.0 |" in text
    assert "### Backtest of `plant`" in text
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_anomalies_of_muted_series_are_in_no_incident(folder: Path) -> None:
    workload = folder / "plant.yaml"
    muted = f"{WORKLOAD}mute: [{{where: {{device: b}}, until: '1971-01-01T00:00:00Z'}}]\n"
    workload.write_text(muted)

    found = document(folder)

    assert found["before"]["anomalies"] == found["after"]["anomalies"]
    assert 0 < found["after"]["incidents"] < found["before"]["incidents"]
    assert 0 < found["after"]["alerts"] < found["before"]["alerts"]


def test_both_versions_are_judged_by_what_was_said_of_incidents(folder: Path) -> None:
    before = document(folder)["before"]
    marks = tuple(Mark(f"{name}|device=b", ("above", "below"), 99.0, ()) for name in "mn")
    said = [Verdict("plant", str(at), "noise", "1970-01-02T00:00:00Z", "mia", 60, marks) for at in range(3)]
    verdicts = folder / "verdicts.jsonl"
    verdicts.write_text("".join(f"{verdict.to_json()}\n" for verdict in said))

    assert 0 < document(folder, "--verdicts", str(verdicts))["before"]["anomalies"] < before["anomalies"]
    verdicts.write_text("{}\n")
    message = run(folder, "--verdicts", str(verdicts), fails=True)
    assert "verdicts.jsonl: line 1: verdict: no key" in message
    assert "feedback WORKLOAD --list --json" in message


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_judged(folder: Path) -> None:
    assert "there is no folder" in run(folder, "--markdown", str(folder / "no" / "out.md"), fails=True)


def test_another_interval_is_read_anew_and_incidents_are_still_paired_by_their_time(folder: Path) -> None:
    other = folder / "other.yaml"
    other.write_text(WORKLOAD.replace("interval: 1m", "interval: 2m"))

    found = document(folder, before=str(other))

    assert {"key": "interval_seconds", "before": "120", "after": "60"} in found["changes"]
    assert found["after"]["scoring_seconds"] > 0
    assert found["before"]["month_usd"] != found["after"]["month_usd"]


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("no-such-ref", "no-such-ref: .*plant.yaml is not known at it .*fetch-depth"),
        ("missing.yaml", "missing.yaml: there is no such file"),
        ("--help", "not a git ref"),
    ],
)
def test_a_version_that_is_not_there_is_named(folder: Path, before: str, message: str) -> None:
    arguments = ["backtest", f"--compare={before}", str(folder / "plant.yaml")]
    result = CliRunner().invoke(app, [*arguments, str(folder / "history.csv")])

    assert result.exit_code == 2
    assert re.search(message, " ".join(result.output.split()))


def test_an_endpoint_is_not_asked(folder: Path) -> None:
    other = folder / "other.yaml"
    other.write_text(WORKLOAD.replace("detector: {algorithm: watchkeeper}", "detector: {algorithm: rcf}"))
    text = other.read_text().replace("threshold: {rule: rarity, rarity: 3}\n", "")
    other.write_text(f"{text}endpoint: {{instance_type: ml.m5.large, instance_count: 1}}\n")

    said = run(folder, before=str(other), fails=True)
    assert "the detector rcf scores at an endpoint" in said
    assert "watchkeeper export plant --output scores.parquet" in said


ENDPOINT = WORKLOAD.replace("{algorithm: watchkeeper}", "{algorithm: rcf}").replace(
    "threshold: {rule: rarity, rarity: 3}", "threshold: {rule: mean_sigma, k: 3}"
)
ENDPOINT += "endpoint: {instance_type: ml.m5.large, instance_count: 1}\n"
FAULTY, MINUTES = (700, 745, 790), 800


def kept_scores(path: Path) -> Path:
    """Write what `watchkeeper export` writes: two series of noise, of which one has three faults; the first
    hour is of another run, and one series was new to the model."""
    chooser, lines = random.Random(0), []
    for minute in range(MINUTES):
        for device in "abn":
            start = format_instant(EPOCH + timedelta(minutes=minute))
            score = 5.0 if device == "a" and minute in FAULTY else chooser.random()
            run_id, seen = ("old" if minute < 60 else "new"), device != "n"
            line = ScoreLine("plant", f"m|device={device}", start, 10 + score, 10.5, 9.0, 12.0, score)
            lines.append(dataclasses.replace(line, run_id=run_id, confidence=None if seen else 0.5))
    table = merged.table_of(["\n".join(line.to_json() for line in lines).encode()])
    assert write_tables(iter([table]), path) == len(lines)
    return path


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_scores_that_are_kept_are_judged_again_and_no_endpoint_is_asked(folder: Path, name: str) -> None:
    before, after = folder / "before.yaml", folder / "plant.yaml"
    before.write_text(ENDPOINT)
    after.write_text(ENDPOINT.replace("name: m,", "name: m, direction: below,"))
    labels = folder / "labels.json"
    labels.write_text(json.dumps([["1970-01-01T11:38:00Z", "1970-01-01T11:45:00Z"]]))
    arguments = [
        "backtest",
        "--compare",
        str(before),
        str(after),
        "--scores",
        str(kept_scores(folder / name)),
    ]

    answer = CliRunner().invoke(app, [*arguments, "--labels", str(labels), "--json"])

    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert [found[side]["anomalies"] for side in ("before", "after")] == [3, 0]
    assert found["before"]["recall"] == 1
    assert found["before"]["threshold"]["rule"] == "mean_sigma"
    assert 0.9 < found["before"]["threshold"]["value"] < 2
    assert [one["opened_at"][11:16] for one in found["incidents"]["go"]] == ["11:40", "12:25", "13:10"]
    assert found["history"] == {"records": 1480, "series": 2, "intervals": 1480}
    assert "left out: 120 intervals of earlier runs" in found["notes"]
    assert "left out: 800 intervals of series that the model had not seen" in found["notes"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("name: m, aggregate: avg", "name: m, aggregate: max"), "measures differs between"),
        (("{algorithm: rcf}", "{algorithm: rcf, hyperparameters: {num_trees: 60}}"), "detector differs"),
        (("kind: anomaly", "kind: anomaly"), "no interval in it has the score"),
    ],
)
def test_kept_scores_of_another_model_are_refused(
    folder: Path, change: tuple[str, str], message: str
) -> None:
    before, after = folder / "before.yaml", folder / "plant.yaml"
    before.write_text(ENDPOINT)
    after.write_text(ENDPOINT.replace(*change))
    scores = kept_scores(folder / "scores.csv")
    if "no interval" in message:
        scores.write_text(scores.read_text().splitlines()[0] + "\n")

    answer = CliRunner().invoke(
        app, ["backtest", "--compare", str(before), str(after), "--scores", str(scores)]
    )

    assert answer.exit_code == 2
    assert message in " ".join(answer.output.split())


def test_kept_scores_are_no_history(folder: Path) -> None:
    scores = str(kept_scores(folder / "scores.csv"))
    assert "leave one of them out" in run(folder, "--scores", scores, fails=True)
    answer = CliRunner().invoke(
        app, ["backtest", "--compare", "HEAD", str(folder / "plant.yaml"), "--scores", scores]
    )
    assert "scores on this machine" in " ".join(answer.output.split())


def test_options_of_the_comparison_need_it(folder: Path) -> None:
    result = CliRunner().invoke(app, ["backtest", str(folder / "plant.yaml"), "--json"])

    assert result.exit_code == 2
    assert "--json: only with --compare" in " ".join(result.output.split())


def test_a_file_with_a_refused_line_is_read_record_by_record(folder: Path) -> None:
    plan = load_workload(folder / "plant.yaml").plan()
    history = folder / "history.csv"
    whole = read_history([history], plan)
    twice = history.read_text().splitlines()
    history.write_text("\n".join([*twice, twice[1], "yesterday,a,1,2", ""]))

    found = read_history([history], plan)

    assert found.records == whole.records
    assert "1 refused" in found.said[0]
    assert "1 there before" in found.said[0]
    assert {name: one.values.tolist() for name, one in found.intervals.items()} == {
        name: one.values.tolist() for name, one in whole.intervals.items()
    }
