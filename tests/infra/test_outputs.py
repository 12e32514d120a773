"""The outputs are the contract by which everything else finds the resources."""

from __future__ import annotations

import re

from infra.naming import pascal_name
from tests.infra.conftest import ROOT
from tests.infra.templates import Templates

WORKLOADS = [
    "abalone",
    "air_quality",
    "boiler_pressure",
    "machine_temperature",
    "pipe_wear",
    "pump_pressure",
    "valve_position",
    "valve_wear",
    "water_flow",
]
WATCHED_FOR_DRIFT = ["abalone"]
ROW = re.compile(r"^\| `(Watchkeeper\w+)` \| (.+) \|$", re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """Read the table of outputs; `<PascalName>` stands for each workload, `<WatchedName>` for some."""
    text = (ROOT / "docs" / "contracts.md").read_text()
    outputs: dict[str, set[str]] = {}
    for stack, cells in ROW.findall(text):
        outputs[stack] = set()
        for name in re.findall(r"`([\w<>]+)`", cells):
            some = WATCHED_FOR_DRIFT if "<WatchedName>" in name else WORKLOADS
            outputs[stack] |= {re.sub("<[A-Za-z]+>", pascal_name(each), name) for each in some}
    return outputs


def test_each_stack_has_exactly_the_documented_outputs(templates: Templates) -> None:
    assert {stack: set(templates.outputs(stack)) for stack in templates.by_stack} == documented()


def test_pascal_names_join_the_words_of_a_workload() -> None:
    assert pascal_name("machine_temperature") == "MachineTemperature"
