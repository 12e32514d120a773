"""The scripts of README and guides run as they stand; only the laptop's ports are those of the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pytest

from cli.demo.command import demo
from cli.export import write_tables
from cli.stock_volumes import news_windows, volumes_csv
from tests.local.histories import History, air_quality, machine_temperature
from tests.local.laptop import ROOT, Laptop
from tests.local.training import champion
from tests.local.transactions import FraudTraining
from watchkeeper.anomalies import merged
from watchkeeper.core import layout
from watchkeeper.core.severity import THRESHOLD_SEVERITY

pytestmark = [pytest.mark.local, pytest.mark.timeout(900)]

CLOCKS = ROOT / "tests" / "contract" / "localcloud" / "published"
HURRIED = "import hurried, sagemaker.session; sagemaker.session.time = hurried.Clock()\n"
"""Before a script with the SageMaker SDK, which looks only every 10 to 30 seconds how far a job is."""
GUIDES = ROOT / "docs" / "guides"
FENCE = re.compile(r"^```(python|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run_scripts(
    document: Path, laptop: Laptop, folder: Path, other: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Run a document's fenced scripts one after the other in one folder; return what each prints.

    `other` is put in place of what they say, besides ports.
    """
    settings = laptop.cloud.settings
    addresses = {
        "http://localhost:8000": laptop.service_url,
        "http://127.0.0.1:4566": settings.endpoint_url,
        "port=8883": f"port={settings.mqtt_tls_port}",
        **other,
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    told = []
    for language, script in FENCE.findall(document.read_text()):
        for documented, here in addresses.items():
            script = script.replace(documented, here)
        if language == "python" and "import sagemaker" in script:
            script = HURRIED + script
        program = [sys.executable, "-c"] if language == "python" else ["bash", "-euo", "pipefail", "-c"]
        done = subprocess.run(
            [*program, script],
            cwd=folder,
            env={**os.environ, **laptop.variables, "PATH": path, "PYTHONPATH": str(CLOCKS)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        told.append(done.stdout)
    return told


def test_every_guide_with_scripts_is_run_here() -> None:
    scripted = {path.name for path in GUIDES.glob("*.md") if FENCE.search(path.read_text())}
    assert scripted == {"clients.md", "fraud.md", "reading-scores.md", "service.md", "streaming.md"}


def test_the_services_guide(laptop: Laptop, tmp_path: Path) -> None:
    shortest, trained, validated, inferred = run_scripts(GUIDES / "service.md", laptop, tmp_path)

    assert "Request successful!" in shortest
    assert "model.tar.gz" in trained
    assert "f1" in validated.lower()
    assert (tmp_path / "charts.html").stat().st_size > 1000
    multivariate, univariate = inferred.strip().splitlines()
    assert "17, 57, 97" in multivariate  # the rows that the first script made strange
    assert "100" in univariate


def test_the_guide_of_the_streaming_detector(laptop: Laptop, tmp_path: Path) -> None:
    champion(laptop, "air_quality", air_quality())
    before = laptop.live("air_quality")

    valid, gone_back, fleet = run_scripts(GUIDES / "streaming.md", laptop, tmp_path)

    assert "workload press_counts is valid" in valid
    assert "workload press_fleet is valid" in fleet
    assert "alerts a week, within the budget of 7 for all series together." in gone_back
    assert laptop.live("air_quality") == before


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
    assert "executionArn" in started
