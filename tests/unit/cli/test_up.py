"""`watchkeeper up` before AWS: the files in two parts, the laptop found or refused."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.laptop
from cli.failures import StepFailedError
from cli.main import app
from cli.own_files import read_own_files
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan

START = datetime(2024, 3, 1, tzinfo=timezone.utc)


def file(path: Path, hours: int, first: datetime = START) -> Path:
    rows = [f"{first + timedelta(hours=at):%Y-%m-%dT%H:%M:%SZ},{at % 9}.5" for at in range(hours)]
    path.write_text("\n".join(["Time,Water flow [l/s]", *rows]) + "\n")
    return path


def test_the_newest_part_of_the_time_is_sent_whichever_file_has_it(
    tmp_path: Path, plan: WorkloadPlan
) -> None:
    newer = file(tmp_path / "a.csv", 100, first=START + timedelta(hours=100))
    older = file(tmp_path / "b.csv", 100)

    own = read_own_files([newer, older], plan)

    assert own.live_from == START + timedelta(hours=169), "199 h less 15 %, at the start of an interval"
    assert [len(own.history), len(own.live)] == [169, 31]
    assert max(each.event_time for each in own.history) < own.live_from <= own.live[0].event_time


def test_no_more_is_sent_than_a_broker_takes_in_a_short_time(
    tmp_path: Path, plan: WorkloadPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.own_files.MOST_LIVE", 10)

    own = read_own_files([file(tmp_path / "a.csv", 400)], plan)

    assert len(own.live) == 10


def test_the_same_files_and_settings_have_the_same_digest(tmp_path: Path, plan: WorkloadPlan) -> None:
    path = file(tmp_path / "a.csv", 50)
    first = read_own_files([path], plan)
    other = read_own_files([file(tmp_path / "b.csv", 51)], plan)

    assert first.digest(plan) == read_own_files([path], plan).digest(plan)
    assert first.digest(plan) != other.digest(plan)


@pytest.mark.parametrize(("since", "said"), [("2023-01-01", "train on before"), ("2025-01-01", "send from")])
def test_a_part_without_readings_is_refused(
    tmp_path: Path, plan: WorkloadPlan, since: str, said: str
) -> None:
    begin = datetime.fromisoformat(since).replace(tzinfo=timezone.utc)

    with pytest.raises(InvalidInputError, match=f"{said}.*2024-03-01T00:00.*--from"):
        read_own_files([file(tmp_path / "a.csv", 50)], plan, begin)


def test_another_cloud_than_the_laptops_is_not_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9999")
    monkeypatch.setattr(
        cli.laptop, "laptop_variables", lambda _: {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    )

    with pytest.raises(InvalidInputError, match=r"9999, and the laptop's cloud is at .*4566: unset it"):
        cli.laptop.enter_laptop()


def test_a_cloud_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALCLOUD_PORT", "ninety")

    with pytest.raises(StepFailedError, match="LOCALCLOUD_PORT"):
        cli.laptop.laptop_facts()


def test_env_prints_what_a_shell_evaluates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALCLOUD_PORT", "4799")
    monkeypatch.setattr(cli.laptop, "answers", lambda _: True)
    monkeypatch.setattr("cli.env.answers", lambda _: True)

    lines = CliRunner().invoke(app, ["env"]).stdout.splitlines()

    assert lines[0] == "unset AWS_PROFILE AWS_SESSION_TOKEN"
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4799" in lines
    assert "export WATCHKEEPER_STAGE=laptop" in lines
    assert lines[-1].startswith("aws() { command aws --endpoint-url")
    assert "export WATCHKEEPER_MQTT_CA=http://127.0.0.1:4799/_ministack/iot/ca.pem" in lines


def test_files_are_named_or_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = CliRunner().invoke(app, ["up", "water_flow"])

    assert answer.exit_code == 2
    assert "name its files" in answer.output


def test_in_an_account_nothing_is_written_where_others_write(tmp_path: Path) -> None:
    text = (cli.laptop.ROOT / "workloads" / "water_flow.yaml").read_text(encoding="utf-8")
    folders = "  folders: {bucket: plant, path: 'flow/{{yyyyMMdd}}/{{HHmm}}/'}\n"
    text = re.sub(r"  topic: .*?(?=  timestamp)", lambda _: folders, text, count=1, flags=re.DOTALL)
    spec = tmp_path / "water_flow.yaml"
    spec.write_text(text, encoding="utf-8")

    done = CliRunner().invoke(app, ["up", str(spec), "flow.csv", "--stage", "aws"])

    assert done.exit_code != 0
    said = " ".join(done.output.split())
    assert re.search(r"source\.folders.*deploy --workload water_flow.*train water_flow", said)
