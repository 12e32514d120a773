"""What a caller may do: a role from the groups of the token, and the workloads that the tenant reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lambdas.http.callers import claims_of, let_only_readers, tenant_in
from lambdas.http.problems import FORBIDDEN, ServiceProblemError

Role = Literal["viewer", "operator", "admin"]
"""Each may do what those before it may."""
ROLES: tuple[Role, ...] = get_args(Role)
GROUPS_CLAIM = "cognito:groups"


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    user: str
    tenant: str
    role: Role

    def may(self, least: Role) -> bool:
        """Tell whether the role is this one, or one that may do more."""
        return ROLES.index(self.role) >= ROLES.index(least)

    def reads(self, readers: Collection[str]) -> bool:
        """Tell whether the caller may see a workload with these readers; an administrator sees all."""
        return self.role == "admin" or self.tenant in readers

    def let_read(self, readers: Collection[str], workload: str) -> None:
        """Refuse a caller who may not see a workload; see `let_only_readers`."""
        if not self.reads(readers):
            let_only_readers(self.tenant, readers, workload)

    def let_only(self, least: Role, what: str) -> None:
        """Refuse a caller whose role is not enough.

        Raises
        ------
        ServiceProblemError
            If it is not (`forbidden`).
        """
        if not self.may(least):
            raise ServiceProblemError(
                FORBIDDEN,
                f"{what} is for the role {least}, and {self.user} is {self.role}: an administrator of the "
                f"user pool may add {self.user} to the group {least}",
            )


def caller_of(event: dict[str, Any]) -> Caller:
    """Return who sent a request that API Gateway's JWT authorizer let through.

    Raises
    ------
    ServiceProblemError
        As `tenant_of`.
    """
    return caller_in(claims_of(event))


def caller_in(claims: Mapping[str, Any]) -> Caller:
    """Return who a token is of, by its claims; see `caller_of`."""
    tenant = tenant_in(claims)
    user = claims.get("email") or claims.get("cognito:username") or tenant
    return Caller(str(user), tenant, role_in(claims))


def role_in(claims: Mapping[str, Any]) -> Role:
    """Return the highest role among the groups of a token; without one, the lowest of all.

    API Gateway hands a list over as text: `[admin operator]`.

    Examples
    --------
    >>> role_in({"cognito:groups": "[operator others]"})
    'operator'
    >>> role_in({})
    'viewer'
    """
    said = claims.get(GROUPS_CLAIM) or ()
    groups = said.strip("[]").replace(",", " ").split() if isinstance(said, str) else list(said)
    return max((role for role in ROLES if role in groups), key=ROLES.index, default=ROLES[0])
