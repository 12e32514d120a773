"""What a deployment would make: the resources of the templates in the cloud assembly."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Resource:
    """A resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly as `cdk synth` writes it.

    Parameters
    ----------
    folder
        With its `manifest.json`.
    """

    folder: Path

    @cached_property
    def stacks(self) -> dict[str, Path]:
        """Template of each stack by the stack's name."""
        artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"]
        return {
            artifact.get("properties", {}).get("stackName", name): self.folder
            / artifact["properties"]["templateFile"]
            for name, artifact in artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack"
        }

    @cached_property
    def bootstrap_version(self) -> int:
        """Version that the CDK's own stack must have."""
        artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"].values()
        return max(
            (item.get("properties", {}).get("requiresBootstrapStackVersion", 0) for item in artifacts),
            default=0,
        )

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource of every template."""
        return tuple(
            Resource(stack, logical_id, body["Type"], body.get("Properties", {}))
            for stack, template in self.stacks.items()
            for logical_id, body in json.loads(template.read_text())["Resources"].items()
        )

    @cached_property
    def counts(self) -> Counter[str]:
        """How many resources there are of each type."""
        return Counter(resource.type for resource in self.resources)

    def of_type(self, kind: str) -> Iterator[Resource]:
        """Give the resources of a type."""
        return (resource for resource in self.resources if resource.type == kind)
