"""Several columns together: correlations that break, and small deviations of many columns at once.

How it is judged is in C (`detectors/native/together.c`); this is what it remembers, and how it is called.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.native.library import FLOAT, INT, address, library
from watchkeeper.detectors.streaming.state import DAY_HOURS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Record = npt.NDArray[np.void]

# As in C, where the rest of the rule is.
FIRST_SPREAD = 0.3
ONGOING = 2.0
"""The surprise from which something goes on."""
QUIET_ROWS = 12


@dataclass(frozen=True)
class Together:
    """What is said of rows by all columns together.

    Attributes
    ----------
    surprise : ndarray, shape (n_rows,)
        How unusual the row is, in spreads above its usual; at least 0.
    onset : ndarray, shape (n_rows,)
        The surprise where it is news, less what is habit; 0 on most rows.
    parts : ndarray, shape (n_rows, n_columns)
        The share of each column; they add up to 1, or are all 0.
    """

    surprise: FloatArray
    onset: FloatArray
    parts: FloatArray


def new_together(columns: int) -> Record:
    """Return what is remembered of so many columns that have been seen nowhere, shape (1,)."""
    record = np.zeros(1, dtype=together_dtype(columns))
    record["covariance"] = record["whitening"] = np.eye(columns)
    record["spread"] = FIRST_SPREAD
    record["quiet"] = QUIET_ROWS
    return record


def together_dtype(columns: int) -> np.dtype[np.void]:
    """Return the record of so many columns."""
    return np.dtype(
        [
            ("rows", "<i8"),
            ("mean", "<f8", (columns,)),
            ("size", "<f8", (columns,)),  # of the deviations
            ("seen", "<i8", (columns,)),
            ("profile", "<f8", (DAY_HOURS, columns)),
            ("profile_rows", "<i8", (DAY_HOURS, columns)),
            ("covariance", "<f8", (columns, columns)),
            ("whitening", "<f8", (columns, columns)),
            ("usual", "<f8"),  # of the logarithm of the sum
            ("spread", "<f8"),
            ("onsets", "<f8"),  # decayed count of them
            ("held", "<f8"),  # the strongest surprise of what goes on
            ("quiet", "<i8"),  # rows since it went on
        ]
    )


def advance_together(record: Record, hours: IntArray, values: FloatArray) -> Together:
    """Score and learn rows, shape (n_rows, n_columns), in order; `hours` of the week.

    A column that is missing is as expected.
    """
    rows, columns = values.shape
    readings, surprise, onset = np.ascontiguousarray(values), np.empty(rows), np.empty(rows)
    parts, scratch = np.empty((rows, columns)), np.empty(3 * columns + 2 * columns**2)
    library().advance_together(
        address(record, together_dtype(columns)),
        ctypes.c_longlong(columns),
        ctypes.c_longlong(rows),
        address(hours, INT),
        *(address(numbers, FLOAT) for numbers in (readings, scratch, surprise, onset, parts)),
    )
    return Together(surprise, onset, parts)
