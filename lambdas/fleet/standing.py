"""How a device stands: by the list of those that may join, and by the registry."""

from __future__ import annotations

from typing import Literal

from lambdas.adapters.allow_list import ListedDevice

Standing = Literal["allowed", "joined", "quarantined", "revoked", "not listed"]


def standing_of(entry: ListedDevice | None, *, quarantined: bool) -> Standing:
    """Return how a device stands; the quarantine counts before what the list says.

    Examples
    --------
    >>> standing_of(ListedDevice("A17", "hall-2", "joined"), quarantined=False)
    'joined'
    >>> standing_of(None, quarantined=False)
    'not listed'
    """
    if quarantined:
        return "quarantined"
    return "not listed" if entry is None else entry.state
