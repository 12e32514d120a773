"""`python -m pipeline FOLDER`: write the definition of every shipped workload to `FOLDER/NAME.asl.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pipeline.definition import build_definition
from pipeline.drift import build_drift_definition
from pipeline.service.definition import service_definitions
from pipeline.service.settings import ServiceSettings
from watchkeeper.spec import RegressionWorkload, load_workloads

REGION = "us-east-1"
SERVICE = "service"
WORKLOADS = Path(__file__).resolve().parent.parent / "workloads"


def document_of(definition: dict[str, Any]) -> str:
    """Return a definition as it is written to a file."""
    return json.dumps(definition, indent=2) + "\n"


def main(folder: Path) -> None:
    """Write one file a workload, and one a task of the anomaly service to `service/`."""
    folder.mkdir(parents=True, exist_ok=True)
    for spec in load_workloads(WORKLOADS):
        definition = build_definition(spec, region=REGION)
        (folder / f"{spec.name}.asl.json").write_text(document_of(definition))
        if isinstance(spec, RegressionWorkload) and spec.explain.drift is not None:
            monitor = build_drift_definition(spec, spec.explain.drift, region=REGION)
            (folder / f"{spec.name}.drift.asl.json").write_text(document_of(monitor))
    (folder / SERVICE).mkdir(exist_ok=True)
    for task, definition in service_definitions(ServiceSettings(region=REGION)).items():
        (folder / SERVICE / f"{task.value}.asl.json").write_text(document_of(definition))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "tests/contract/pipeline/golden"))
