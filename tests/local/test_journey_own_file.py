"""A plant engineer's spreadsheet: two commands, and each fault is in an alert that names its machine. Then
what is wanted later: each change is one edit and one command, and no interval is lost."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.local.inbox import alerts_of
from tests.local.laptop import ROOT, Laptop
from tests.local.plant import DAYS, FAULTS, FIRST, INTERVAL, MACHINES, spreadsheet
from tests.local.scored import quarantined, until_drained, until_scored
from watchkeeper.anomalies.score_line import Interval
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.telemetry.series import parse_series_key

pytestmark = pytest.mark.local

NAME = "pressen"
PIECE = timedelta(hours=2)
"""Of telemetry, after each change."""
OPEN = 2
"""The newest intervals, which the last reading does not close: its own and that of the lateness."""
LEFT_OUT, KEPT = MACHINES[-1], MACHINES[:-1]


@dataclass(frozen=True)
class Plant:
    """The engineer's folder, and what the two commands said."""

    laptop: Laptop
    folder: Path
    init: str
    up: str
    alerts: list[dict[str, Any]]
    """SNS's envelopes."""
    variables: dict[str, str]
    """What `eval "$(watchkeeper env)"` sets."""

    def run(self, *arguments: str) -> str:
        """Run the command; `up` in a shell that knows nothing of AWS, as after `make setup`."""
        variables = {} if arguments[0] == "up" else self.variables
        return watchkeeper(self.laptop, self.folder, *arguments, **variables)

    def edit(self, before: str, after: str) -> None:
        """Change one place of the workload's file."""
        path = self.folder / "workloads" / f"{NAME}.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, text
        path.write_text(text.replace(before, after), encoding="utf-8")

    def begin_anew(self) -> None:
        """Replace the functions that score, as an update does: they would remember a plan for a minute."""
        client, name = self.laptop.client("lambda"), self.laptop.outputs["ScoreTelemetryFunctionName"]
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        count = int(variables.get("REPLACED", "0")) + 1
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "REPLACED": str(count)}}
        )

    def send(self, piece: int, zone: str) -> None:
        """Send the telemetry after the file's end that a device has made meanwhile."""
        wall = [FIRST.replace(tzinfo=ZoneInfo(zone)) + timedelta(days=DAYS) + PIECE * at for at in range(9)]
        begin, end = (format_instant(wall[at]) for at in (piece, piece + 1))
        self.run("replay", NAME, str(self.folder / "later.csv"), "--from", begin, "--to", end)


def watchkeeper(laptop: Laptop, folder: Path, *arguments: str, **variables: str) -> str:
    inherited = {name: value for name, value in laptop.cloud.environment.items() if "AWS" not in name}
    own = {"WATCHKEEPER_WORKLOADS": str(folder / "workloads"), "COLUMNS": "120"}
    done = subprocess.run(
        [Path(sys.executable).with_name("watchkeeper"), *arguments],
        cwd=ROOT,
        env={**inherited, **own, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def shell_variables(laptop: Laptop) -> dict[str, str]:
    """Return what `eval "$(watchkeeper env)"` sets."""
    printed = watchkeeper(laptop, Path(), "env").splitlines()
    exports = [line.removeprefix("export ") for line in printed if line.startswith("export ")]
    return dict(line.split("=", 1) for line in exports)


@pytest.fixture(scope="module")
def plant(shared_laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Plant:
    shared_laptop.deploy()
    folder = tmp_path_factory.mktemp("plant")
    (folder / f"{NAME}.csv").write_text(spreadsheet(), encoding="utf-8")
    (folder / "later.csv").write_text(spreadsheet(DAYS + 1, speed=True), encoding="utf-8")
    said = watchkeeper(shared_laptop, folder, "init", str(folder / f"{NAME}.csv"))
    with alerts_of(shared_laptop, NAME) as inbox:
        first = watchkeeper(shared_laptop, folder, "up", NAME)
        delivered = inbox.receive()
        while len(delivered) < len(inbox.receive()):
            delivered = inbox.receive()
    return Plant(shared_laptop, folder, said, first, delivered, shell_variables(shared_laptop))


def test_a_spreadsheet_is_understood(plant: Plant) -> None:
    assert "Europe/Berlin" in plant.init
    assert "Maschine (3 values)" in plant.init
    assert f"next: watchkeeper up {NAME}" in plant.init


def test_each_fault_is_in_an_alert_that_names_its_machine(plant: Plant) -> None:
    messages = [json.loads(each["Message"]) for each in plant.alerts]
    for fault in FAULTS:
        assert fault.begin.utcoffset() == timedelta(hours=2)
        end = fault.begin + timedelta(hours=fault.hours + 1)
        named = [
            envelope["Subject"]
            for envelope, message in zip(plant.alerts, messages, strict=True)
            if fault.begin <= parse_instant(message["incident"]["opened_at"]) < end
            and {machine_of(each["series"]) for each in message["incident"]["touched"]} == {fault.machine}
        ]
        assert named, f"no alert of {fault}: {[each['Subject'] for each in plant.alerts]}"
        assert all(fault.machine in subject for subject in named)
    assert len({message["incident"]["incident_id"] for message in messages}) <= 2 * len(FAULTS) + 2
    assert "the first alert, as its subscriber gets it" in plant.up
    assert "CEST" in plant.up


def test_what_is_done_is_not_done_again(plant: Plant) -> None:
    again = plant.run("up", NAME)

    assert "the model in service is of these files and settings" in again
    assert "all of it was scored before: nothing is sent" in again


def test_each_change_is_one_edit_and_one_command_and_no_interval_is_lost(plant: Plant) -> None:
    first = plant.laptop.live(NAME)
    assert first is not None

    plant.edit("rarity: 3.5}", "rarity: 4.5}")
    said = plant.run("up", NAME)
    assert "threshold.rarity: 3.5 → 4.5" in said
    assert "holds from the next training on" in said
    assert "alerts a week, within the budget" in said
    plant.begin_anew()
    plant.send(0, "Europe/Berlin")

    plant.edit("history:\n", f"exclude:\n  - where: {{Maschine: {LEFT_OUT}}}\n\nhistory:\n")
    said = plant.run("deploy", "--workload", NAME)
    assert "exclude: [] →" in said
    assert "excluded series end" in said
    plant.begin_anew()
    plant.send(1, "Europe/Berlin")

    plant.edit("measures:\n", 'measures:\n  - {field: "Drehzahl [1/min]", name: drehzahl, aggregate: avg}\n')
    said = plant.run("deploy", "--workload", NAME)
    assert "its series begin with the next reading" in said
    plant.begin_anew()
    plant.send(2, "Europe/Berlin")

    plant.edit("timezone: Europe/Berlin", "timezone: Europe/London")
    said = plant.run("deploy", "--workload", NAME)
    assert "source.timestamp.timezone: Europe/Berlin → Europe/London" in said
    plant.begin_anew()
    plant.send(3, "Europe/London")

    count = PIECE // INTERVAL
    moved = 3 * count - OPEN  # what is open then moves with the clock
    expected = {
        *intervals(MACHINES, ("temperatur", "druck"), -OPEN, count - OPEN),
        *intervals(KEPT, ("temperatur", "druck"), count - OPEN, moved),
        *intervals(KEPT, ("drehzahl",), 2 * count, moved),
        *intervals(KEPT, ("temperatur", "druck", "drehzahl"), moved, 4 * count - OPEN, "Europe/London"),
    }
    lines = until_scored(plant.laptop, NAME, expected)
    until_drained(plant.laptop)
    end = FIRST + timedelta(days=DAYS) - OPEN * INTERVAL
    assert {found for found in lines if parse_instant(found[1]) >= end} == expected
    assert quarantined(plant.laptop, NAME) == []
    second = plant.laptop.live(NAME)
    assert second is not None
    assert second.run_id != first.run_id
    assert {lines[one].run_id for one in expected} == {second.run_id}
    assert {lines[one].reason for one in expected if not one[0].startswith("drehzahl")} == {None}


def intervals(
    machines: tuple[str, ...], measures: tuple[str, ...], first: int, last: int, zone: str = "Europe/Berlin"
) -> set[Interval]:
    """Return intervals by their number after the file's end."""
    begin = datetime(2024, 4, 12, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
    return {
        (f"{measure}|Maschine={machine}", format_instant(begin + INTERVAL * at))
        for measure in measures
        for machine in machines
        for at in range(first, last)
    }


def machine_of(series: str) -> str:
    return dict(parse_series_key(series).dimensions)["Maschine"]
