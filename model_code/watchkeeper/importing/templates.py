"""CloudFormation templates: JSON or YAML, and what their intrinsic functions give.

A value that only a stack knows stays as `${Name}`: what reads it says so to the user.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

_TAGS = ("Base64", "Cidr", "FindInMap", "GetAZs", "If", "ImportValue", "Join", "Select", "Split", "Sub")
_CONDITIONS = ("And", "Equals", "Not", "Or")
_NOTHING = "${AWS::NoValue}"
_HOLE = re.compile(r"\$\{([^}]+)\}")
_PLACEHOLDER = re.compile(r"\$\{!?([\w:.]+)\}")


class TemplateLoader(yaml.SafeLoader):
    """Reads the short forms of intrinsic functions, such as `!Sub`, as their long forms."""


def _short_form(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
    value: Any
    suffix = node.tag.removeprefix("!")
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third kind of nodes
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


for _tag in ("Ref", "Condition", "GetAtt", *_TAGS, *_CONDITIONS):
    TemplateLoader.add_constructor(f"!{_tag}", _short_form)


def is_template(document: Mapping[str, Any]) -> bool:
    """Whether a document is a template: it has resources, each with a type."""
    resources = document.get("Resources")
    return isinstance(resources, Mapping) and all(
        isinstance(each, Mapping) and "Type" in each for each in resources.values()
    )


def open_values(value: Any) -> list[str]:
    """Return the names in a value that only a stack knows."""
    if isinstance(value, str):
        return list(_PLACEHOLDER.findall(value))
    if isinstance(value, Mapping):
        return [name for each in value.values() for name in open_values(each)]
    if isinstance(value, Sequence):
        return [name for each in value for name in open_values(each)]
    return []


class Template:
    """A template whose values can be asked for.

    Parameters
    ----------
    parameters
        Values of the template's parameters; without one, its default.
    """

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self._document = document
        declared = document.get("Parameters") or {}
        defaults = {
            name: each["Default"]
            for name, each in declared.items()
            if isinstance(each, Mapping) and "Default" in each
        }
        self._parameters = {**defaults, **parameters}

    def resources(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return the properties of the resources of a type, by their logical ids."""
        found = {}
        for name, resource in self._document["Resources"].items():
            condition = resource.get("Condition")
            if resource["Type"] == kind and (condition is None or self._holds(condition)):
                properties = self._value(resource.get("Properties") or {})
                found[name] = properties if isinstance(properties, Mapping) else {}
        return found

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1:
                function, argument = next(iter(value.items()))
                if function in ("Ref", "Condition") or str(function).startswith("Fn::"):
                    return self._called(str(function), argument)
            resolved = {name: self._value(each) for name, each in value.items()}
            return {name: each for name, each in resolved.items() if each != _NOTHING}
        if isinstance(value, list):
            return [each for each in map(self._value, value) if each != _NOTHING]
        return value

    def _called(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return self._parameters.get(argument, f"${{{argument}}}")
        if function == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            return self._value(argument[1] if self._holds(argument[0]) else argument[2])
        argument = self._value(argument)
        match function, argument:
            case "Fn::GetAtt", [name, attribute]:
                return f"${{{name}.{attribute}}}"
            case "Fn::Join", [str(between), list(parts)]:
                return between.join(map(str, parts))
            case "Fn::Sub", str(text):
                return self._filled(text, {})
            case "Fn::Sub", [str(text), {**names}]:
                return self._filled(text, dict(names))
            case "Fn::Split", [str(between), str(text)]:
                return text.split(between)
            case "Fn::Select", [position, list(choices)] if str(position).isdigit():
                return choices[int(position)] if int(position) < len(choices) else f"${{{function}}}"
            case "Fn::FindInMap", [name, first, second, *_]:
                try:
                    return self._document["Mappings"][name][first][second]
                except (KeyError, TypeError):
                    return f"${{{name}.{first}.{second}}}"
            case "Fn::ImportValue", str(text):
                return "${" + _HOLE.sub(r"\1", text) + "}"
        return f"${{{function}}}"

    def _filled(self, text: str, names: Mapping[Any, Any]) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            return str(names.get(name, self._parameters.get(name, match[0])))

        return _HOLE.sub(value, text)

    def _holds(self, condition: Any) -> bool:
        """Return whether a condition holds; one that cannot be told does, so that nothing is lost."""
        match condition:
            case str():
                return self._holds(self._document.get("Conditions", {}).get(condition))
            case {"Condition": str(name)}:
                return self._holds(name)
            case {"Fn::Equals": [first, second]}:
                return bool(self._value(first) == self._value(second))
            case {"Fn::Not": [only]}:
                return not self._holds(only)
            case {"Fn::And": list(parts)}:
                return all(map(self._holds, parts))
            case {"Fn::Or": list(parts)}:
                return any(map(self._holds, parts))
        return True
