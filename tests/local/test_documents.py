"""The scripts of README and guides run as they stand, here or in the journey that goes on from them."""

from __future__ import annotations

import json
import re
from inspect import signature
from pathlib import Path

import pyarrow as pa
import pytest

from cli.demo.command import demo
from cli.export import write_tables
from cli.stock_volumes import news_windows, volumes_csv
from tests.local.histories import History, machine_temperature
from tests.local.laptop import ROOT, Laptop
from tests.local.scripts import FENCE, GUIDES, run_scripts
from tests.local.training import champion
from tests.local.transactions import FraudTraining
from watchkeeper.anomalies import merged
from watchkeeper.core import layout
from watchkeeper.core.severity import THRESHOLD_SEVERITY

pytestmark = [pytest.mark.local, pytest.mark.timeout(900)]


def test_every_guide_with_scripts_is_run() -> None:
    """`service.md` is in the journey of the service's tasks, `streaming.md` in that of the detector."""
    scripted = {path.name for path in GUIDES.glob("*.md") if FENCE.search(path.read_text())}
    assert scripted == {"clients.md", "fraud.md", "reading-scores.md", "service.md", "streaming.md"}


def test_the_guide_of_fraud(laptop: Laptop, fraud_training: FraudTraining, tmp_path: Path) -> None:
    assert fraud_training.outcome.status == "SUCCEEDED", fraud_training.outcome.cause

    asked, told = run_scripts(GUIDES / "fraud.md", laptop, tmp_path)

    answered, again, labelled = asked.splitlines()
    _, probability, flag = answered.split()
    assert 0.0 < float(probability) < 1.0
    assert flag in ("True", "False")
    assert (again, labelled) == ("the same answer: True", "True")
    assert told == "ENABLED\n"


def test_the_guide_of_reading_scores(laptop: Laptop, tmp_path: Path) -> None:
    scores = [dict.fromkeys(merged.schema().names) for _ in range(3)]
    for row, (name, severity) in zip(scores, (("co|a", 20.0), ("co|a", 91.0), ("so2|a", 84.0)), strict=True):
        row.update(series=name, severity=severity, is_anomaly=severity >= THRESHOLD_SEVERITY)
    table = pa.Table.from_pylist(scores, schema=merged.schema())
    assert write_tables(iter([table]), tmp_path / "scores.parquet") == len(scores)

    (told,) = run_scripts(GUIDES / "reading-scores.md", laptop, tmp_path)

    assert [line.split()[-1] for line in told.splitlines()[1:3]] == ["91.0", "84.0"]


def test_the_readme(laptop: Laptop, tmp_path: Path) -> None:
    """The default demo's endpoint is asked there; here the one that journeys have is."""
    champion(laptop, "machine_temperature", machine_temperature())
    default = layout.endpoint_name(signature(demo).parameters["workload"].default)
    assert f'EndpointName="{default}"' in (ROOT / "README.md").read_text()

    here = {default: layout.endpoint_name("machine_temperature")}
    (invoked,) = run_scripts(ROOT / "README.md", laptop, tmp_path, here)

    assert '{"scores"' in invoked


def test_the_guide_of_awss_clients(laptop: Laptop, tmp_path: Path) -> None:
    header, *lines = volumes_csv().decode().splitlines()
    champion(laptop, "stock_volume", History(header, lines, news_windows()))

    listed, by_command, by_hand, published, started = run_scripts(GUIDES / "clients.md", laptop, tmp_path)

    scores = [float(line.split()[1]) for line in listed.splitlines()]
    assert scores.index(max(scores)) == 3
    assert '{"scores"' in by_command
    cutoff, highest = (float(number) for number in re.findall(r"[\d.]+", by_hand.splitlines()[-1]))
    assert highest > cutoff
    assert published == "SUCCESS\n"
    # nobody waits for its end
    laptop.client("stepfunctions").stop_execution(executionArn=json.loads(started)["executionArn"])
