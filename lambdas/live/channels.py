"""The channels, and who hears which.

One channel has everything, for administrators. Each tenant has one with what happens to the workloads that
name it among their `readers`: who publishes reads the plan each time, so a change of `readers` works at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchkeeper.core.layout import short_hash

if TYPE_CHECKING:  # who publishes does without what the API is made of, and starts sooner
    from lambdas.http.roles import Caller

NAMESPACE = "watch"
EVERYTHING = f"/{NAMESPACE}/all"

_TENANT_CHARACTERS = 32


def channel_of(caller: Caller) -> str:
    """Return the channel that has all that a caller may see."""
    return EVERYTHING if caller.role == "admin" else tenant_channel(caller.tenant)


def tenant_channel(tenant: str) -> str:
    """Return a tenant's channel.

    A channel has fewer characters than a tenant may have, and no underscore.

    Examples
    --------
    >>> len(tenant_channel("acme").rpartition("/")[2])
    32
    """
    return f"/{NAMESPACE}/tenant/{short_hash(tenant, _TENANT_CHARACTERS)}"
