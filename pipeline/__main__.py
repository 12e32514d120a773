"""`python -m pipeline FOLDER`: write the definition of every shipped workload and service task to `FOLDER`.

A training workflow and a task are written whole, the others as what differs from them (JSON Patch, RFC 6902):
`NAME.asl.json` and `NAME.patch.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonpatch

from pipeline.definition import build_definition
from pipeline.drift import build_drift_definition
from pipeline.service.definition import service_definitions
from pipeline.settings import ServiceSettings
from pipeline.simulator import simulator_definition
from watchkeeper.service.tasks import Task
from watchkeeper.spec import RegressionWorkload, load_workloads

REGION = "us-east-1"
WORKLOADS = Path(__file__).resolve().parent.parent / "workloads"
LINE_LENGTH = 110
SIMULATOR = "simulator"

Definition = dict[str, Any]


def definitions() -> dict[str, Definition]:
    """Return every definition by its name; a task of the anomaly service is `service/TASK`."""
    found: dict[str, Definition] = {}
    for spec in load_workloads(WORKLOADS):
        found[spec.name] = build_definition(spec, region=REGION)
        if isinstance(spec, RegressionWorkload) and spec.explain.drift is not None:
            found[f"{spec.name}.drift"] = build_drift_definition(spec, spec.explain.drift, region=REGION)
    found[SIMULATOR] = simulator_definition()
    tasks = service_definitions(ServiceSettings(region=REGION))
    return found | {f"service/{task.value}": definition for task, definition in tasks.items()}


def whole_of(name: str) -> str:
    """Return the name of the definition of whose file this one's is a patch; a whole one's is its own."""
    if name == SIMULATOR or name.endswith(".drift"):
        return name
    return f"service/{Task.TRAIN.value}" if name.startswith("service/") else "water_flow"


def patch_text(operations: list[Definition]) -> str:
    """Return a patch with an operation a line, where it is not too long for one."""
    lines = (json.dumps(each) for each in operations)
    texts = [
        line if len(line) <= LINE_LENGTH else json.dumps(each, indent=1)
        for line, each in zip(lines, operations, strict=True)
    ]
    return "[\n" + ",\n".join(texts) + "\n]\n"


def main(folder: Path) -> None:
    """Write one file a definition."""
    made = definitions()
    for name, definition in made.items():
        whole = whole_of(name)
        path = folder / f"{name}.{'asl' if whole == name else 'patch'}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole == name:
            path.write_text(json.dumps(definition, indent=2) + "\n")
        else:
            path.write_text(patch_text(jsonpatch.make_patch(made[whole], definition).patch))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "tests/contract/pipeline/golden"))
