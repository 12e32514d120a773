"""The policies that the account holds now: of its roles, their boundaries, of resources and of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from localcloud.authorization.needs import Need
from localcloud.iam import policies
from localcloud.iam.evaluation import Policies, Principal, Rule, Statements
from localcloud.seams import iam

Documents = dict[str, str]
"""Policy documents as JSON, by the name of the policy."""

_NO_STATEMENTS: Statements = ()
_WITH_POLICY = frozenset({"s3", "sqs", "sns", "lambda", "kms"})


class Account:
    """Finds policies in the state of the laptop's AWS.

    Parameters
    ----------
    account
        Twelve digits.
    """

    def __init__(self, account: str) -> None:
        self._account = account

    def policies(self, principal: Principal, need: Need) -> Policies:
        """Return what a request is evaluated by."""
        identity = boundary = None
        if not principal.is_service:
            role = self._role(principal.role_arn)
            identity = statements(self.identity(role))
            boundary = statements(self.boundary(role)) if role.get("PermissionsBoundary") else None
        service = need.action.partition(":")[0]
        return Policies(
            identity=identity or _NO_STATEMENTS,
            boundary=boundary,
            resource=statements(self.of_resource(policy_arn(need))) if service in _WITH_POLICY else (),
            rule=Rule.RESOURCE_FIRST if service == "kms" else Rule.EITHER,
            granted=self._granted(principal, need) if service == "kms" else frozenset(),
        )

    def trust(self, role_arn: str) -> Policies:
        """Return what an assumption of a role is evaluated by."""
        return Policies(resource=statements(self.trust_document(role_arn)), rule=Rule.RESOURCE_ONLY)

    def trust_document(self, role_arn: str) -> Documents:
        """Return a role's trust policy."""
        document = self._role(role_arn).get("AssumeRolePolicyDocument")
        return {f"{role_arn.rpartition('/')[2]} trust": _text(document)} if document else {}

    def identity(self, role: Mapping[str, Any]) -> Documents:
        """Return the policies of a role, inline and attached."""
        found = {name: _text(document) for name, document in (role.get("InlinePolicies") or {}).items()}
        for arn in role.get("AttachedPolicies") or ():
            found[arn] = self._managed(arn)
        return found

    def boundary(self, role: Mapping[str, Any]) -> Documents:
        """Return the permissions boundary of a role."""
        arn = role.get("PermissionsBoundary")
        return {arn: self._managed(arn)} if arn else {}

    def of_resource(self, arn: str) -> Documents:
        """Return the policy of a resource that has one; an action without a resource (`*`) has none."""
        if arn == "*":
            return {}
        found = iam.resource_policy(arn.split(":")[2], arn)
        return {arn: _text(found[0])} if found and found[0] else {}

    def roles(self) -> Iterator[Mapping[str, Any]]:
        """Yield the account's roles."""
        yield from list(iam.roles.values())

    def _role(self, role_arn: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = iam.roles.get_scoped(
            self._account, None, role_arn.rpartition("/")[2]
        )
        return found or {}

    def _managed(self, arn: str) -> str:
        return _text(iam.managed_policy(arn, self._account) or "")

    def _granted(self, principal: Principal, need: Need) -> frozenset[str]:
        names = {principal.arn, principal.role_arn} - {""}
        return frozenset(
            f"kms:{operation}"
            for grant in list(iam.grants.values())
            if grant["KeyId"] == need.resource and grant["GranteePrincipal"] in names
            if _within(grant.get("Constraints") or {}, need)
            for operation in grant["Operations"]
        )


def statements(documents: Documents) -> Statements:
    """Return the statements of policies, in order."""
    if len(documents) == 1:
        ((name, text),) = documents.items()
        return _parsed(text, name)
    return tuple(each for name, text in documents.items() for each in _parsed(text, name))


def policy_arn(need: Need) -> str:
    """Return the ARN of the resource that has the policy: of an object, its bucket."""
    arn = need.resource
    return arn.partition("/")[0] if arn.startswith("arn:aws:s3:::") else arn


@lru_cache(maxsize=4096)
def _parsed(text: str, name: str) -> Statements:
    return policies.parse(text, name)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _within(constraints: Mapping[str, Mapping[str, str]], need: Need) -> bool:
    kinds = ("EncryptionContextSubset", "EncryptionContextEquals")
    return all(
        need.context.get(f"kms:encryptioncontext:{name.lower()}") == value
        for kind in kinds
        for name, value in constraints.get(kind, {}).items()
    )
