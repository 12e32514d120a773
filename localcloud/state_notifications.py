"""Step Functions' ``sns:publish`` with its message attributes, which ministack drops.

Seam: ``stepfunctions._SERVICE_DISPATCH``. Ministack's SNS reads requests of the query protocol, so the
attributes are written as such a request has them.
"""

from collections.abc import Mapping
from typing import Any

from ministack.services import stepfunctions as states

PUBLISH = "arn:aws:states:::sns:publish"


def install() -> None:
    """Register with ministack."""
    publish = states._SERVICE_DISPATCH[PUBLISH]
    states._SERVICE_DISPATCH[PUBLISH] = lambda resource, parameters: publish(resource, flattened(parameters))


def flattened(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with ``MessageAttributes`` as the query protocol writes them."""
    flat = {name: value for name, value in parameters.items() if name != "MessageAttributes"}
    for number, (name, attribute) in enumerate(parameters.get("MessageAttributes", {}).items(), start=1):
        entry = f"MessageAttributes.entry.{number}"
        flat[f"{entry}.Name"] = name
        flat |= {f"{entry}.Value.{key}": str(value) for key, value in attribute.items()}
    return flat
