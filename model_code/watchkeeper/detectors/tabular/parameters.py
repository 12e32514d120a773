"""Checks of hyperparameters that several detectors have."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

from watchkeeper.core.errors import InvalidInputError


def require_whole(value: object, name: str, at_least: int = 1) -> None:
    """Refuse what is not a whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < at_least:
        raise InvalidInputError(f"{name} is {value!r}: give a whole number of at least {at_least}")


def require_one_of(value: object, name: str, allowed: Sequence[str]) -> None:
    """Refuse a word that is not allowed."""
    if value not in allowed:
        raise InvalidInputError(f"{name} is {value!r}: allowed are {', '.join(allowed)}")


def require_within(value: object, name: str, low: float, high: float) -> None:
    """Refuse a number that is not above `low` and at most `high`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not low < float(value) <= high:
        raise InvalidInputError(f"{name} is {value!r}: give a number above {low:g} and at most {high:g}")
