"""On which shelf a series lies: shelves are the leaves of a tree over the bits of a hash.

What is hashed is the series' place, its dimensions: all measures of one device lie on one shelf, so whoever
looks at them together needs no other.
"""

from __future__ import annotations

import hashlib

SHELF_SERIES = 1024
"""A shelf that would hold more splits in two."""
ROOT = ""
"""The shelf of a workload that has only one."""

_BYTES = 8


def bits_of(series: str) -> str:
    """Return the path to a series' shelf: 64 characters 0 or 1, of which a shelf's name is the beginning."""
    place = series.partition("|")[2]
    return f"{int.from_bytes(hashlib.sha256(place.encode()).digest()[:_BYTES], 'big'):064b}"


def children(shelf: str) -> tuple[str, str]:
    """Return the shelves that a shelf splits into."""
    return f"{shelf}0", f"{shelf}1"


def can_split(paths: set[str]) -> bool:
    """Tell whether there are two places: the series of one place stay together, however many they are."""
    return len(paths) > 1
