"""Policy documents: their statements, and whether a statement applies to a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from localcloud.iam.conditions import Context, Values, holds, like, wildcard

Json = Any
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# What stands for a character that is meant as itself; no ARN and no key has one of these.
_LITERALS = {"*": "\ue000", "?": "\ue001", "$": "$"}
_UNRESOLVED = "\ue002"


class PolicyError(ValueError):
    """A policy document that IAM would refuse."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator of a statement's condition; all conditions of a statement must hold."""

    operator: str
    key: str
    values: Values


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes
    ----------
    name : str
        Where it stands: the policy's name and the statement's number or Sid.
    principals : mapping or None
        Kind (``AWS``, ``Service``) to names, ``{"*": ("*",)}`` for everybody; None in an identity policy.
    """

    name: str
    effect: str
    actions: Values
    not_actions: Values
    resources: Values
    not_resources: Values
    principals: Mapping[str, Values] | None
    not_principals: Mapping[str, Values] | None
    conditions: tuple[Condition, ...]

    def concerns(self, action: str, resource: str, context: Context) -> bool:
        """Whether action, resource and conditions match a request."""
        return self._names_action(action) and self._names_resource(resource, context) and self._holds(context)

    def _names_action(self, action: str) -> bool:
        if self.actions:
            return any(matches_action(action, pattern) for pattern in self.actions)
        return not any(matches_action(action, pattern) for pattern in self.not_actions)

    def _names_resource(self, resource: str, context: Context) -> bool:
        if self.resources:
            return any(matches_resource(resource, pattern, context) for pattern in self.resources)
        if self.not_resources:
            return not any(matches_resource(resource, pattern, context) for pattern in self.not_resources)
        return True  # a trust policy names no resource: it is its role's

    def _holds(self, context: Context) -> bool:
        return all(
            holds(
                each.operator,
                tuple(_literal(fill(value, context)) for value in each.values)
                if any("${" in value for value in each.values)
                else each.values,
                context.get(each.key.lower()),
            )
            for each in self.conditions
        )


def parse(document: Json, name: str) -> tuple[Statement, ...]:
    """Read a policy document, as text or as a mapping.

    Raises
    ------
    PolicyError
        Naming the policy, the statement and the element that cannot be.
    """
    if isinstance(document, str):
        if not document:
            return ()
        try:
            document = json.loads(document)
        except ValueError as error:
            raise PolicyError(f"policy {name}: not JSON: {error}") from error
    if not document:
        return ()
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    return tuple(
        _statement(each, f"{name}#{each.get('Sid') or number}") for number, each in enumerate(statements)
    )


def _statement(content: dict[str, Any], name: str) -> Statement:
    if content.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"policy {name}: Effect {content.get('Effect')!r}: must be Allow or Deny")
    for element in ("Action", "Resource", "Principal"):
        if element in content and f"Not{element}" in content:
            raise PolicyError(f"policy {name}: has both {element} and Not{element}: one of them")
    if "Action" not in content and "NotAction" not in content:
        raise PolicyError(f"policy {name}: has no Action")
    return Statement(
        name=name,
        effect=content["Effect"],
        actions=_many(content.get("Action")),
        not_actions=_many(content.get("NotAction")),
        resources=_many(content.get("Resource")),
        not_resources=_many(content.get("NotResource")),
        principals=_principals(content.get("Principal")),
        not_principals=_principals(content.get("NotPrincipal")),
        conditions=tuple(
            Condition(operator, key, _many(values))
            for operator, keys in content.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def matches_resource(resource: str, pattern: str, context: Context) -> bool:
    """Whether a resource's ARN matches an element of ``Resource``, whose variables are filled in first."""
    if "${" in pattern:
        pattern = fill(pattern, context)
        return wildcard(pattern).fullmatch(resource) is not None or _literal(pattern) == resource
    return like(resource, pattern)


def fill(text: str, context: Context) -> str:
    """Fill in policy variables; ``${*}``, ``${?}`` and ``${$}`` stand for the characters themselves.

    A variable without value in the context, and without default, matches nothing.
    """

    def value(match: re.Match[str]) -> str:
        name, comma, default = match[1].partition(",")
        if name in _LITERALS:
            return _LITERALS[name]
        found = context.get(name.strip().lower())
        if isinstance(found, str):
            return found.replace("*", _LITERALS["*"]).replace("?", _LITERALS["?"])
        return default.strip().strip("'") if comma else _UNRESOLVED

    return _VARIABLE.sub(value, text)


def _literal(text: str) -> str:
    return text.replace(_LITERALS["*"], "*").replace(_LITERALS["?"], "?")


@lru_cache(maxsize=16384)
def matches_action(action: str, pattern: str) -> bool:
    return pattern == "*" or wildcard(pattern, ignore_case=True).fullmatch(action) is not None


def _many(value: Json) -> Values:
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _principals(value: Json) -> Mapping[str, Values] | None:
    if value is None:
        return None
    if value == "*":
        return {"*": ("*",)}
    return {kind: _many(names) for kind, names in value.items()}
