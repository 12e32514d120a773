"""What the next value of a series should be, and how far from it is still usual.

The expected value is the median of the newest three known values, so that one spike does not become the
expectation; the band is three robust standard deviations of the residuals that this expectation left in
training.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.telemetry.series import parse_series_key

EXPECTATION_LAGS = 3
BAND_WIDTH = 3.0
"""Half the band, in step scales."""

MAD_TO_SIGMA = 1.4826
"""The standard deviation of a normal distribution is 1.4826 of its median absolute deviation."""

_RELATIVE_FLOOR = 1e-6
_ABSOLUTE_FLOOR = 1e-9


@dataclass(frozen=True)
class Expectation:
    """An expected value and the band around it, in the measure's unit."""

    expected: float
    lower: float
    upper: float


def expected_value(known: Sequence[float]) -> float | None:
    """Return the median of the newest three values.

    Parameters
    ----------
    known
        Values of the intervals before, the newest first.

    Returns
    -------
    float or None
        None where nothing is known.
    """
    return statistics.median(known[:EXPECTATION_LAGS]) if known else None


def expectation(expected: float, step_scale: float) -> Expectation:
    """Return the band of `BAND_WIDTH` step scales to each side."""
    half = BAND_WIDTH * step_scale
    return Expectation(expected, expected - half, expected + half)


def fit_step_scale(pairs: Iterable[tuple[float, float | None]]) -> float:
    """Return the robust standard deviation of `value - expected` over a training part.

    The median absolute residual, times 1.4826. Where more than half of the residuals are 0, their mean
    absolute value; where all are, a millionth of the typical value, so that the scale is always above 0.

    Parameters
    ----------
    pairs
        `(value, expected)` of the training intervals; those without an expectation are left out.
    """
    values: list[float] = []
    residuals: list[float] = []
    for value, expected in pairs:
        values.append(abs(value))
        if expected is not None:
            residuals.append(abs(value - expected))
    floor = max(_ABSOLUTE_FLOOR, _RELATIVE_FLOOR * statistics.median(values) if values else 0.0)
    if not residuals:
        return floor
    return max(MAD_TO_SIGMA * statistics.median(residuals) or statistics.fmean(residuals), floor)


def step_scale_of(series: str, step_scales: Mapping[str, float]) -> float:
    """Return a series' step scale; of an unknown series, the median of its measure's.

    Raises
    ------
    ContractViolationError
        If no series of that measure is known.
    """
    if series in step_scales:
        return step_scales[series]
    return fleet_scale_of(series, fleet_scales(step_scales))


def fleet_scales(step_scales: Mapping[str, float]) -> dict[str, float]:
    """Return the median step scale of each measure's series."""
    of_measure: dict[str, list[float]] = {}
    for series, scale in step_scales.items():
        of_measure.setdefault(parse_series_key(series).measure, []).append(scale)
    return {measure: statistics.median(scales) for measure, scales in of_measure.items()}


def fleet_scale_of(series: str, fleet: Mapping[str, float]) -> float:
    """Return the step scale of an unknown series.

    Raises
    ------
    ContractViolationError
        If no series of its measure is known.
    """
    measure = parse_series_key(series).measure
    if measure not in fleet:
        raise ContractViolationError(
            f"no step scale of a series of measure {measure!r} is known: train again"
        )
    return fleet[measure]
