"""A plant engineer's spreadsheet: two commands, and each fault is in an alert that names its machine."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.local.inbox import alerts_of
from tests.local.laptop import ROOT, Laptop
from tests.local.plant import FAULTS, spreadsheet
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.telemetry.series import parse_series_key

pytestmark = pytest.mark.local

NAME = "pressen"


def watchkeeper(laptop: Laptop, workloads: Path, *arguments: str) -> str:
    """Run the command in a shell that knows nothing of AWS: `up` finds the laptop itself."""
    inherited = {name: value for name, value in laptop.cloud.environment.items() if "AWS" not in name}
    done = subprocess.run(
        [Path(sys.executable).with_name("watchkeeper"), *arguments],
        cwd=ROOT,
        env={**inherited, "WATCHKEEPER_WORKLOADS": str(workloads), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.xfail(run=False, reason="not walked since alerts are about incidents")
def test_a_spreadsheet_becomes_alerts_that_name_the_machines(laptop: Laptop, tmp_path: Path) -> None:
    file = tmp_path / f"{NAME}.csv"
    file.write_text(spreadsheet(), encoding="utf-8")
    workloads = tmp_path / "workloads"

    said = watchkeeper(laptop, workloads, "init", str(file))
    assert "Europe/Berlin" in said
    assert "Maschine (3 values)" in said
    assert f"next: watchkeeper up {NAME}" in said

    with alerts_of(laptop, NAME) as inbox:
        first = watchkeeper(laptop, workloads, "up", NAME)
        delivered = inbox.receive()
        while len(delivered) < len(inbox.receive()):
            delivered = inbox.receive()

    found = [json.loads(each["Message"])["anomaly"] for each in delivered]
    for fault in FAULTS:
        assert fault.begin.utcoffset() == timedelta(hours=2)
        end = fault.begin + timedelta(hours=fault.hours + 1)
        named = [
            anomaly
            for anomaly in found
            if dict(parse_series_key(anomaly["series"]).dimensions)["Maschine"] == fault.machine
            and fault.begin <= parse_instant(anomaly["interval_start"]) < end
        ]
        assert named, f"no alert of {fault}: {[(a['series'], a['interval_start']) for a in found]}"
    assert len(found) <= 2 * len(FAULTS) + 2
    assert "the first alert, as its subscriber gets it" in first
    assert "CEST" in first

    again = watchkeeper(laptop, workloads, "up", NAME)
    assert "the model in service is of these files and settings" in again
    assert "all of it was scored before: nothing is sent" in again
