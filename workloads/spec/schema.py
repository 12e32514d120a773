"""The JSON Schema of a workload spec, for editors: `python -m workloads.spec.schema` writes it again."""

from __future__ import annotations

import json
from pathlib import Path

from workloads.spec.types import WorkloadSpec

SCHEMA_PATH = Path(__file__).resolve().parents[1] / "schema.json"


def schema_text() -> str:
    """Return the schema as it is stored."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Watchkeeper workload",
        **{key: value for key, value in WorkloadSpec.model_json_schema().items() if key != "title"},
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
