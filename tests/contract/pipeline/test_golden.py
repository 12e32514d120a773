"""The definitions of the shipped workloads change on purpose only: `python -m pipeline` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.__main__ import REGION, WORKLOADS, document_of
from pipeline.definition import build_definition
from pipeline.drift import build_drift_definition
from watchkeeper.spec import RegressionWorkload, load_workload

GOLDEN = Path(__file__).parent / "golden"
SHIPPED = sorted(path.stem for path in WORKLOADS.glob("*.yaml"))


@pytest.mark.parametrize("workload", SHIPPED)
def test_definition_is_the_golden_one(workload: str) -> None:
    spec = load_workload(WORKLOADS / f"{workload}.yaml")

    written = document_of(build_definition(spec, region=REGION))

    assert written == (GOLDEN / f"{workload}.asl.json").read_text(), (
        "run `python -m pipeline` and review the change"
    )


def test_drift_monitor_is_the_golden_one() -> None:
    spec = load_workload(WORKLOADS / "abalone.yaml")
    assert isinstance(spec, RegressionWorkload)
    assert spec.explain.drift is not None

    written = document_of(build_drift_definition(spec, spec.explain.drift, region=REGION))

    assert written == (GOLDEN / "abalone.drift.asl.json").read_text(), (
        "run `python -m pipeline` and review the change"
    )


def test_every_golden_definition_has_its_workload() -> None:
    assert {path.name.split(".")[0] for path in GOLDEN.glob("*.json")} == set(SHIPPED)
