"""The outputs are the contract by which everything else finds the resources."""

from __future__ import annotations

import re

from tests.infra.conftest import ROOT, WORKLOADS
from tests.infra.templates import Templates
from watchkeeper.core import layout

WATCHED_FOR_DRIFT = ["abalone"]
ROW = re.compile(r"^\| `(Watchkeeper[\w<>-]+)` \| (.+) \|$", re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """Read the table of outputs; `<name>` stands for each workload, `<watched>` for some."""
    text = (ROOT / "docs" / "contracts.md").read_text()
    outputs: dict[str, set[str]] = {}
    for row, cells in ROW.findall(text):
        some = {"<name>": WORKLOADS, "<watched>": WATCHED_FOR_DRIFT}
        stacks = [
            layout.workload_stack(workload)
            for part, names in some.items()
            for workload in names
            if part in row
        ] or [row]
        for stack in stacks:
            outputs.setdefault(stack, set()).update(re.findall(r"`(\w+)`", cells))
    return outputs


def test_each_stack_has_exactly_the_documented_outputs(templates: Templates) -> None:
    assert {stack: set(templates.outputs(stack)) for stack in templates.by_stack} == documented()
