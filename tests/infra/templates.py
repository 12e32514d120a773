"""Synthesized templates and what tests ask of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    body: Json

    @property
    def type(self) -> str:
        """CloudFormation's type."""
        return str(self.body["Type"])

    @property
    def properties(self) -> Json:
        """The resource's properties."""
        return dict(self.body.get("Properties", {}))

    def __str__(self) -> str:
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Templates:
    """All templates of the application, by stack."""

    by_stack: dict[str, Json]
    assembly: Path

    @classmethod
    def read(cls, assembly: Path) -> Templates:
        """Read the templates of a cloud assembly."""
        return cls(
            {
                path.name.removesuffix(".template.json"): json.loads(path.read_text())
                for path in sorted(assembly.glob("*.template.json"))
            },
            assembly,
        )

    def asset(self, key: str) -> str:
        """Return the text of the file that is deployed under a key of the assets' bucket."""
        return (self.assembly / f"asset.{key}").read_text()

    def resources(self, kind: str | None = None, *, stack: str | None = None) -> list[Resource]:
        """Return resources, of one type and of one stack if asked."""
        return [
            resource
            for resource in self._all()
            if (kind is None or resource.type == kind) and (stack is None or resource.stack == stack)
        ]

    def one(self, kind: str, *, stack: str, having: str = "") -> Resource:
        """Return the one resource of a type whose logical id has a part."""
        found = [each for each in self.resources(kind, stack=stack) if having in each.logical_id]
        assert len(found) == 1, [str(each) for each in found]
        return found[0]

    def named(self, reference: Any) -> Resource:
        """Return what a stack refers to by another one's output, which is its ARN or name."""
        told = reference["Fn::GetStackOutput"]
        value = self.by_stack[told["StackName"]]["Outputs"][told["OutputName"]]["Value"]
        logical_id = value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else value["Ref"]
        return self.one_called(told["StackName"], logical_id)

    def one_called(self, stack: str, logical_id: str) -> Resource:
        """Return the resource of a logical id."""
        return Resource(stack, logical_id, self.by_stack[stack]["Resources"][logical_id])

    def outputs(self, stack: str) -> Json:
        """Return a stack's own outputs, without those that serve other stacks."""
        return {
            name: output["Value"]
            for name, output in self.by_stack[stack].get("Outputs", {}).items()
            if not name.startswith("ExportsOutput")
        }

    def statements(self) -> Iterator[tuple[Resource, Json]]:
        """Yield every statement of every identity policy, with the resource that has it."""
        for resource in self._all():
            if resource.type in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                for statement in resource.properties["PolicyDocument"]["Statement"]:
                    yield resource, statement
            if resource.type == "AWS::IAM::Role":
                for policy in resource.properties.get("Policies", []):
                    for statement in policy["PolicyDocument"]["Statement"]:
                        yield resource, statement

    def _all(self) -> Iterator[Resource]:
        for stack, template in self.by_stack.items():
            for logical_id, body in template["Resources"].items():
                yield Resource(stack, logical_id, body)


def flat(value: Any) -> str:
    """Write a value of a template as one line: `<Bucket.Arn>/raw/*`."""
    match value:
        case str():
            return value
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(map(flat, parts))
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return f"<{logical_id}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return f"<{flat(name)}>"
        case {"Fn::Sub": text}:
            return str(text)
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetStackOutput": {"StackName": stack, "OutputName": name}}:
            return f"<{stack}:{name}>"
    raise TypeError(f"no text for {value!r}")


def many(value: Any) -> list[Any]:
    """Return what a policy writes as one value or as a list, as a list."""
    return value if isinstance(value, list) else [value]
