"""Exponentials, logarithms and tables of arrays: the same to the bit on every host of a platform."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.native.library import FLOAT, address, library

FloatArray = npt.NDArray[np.float64]


def exponential(x: npt.ArrayLike) -> FloatArray:
    """Return e to the power of each number, to about one unit in the last place."""
    return _of_each("exponentials", x)


def decimal_logarithm(x: npt.ArrayLike) -> FloatArray:
    """Return the logarithm of each number to base 10, to about two units in the last place."""
    return _of_each("decimal_logarithms", x)


def interpolated(x: npt.ArrayLike, table: FloatArray) -> FloatArray:
    """Return the straight lines between the points of a table, shape (n_points, 2), at each x; its ends go on
    level."""
    numbers = np.asarray(x, dtype=np.float64, order="C")
    out = np.empty_like(numbers)
    library().interpolate(
        address(table, FLOAT),
        ctypes.c_longlong(len(table)),
        address(numbers, FLOAT),
        ctypes.c_longlong(numbers.size),
        address(out, FLOAT),
    )
    return out


def _of_each(function: str, x: npt.ArrayLike) -> FloatArray:
    numbers = np.asarray(x, dtype=np.float64, order="C")
    out = np.empty_like(numbers)
    getattr(library(), function)(
        address(numbers, FLOAT), ctypes.c_longlong(numbers.size), address(out, FLOAT)
    )
    return out
