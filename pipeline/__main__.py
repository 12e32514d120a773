"""`python -m pipeline FOLDER`: write the definition of every shipped workload to `FOLDER/NAME.asl.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pipeline.definition import build_definition
from workloads.spec import load_workloads

REGION = "us-east-1"
WORKLOADS = Path(__file__).resolve().parent.parent / "workloads"


def document_of(definition: dict[str, Any]) -> str:
    """Return a definition as it is written to a file."""
    return json.dumps(definition, indent=2) + "\n"


def main(folder: Path) -> None:
    """Write one file a workload."""
    folder.mkdir(parents=True, exist_ok=True)
    for spec in load_workloads(WORKLOADS):
        definition = build_definition(spec, region=REGION)
        (folder / f"{spec.name}.asl.json").write_text(document_of(definition))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "tests/contract/pipeline/golden"))
