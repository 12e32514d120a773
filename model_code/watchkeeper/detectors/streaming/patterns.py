"""The distance of the newest pattern in a ring to the most similar earlier one (the left discord distance).

Source: the matrix profile's discord, Yeh et al., "Matrix Profile I", ICDM 2016, restricted to the past, so
that it is causal, and without normalisation of the amplitude, so that an unusual amplitude is unusual.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.protocol.compiled import HAVE_NUMBA, compiled

Ring = npt.NDArray[np.float32]


def _nearest_in_numpy(ring: Ring, newest: int, filled: int, length: int) -> float:
    ages = np.arange(length, filled - length + 1)
    if not len(ages):
        return np.nan
    total = np.zeros(len(ages))
    for offset in range(length):
        here = np.float64(ring[(newest - offset) % len(ring)])
        difference = here - ring[(newest - ages - offset) % len(ring)].astype(np.float64)
        total += difference * difference
    known = total[~np.isnan(total)]
    return float(np.sqrt(known.min() / length)) if len(known) else np.nan


def squared_differences(ring: Ring, newest: int, filled: int, length: int) -> npt.NDArray[np.float64]:
    """Return how far each element of the newest pattern is from its nearest earlier pattern, newest first.

    Parameters are those of `nearest_earlier_pattern`, which is the root of the mean of the result.

    Returns
    -------
    ndarray of float64, shape (length,)
        All 0 when there is no earlier pattern without a gap.
    """
    ages = np.arange(length, filled - length + 1)
    offsets = np.arange(length)[:, np.newaxis]
    here = ring[(newest - offsets) % len(ring)].astype(np.float64)
    squares = (here - ring[(newest - ages - offsets) % len(ring)].astype(np.float64)) ** 2
    total = squares.sum(axis=0)
    if not len(ages) or np.isnan(total).all():
        return np.zeros(length)
    nearest: npt.NDArray[np.float64] = squares[:, np.nanargmin(total)]
    return nearest


@compiled
def _nearest_compiled(ring: Ring, newest: int, filled: int, length: int) -> float:
    size, nearest = len(ring), np.inf
    last = newest % size
    for age in range(length, filled - length + 1):
        total = 0.0
        for offset in range(length):
            # Wrapped by adding: dividing twice a step takes most of the time.
            here, there = last - offset, last - age - offset
            here += size if here < 0 else 0
            there += size if there < 0 else 0
            difference = np.float64(ring[here]) - np.float64(ring[there])
            total += difference * difference
            if not total < nearest:
                break
        if total < nearest:
            nearest = total
    if nearest == np.inf:
        return np.nan
    return float(np.sqrt(nearest / length))


nearest_earlier_pattern = _nearest_compiled if HAVE_NUMBA else _nearest_in_numpy
"""Return the root mean square difference to the nearest earlier pattern; NaN when there is none without a
gap.

Parameters: `ring`; `newest`, the position of the newest element (it may exceed the ring's size); `filled`,
how many elements the ring holds; `length`, elements a pattern. Patterns that overlap the newest one are not
compared.
"""
