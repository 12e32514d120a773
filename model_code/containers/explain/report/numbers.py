"""Numbers as a reader takes them in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def number(value: float, *, signed: bool = False) -> str:
    """Return a number with three digits that count.

    Examples
    --------
    >>> [number(value) for value in (0.0, 0.012345, 9.87654, 1234.5)]
    ['0', '0.0123', '9.88', '1,234']
    >>> number(0.5, signed=True)
    '+0.5'
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    sign = "−" if value < 0 else ("+" if signed else "")
    size = abs(value)
    if size == 0.0:
        return "0"
    if size >= 1000:
        return f"{sign}{size:,.0f}"
    if size < 1e-4:
        return f"{sign}{size:.1e}"
    text = f"{size:.{max(0, 2 - math.floor(math.log10(size)))}f}"
    return sign + (text.rstrip("0").rstrip(".") if "." in text else text)


def percent(share: float) -> str:
    """Return a share as a percentage; a small one is not 0.

    Examples
    --------
    >>> [percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)]
    ['0 %', '0.1 %', '50 %', '99.9 %', '100 %']
    """
    points = 100.0 * share
    near_an_end = 0.0 < points < 1.0 or 99.0 < points < 100.0
    return f"{points:.1f} %" if near_an_end else f"{points:.0f} %"


def cell(value: Any) -> str:
    """Return a cell of a table: a number in short, text as it is."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "missing"
    if isinstance(value, int | float | np.number):
        return number(float(value))
    return str(value)


def listing(items: list[str]) -> str:
    """Join with commas, and "and" before the last.

    Examples
    --------
    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
