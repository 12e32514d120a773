"""`python -m lambdas.console.openapi > web/openapi.json`: one document of all that the API answers.

Each part publishes its own; this one has the service's, that of fraud workloads and the console's together,
and the types of the page are made of it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from watchkeeper.core.errors import ContractViolationError

TITLE, VERSION = "Watchkeeper", "1"


def document() -> dict[str, Any]:
    """Return the OpenAPI document of all parts of the API together.

    Raises
    ------
    ContractViolationError
        If two parts call different things by one name.
    """
    from lambdas.console.app import app as console
    from lambdas.fraud.routes import app as fraud
    from lambdas.service_api.routes import app as service

    whole: dict[str, Any] = {}
    for part in (service, fraud, console):
        found = json.loads(part.get_openapi_json_schema(title=TITLE, version=VERSION))
        _join(whole, found, "")
    return whole


def _join(whole: dict[str, Any], part: dict[str, Any], place: str) -> None:
    for name, value in part.items():
        where = f"{place}/{name}"
        if isinstance(value, dict) and where.count("/") <= 2 and isinstance(whole.get(name), dict):
            _join(whole[name], value, where)
        elif whole.setdefault(name, value) != value:
            raise ContractViolationError(f"the parts of the API have different things at {where}: rename one")


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
