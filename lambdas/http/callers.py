"""Who calls: the tenant of a request, and which workloads it may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from lambdas.http.problems import FORBIDDEN, ServiceProblemError
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.service.tenant_files import tenant_root

TENANT_CLAIM = "custom:tenant"
"""Set by an administrator; a caller without it is a tenant alone, by the name of the claim `sub`."""


def tenant_of(event: dict[str, Any]) -> str:
    """Return the tenant of a request that API Gateway's JWT authorizer let through.

    Raises
    ------
    ServiceProblemError
        If the token names none, or one that is no name (`forbidden`).
    """
    return tenant_in(claims_of(event))


def tenant_in(claims: Mapping[str, Any]) -> str:
    """Return the tenant of a user by the claims of the token; see `tenant_of`."""
    if claims.get("token_use", "id") != "id":  # an access token has no attributes of the user
        raise ServiceProblemError(FORBIDDEN, "the token is an access token: send the ID token")
    tenant = claims.get(TENANT_CLAIM) or claims.get("sub")
    if not isinstance(tenant, str):
        raise ServiceProblemError(FORBIDDEN, f"the token has neither {TENANT_CLAIM} nor sub")
    try:
        tenant_root(tenant)
    except InvalidInputError as error:
        raise ServiceProblemError(FORBIDDEN, str(error)) from error
    return tenant


def claims_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of the token that API Gateway's JWT authorizer let through; none without one."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    return (authorizer.get("jwt") or {}).get("claims") or {}


def let_only_readers(tenant: str, readers: Collection[str], workload: str) -> None:
    """Refuse a tenant that a workload does not name: whether there is such a workload is not told to it.

    Raises
    ------
    ServiceProblemError
        If it is not among the readers (`forbidden`).
    """
    if tenant not in readers:
        raise ServiceProblemError(
            FORBIDDEN, f"tenant {tenant} is not among the `readers` of a workload {workload!r}"
        )
