"""Why a value is anomalous, in words: a value inside its usual range is never called so without a reason."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from watchkeeper.features.contributions import Kind, inside_because, unusual_in
from watchkeeper.incidents.touched import Touched

Direction = Literal["high", "low", "silent", "unusual"]
_AGREEMENT = 0.8
"""Share of the intervals that lie on one side where a series is called high or low."""


def direction_of(part: Touched) -> Direction:
    """Return on which side a series is; `unusual` where on both, or inside its band."""
    if part.observed is None:
        return "silent"
    both = part.above + part.below
    if not both or is_inside(part):
        return "unusual"
    if part.above >= _AGREEMENT * both:
        return "high"
    return "low" if part.below >= _AGREEMENT * both else "unusual"


def is_inside(part: Touched) -> bool:
    """Tell whether the series' worst anomaly has a value inside the band that it was judged with."""
    if part.observed is None or part.lower is None or part.upper is None:
        return False
    return part.lower <= part.observed <= part.upper


def kind_of(part: Touched) -> tuple[Kind, str] | None:
    """Return what of a series is unusual, by what its scores are made of; None where that is not known."""
    parts: Counter[str] = Counter()
    for name, deviation in part.contributions.items():
        parts[name.partition("|")[0]] += deviation
    return unusual_in(parts)


def reason_of(part: Touched) -> str:
    """Return why the worst value of a series is anomalous, beside its expected value and band."""
    if part.observed is None:
        return "it has said nothing for too long"
    if part.expected is None or part.lower is None or part.upper is None:
        return f"{part.observed:.6g}; nothing was known before"
    band = f"{part.expected:.6g} expected, {part.lower:.6g} to {part.upper:.6g} usual"
    if not is_inside(part):
        side = "above" if part.observed > part.upper else "below"
        return f"{part.observed:.6g}, {side} its usual range ({band})"
    return f"{part.observed:.6g}, inside its usual range ({band}); {inside_because(kind_of(part))}"
