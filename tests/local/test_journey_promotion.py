"""One registry: a model of the anomaly service serves a workload, and the workload's serves the service."""

from pathlib import Path

import pytest
import yaml

from cli.models import service_models
from tests.local.histories import hourly_flow
from tests.local.laptop import ROOT, Laptop
from tests.local.training import train, upload
from watchkeeper.client import Client
from watchkeeper.lifecycle.release import Release

pytestmark = [pytest.mark.local, pytest.mark.timeout(900)]

WORKLOAD, SHINGLE = "water_flow", 32
TRAINING_PART = 0.5
"""Share of the history, as in the spec: what a model may have learned."""


def deploy_serving(laptop: Laptop, version: int, folder: Path) -> None:
    """Let the workload's spec name a version of the service's models, and deploy it."""
    folder.mkdir()
    spec = folder / f"{WORKLOAD}.yaml"
    content = yaml.safe_load((ROOT / "workloads" / spec.name).read_text())
    content["features"] = {"shingle": SHINGLE, "differences": False}
    content["detector"] = {"algorithm": "registered", "version": version}
    content["gate"] |= {"beat_baseline": False, "beat_champion": False}
    spec.write_text(yaml.safe_dump(content))
    laptop.watchkeeper("deploy", "--stage", "laptop", "--workload", str(spec))


def test_a_model_goes_from_the_service_to_a_workload_and_back(laptop: Laptop, tmp_path: Path) -> None:
    history = hourly_flow()
    upload(laptop, WORKLOAD, history)
    service = Client(laptop.service_url)
    learned = history.lines[: int(len(history.lines) * TRAINING_PART) - 1]
    (table := tmp_path / "flow.csv").write_text("\n".join([history.header, *learned]) + "\n")
    task = service.train("watchkeeper", service.upload(table, "promotion/flow.csv"))
    service.wait(task, poll_seconds=0.5)

    (model,) = (found for found in service_models(laptop.session) if found.request == task.id)
    deploy_serving(laptop, model.version, tmp_path / "workloads")
    refused = train(laptop, WORKLOAD)
    assert refused.status == "FAILED"
    assert f"`watchkeeper approve {model.version}`" in refused.cause

    laptop.watchkeeper("approve", str(model.version))
    outcome = train(laptop, WORKLOAD, reason="promotion", start=history.lines[0].partition(",")[0])
    assert (outcome.status, outcome.cause) == ("SUCCEEDED", "")
    assert "AdoptDetector" in outcome.states
    assert not {"TrainDetector", "TrainPreprocessor"} & set(outcome.states)
    release = laptop.live(WORKLOAD)
    assert release is not None
    assert isinstance(release, Release)
    assert release.run_id == outcome.output["run"]["run_id"]
    # values that never change would be a frozen sensor
    *before, value = (line.rpartition(",")[2] for line in learned[-SHINGLE:])
    lags = "".join(f",{each}" for each in reversed(before))
    usual, lost = laptop.ask(WORKLOAD, f"2024-02-20,{value}{lags}", f"2024-02-20,500{lags}")
    assert usual < release.threshold.value < lost

    (next_rows := tmp_path / "next.csv").write_text(
        "time,flow\n2024-02-20T10:00:00Z,100\n2024-02-20T11:00:00Z,500\n2024-02-20T12:00:00Z,100\n"
    )
    answer = service.wait(
        service.infer(service.upload(next_rows, "promotion/next.csv"), model_path=f"registry/{WORKLOAD}"),
        poll_seconds=0.5,
    )
    found = service.download(answer["predictions_label_file"], tmp_path / "found.csv").read_text()
    labels = [line.split(",")[1] for line in found.splitlines()[1:]]
    assert labels == ["0", "1", "0"]
