"""Whose channel of live events is which."""

from __future__ import annotations

from lambdas.http.roles import Caller
from watchkeeper.core.layout import short_hash

NAMESPACE = "watch"


def channel_of(caller: Caller) -> str:
    """Return the channel that a caller may subscribe to: its tenant's, of an administrator that of all.

    A segment of a channel takes letters, digits and dashes, and 50 of them: of the tenant's name the hash.
    """
    if caller.role == "admin":
        return f"/{NAMESPACE}/all"
    return f"/{NAMESPACE}/tenant/{tenant_segment(caller.tenant)}"


def tenant_segment(tenant: str) -> str:
    """Return a tenant's part of its channel."""
    return short_hash(tenant, 32)
