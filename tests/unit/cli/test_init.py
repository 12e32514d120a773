"""`watchkeeper init`: files in, a workload out, and what it was unsure of."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

import cli.init
from cli.main import app
from watchkeeper.command.failures import ReportingGroup
from watchkeeper.command.main import LIBRARY_VERBS, application
from watchkeeper.spec import AnomalyWorkload, load_workload
from watchkeeper.spec.detection import AlertBudgetThreshold

ROWS = "time,load\n" + "".join(f"2024-01-01 00:{row:02}:00,{row % 7 + 0.5}\n" for row in range(60))


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "Press 4.csv"
    path.write_text(ROWS)
    return path


def init(*arguments: object) -> Result:
    library = application(LIBRARY_VERBS, ReportingGroup, "")
    return CliRunner().invoke(library, ["init", *map(str, arguments)])


def test_writes_a_workload_named_after_the_file_and_says_what_is_next(history: Path) -> None:
    answer = init(history, "--alerts-per-week", "2")

    assert answer.exit_code == 0, answer.output
    spec = load_workload("workloads/press_4.yaml")
    assert isinstance(spec, AnomalyWorkload)
    assert spec.threshold == AlertBudgetThreshold(rule="alert_budget", per_week=2)
    assert spec.gate.max_alerts_per_week == 14, "an hour of history says little of a week"
    assert "? times name no time zone" in answer.output
    assert "next: watchkeeper up press_4" in answer.output


def test_what_is_there_is_written_over_only_when_asked(history: Path) -> None:
    init(history, "--name", "press")
    Path("workloads/press.yaml").write_text("name: press\n")

    refused = init(history, "--name", "press")
    assert refused.exit_code == 2
    assert Path("workloads/press.yaml").read_text() == "name: press\n"
    assert init(history, "--name", "press", "--force").exit_code == 0
    load_workload("workloads/press.yaml")


def test_line_breaks_in_the_header_leave_a_workload_that_loads(tmp_path: Path, history: Path) -> None:
    rows = [f"2024-01-01 00:{row:02}:00,{name},{row % 7 + 0.5}" for row in range(60) for name in "ab"]
    history.write_text('time,"press\nroom","load [kN/\nm2]"\n' + "\n".join(rows) + "\n")

    answer = init(history, "--name", "press")

    assert answer.exit_code == 0, answer.output
    spec = load_workload("workloads/press.yaml")
    assert isinstance(spec, AnomalyWorkload)
    assert spec.measures[0].field == "load [kN/\nm2]"
    assert "# kN/ m2" in Path("workloads/press.yaml").read_text()


@pytest.mark.parametrize("name", ["Press", "anomaly_service", "nan"])
def test_a_name_that_a_workload_cannot_have_writes_nothing(history: Path, name: str) -> None:
    answer = init(history, "--name", name)

    assert answer.exit_code == 2
    assert not Path("workloads").exists() or not list(Path("workloads").iterdir())


def test_a_checkout_writes_where_its_verbs_look_and_remembers_files_of_s3(
    history: Path, session: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = session.client("s3")
    s3.create_bucket(Bucket="plant")
    for day in ("01", "02"):
        s3.put_object(Bucket="plant", Key=f"press/{day}.csv", Body=ROWS.replace("-01-01", f"-01-{day}"))
    s3.put_object(Bucket="plant", Key="press/", Body=b"")
    workloads = tmp_path / "plant"
    monkeypatch.setattr(cli.init, "WORKLOADS", workloads)
    monkeypatch.setattr(cli.init, "DOWNLOADS", tmp_path / "downloads")

    answer = CliRunner().invoke(app, ["init", "s3://plant/press/", "--name", "press"])

    assert answer.exit_code == 0, answer.output
    spec = load_workload(workloads / "press.yaml")
    assert isinstance(spec, AnomalyWorkload)
    assert spec.history.files == ["s3://plant/press/"]
    assert "# 120 rows of 1 series" in (workloads / "press.yaml").read_text()
    missing = CliRunner().invoke(app, ["init", "s3://plant/pump/"])
    assert (missing.exit_code, "s3://plant/pump/: no object" in missing.output) == (2, True)
