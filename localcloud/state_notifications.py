"""Step Functions' ``sns:publish`` with its message attributes, which ministack drops.

Ministack's SNS reads requests of the query protocol, so the
attributes are written as such a request has them.
"""

from collections.abc import Mapping
from typing import Any

from localcloud.seams.stepfunctions import service_dispatch

PUBLISH = "arn:aws:states:::sns:publish"


def install() -> None:
    """Register with ministack."""
    publish = service_dispatch[PUBLISH]
    service_dispatch[PUBLISH] = lambda resource, parameters: publish(resource, flattened(parameters))


def flattened(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with ``MessageAttributes`` as the query protocol writes them."""
    flat = {name: value for name, value in parameters.items() if name != "MessageAttributes"}
    for number, (name, attribute) in enumerate(parameters.get("MessageAttributes", {}).items(), start=1):
        entry = f"MessageAttributes.entry.{number}"
        flat[f"{entry}.Name"] = name
        flat |= {f"{entry}.Value.{key}": str(value) for key, value in attribute.items()}
    return flat
