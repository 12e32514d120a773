"""numba where it is installed; the same Python, slower, where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    import numba
except ImportError:
    HAVE_NUMBA = False
else:
    HAVE_NUMBA = True


def compiled(function: Function) -> Function:
    """Compile with numba, without fast-math, so that both ways give the same numbers."""
    if not HAVE_NUMBA:
        return function
    result: Function = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return result


def compiled_reassociating(function: Function) -> Function:
    """Compile, and let sums be reordered for vector instructions: equal to about 1e-15, not to the bit."""
    if not HAVE_NUMBA:
        return function
    result: Function = numba.njit(
        cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract", "nnan", "ninf"}
    )(function)
    return result
