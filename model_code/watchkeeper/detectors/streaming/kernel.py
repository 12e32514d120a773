"""One step of the detector: what a value means, given only what came before it.

The step itself is in C (`detectors/native/step.c`); this is how it is called, for the rows of one series or
for a row of each of many.
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.detectors.native import library as native
from watchkeeper.detectors.native.library import FLOAT, INT, address
from watchkeeper.detectors.streaming.state import PARAMETERS, STATE

Records = npt.NDArray[np.void]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

OUTPUT = np.dtype(
    [
        ("onset", "<f8"),  # evidence that something new begins, after suppression; 0 on most rows
        ("level", "<f8"),  # how unusual the last hours are, 0 to about 10
        ("channels", "<f8", (4,)),  # evidence of each channel, before suppression
        ("expected", "<f8"),
        ("band", "<f8"),  # half the width of the band around expected
        ("varied", "<f8"),  # 1 when the series has ever changed
        ("confidence", "<f8"),  # 0 to 1: how much of what the detector compares with is there yet
    ]
)


def advance_all(
    state: Records, parameters: Records, hours: IntArray, missing: IntArray, values: FloatArray
) -> Records:
    """Score and learn the values of one series in order.

    Parameters
    ----------
    state : array of STATE, shape (1,), changed in place
    parameters : array of PARAMETERS, shape (1,)
        Of `Parameters.record`.
    hours : array of int64, shape (n_rows,)
        Hour of the week, 0 to 167, whose remainder by 24 is the hour of the day; 0 throughout when there are
        no timestamps.
    missing : array of int64, shape (n_rows,)
        How many intervals without a row there are before each value.
    values : array of float64, shape (n_rows,)
        NaN is a missing interval.

    Returns
    -------
    array of OUTPUT, shape (n_rows,)
    """
    outputs = np.empty(len(values), dtype=OUTPUT)
    done = _checked().advance_all(
        address(state, STATE),
        address(parameters, PARAMETERS),
        ctypes.c_longlong(len(values)),
        *_rows(hours, missing, values),
        address(outputs, OUTPUT),
    )
    if done < 0:
        raise ContractViolationError(f"hours {hours.min()} to {hours.max()} are not of a week")
    return outputs


def advance_rows(
    states: Records,
    parameters: Records,
    hours: IntArray,
    missing: IntArray,
    values: FloatArray,
    *,
    places: IntArray | None = None,
) -> Records:
    """Score and learn one value of each of many series.

    Parameters
    ----------
    states : array of STATE, changed in place
    parameters, hours, missing, values
        As of `advance_all`, an element a series.
    places : array of int64, shape (n_rows,), optional
        Which state each value is for, no state twice; by default the first value is for the first state, and
        so on.

    Returns
    -------
    array of OUTPUT, shape (n_rows,)
    """
    chosen = np.arange(len(values)) if places is None else places
    if len(chosen) != len(values):
        raise ContractViolationError(f"{len(values)} values for {len(chosen)} states")
    outputs = np.empty(len(values), dtype=OUTPUT)
    done = _checked().advance_rows(
        address(states, STATE),
        ctypes.c_longlong(len(states)),
        address(chosen, INT),
        address(parameters, PARAMETERS),
        ctypes.c_longlong(len(values)),
        *_rows(hours, missing, values),
        address(outputs, OUTPUT),
    )
    if done < 0:
        raise ContractViolationError(
            f"hours {hours.min()} to {hours.max()} are not of a week, or states {chosen.min()} to "
            f"{chosen.max()} are not among {len(states)}"
        )
    return outputs


def week_counts(state: Records, parameters: Records) -> bool:
    """Return whether the evidence of a series' hour is that of the week's profile; arrays of shape (1,)."""
    return bool(_checked().week_counts(address(state, STATE), address(parameters, PARAMETERS)))


def constant(name: str) -> float:
    """Return a constant of the kernel, such as `warm_rows`."""
    return ctypes.c_double.in_dll(_checked(), name).value


def _rows(hours: IntArray, missing: IntArray, values: FloatArray) -> tuple[ctypes.c_void_p, ...]:
    if not len(hours) == len(missing) == len(values):
        raise ContractViolationError(f"{len(hours)} hours, {len(missing)} missing, {len(values)} values")
    return address(hours, INT), address(missing, INT), address(values, FLOAT)


@functools.cache
def _checked() -> ctypes.CDLL:
    """Return the library, whose records are this package's."""
    for name, dtype in (("state", STATE), ("parameters", PARAMETERS), ("output", OUTPUT)):
        native.require_layout(name, dtype)
    library = native.library()
    library.advance_all.restype = library.advance_rows.restype = ctypes.c_longlong
    return library
