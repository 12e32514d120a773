"""The definitions of the shipped workloads change on purpose only: `python -m pipeline` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.__main__ import REGION, WORKLOADS, document_of
from pipeline.definition import build_definition
from workloads.spec import load_workload

GOLDEN = Path(__file__).parent / "golden"
SHIPPED = sorted(path.stem for path in WORKLOADS.glob("*.yaml"))


@pytest.mark.parametrize("workload", SHIPPED)
def test_definition_is_the_golden_one(workload: str) -> None:
    spec = load_workload(WORKLOADS / f"{workload}.yaml")

    written = document_of(build_definition(spec, region=REGION))

    assert written == (GOLDEN / f"{workload}.asl.json").read_text(), (
        "run `python -m pipeline` and review the change"
    )


def test_every_golden_definition_has_its_workload() -> None:
    assert {path.name.removesuffix(".asl.json") for path in GOLDEN.glob("*.json")} == set(SHIPPED)
