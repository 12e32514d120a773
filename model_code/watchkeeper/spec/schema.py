"""The JSON Schema of a workload spec, for editors.

`python -m watchkeeper.spec.schema > workloads/schema.json` writes it again.
"""

from __future__ import annotations

import json
import sys

from watchkeeper.spec.types import WORKLOAD_TYPE


def schema_text() -> str:
    """Return the schema as it is stored.

    The kinds are told apart by conditions and not by `oneOf`, so that a mistake is reported where it is.
    """
    types = WORKLOAD_TYPE.json_schema()
    kinds = types["discriminator"]["mapping"]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Watchkeeper workload",
        "type": "object",
        "properties": {"kind": {"description": "What the workload does.", "enum": list(kinds)}},
        "required": ["kind"],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": reference},
            }
            for kind, reference in kinds.items()
        ],
        "$defs": types["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
