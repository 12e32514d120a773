"""The rule of persistence: a value is like the values shortly before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.protocol.batch import BatchDetector, complete_rows
from watchkeeper.detectors.protocol.detector import as_rows
from watchkeeper.detectors.tabular.rule_parameters import checked_parameters, default_of
from watchkeeper.detectors.tabular.rules import SMALLEST_WIDTH, limited, worst_of

FloatArray = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
_BLOCK_CELLS = 250_000
_ONE_RUN: Positions = np.zeros(1, dtype=np.int64)


@dataclass(kw_only=True, eq=False)
class PersistRule(BatchDetector):
    """A value is an anomaly when it leaves the median of the values before it by more than usual.

    Rows are in time order, in the fit and in every call; the first row of a call follows the last of the fit.
    A row with NaN is left out. Rows that have fewer than `window` before them are compared with those, and
    the first one with nothing.

    Parameters
    ----------
    window : int, default 12
        Rows of the median.
    margin : float, default 3
        How many interquartile ranges of the fit's differences are usual.
    max_gap : int, optional
        Where the fit's rows have times: after more than so many usual steps without a value, what was before
        is forgotten, and the row is a first one. The usual step is the median of those between the different
        times of complete rows. Without it, `window`: the median of a series without gaps is of rows that are
        at most so many steps old.
    """

    format: ClassVar[str] = "watchkeeper-persist"
    state_names: ClassVar[tuple[str, ...]] = ("width_", "before_")

    window: int = default_of("persist", "window")
    margin: float = default_of("persist", "margin")
    max_gap: int | None = default_of("persist", "max_gap")

    def fit_scores(self, X: npt.ArrayLike, times: FloatArray | None = None) -> FloatArray:
        """Learn the usual differences of rows in time order, and return the rows' own raw scores.

        Parameters
        ----------
        times
            Seconds, shape (n_rows,), ascending; without them no gap is known.
        """
        rows = as_rows(X)
        self._check_parameters()
        complete = complete_rows(rows)
        begins = _ONE_RUN
        if times is not None:
            if len(times) != len(rows):
                raise InvalidInputError(f"{len(times)} times of {len(rows)} rows: give one a row")
            begins = begins_of(times[complete], self.max_gap or self.window)
        scores = self._fit_complete(rows, complete, partial(self._learn_runs, begins=begins))
        self.before_ = limited(rows[complete][begins[-1] :][-self.window :])
        return scores

    def _check_parameters(self) -> None:
        checked_parameters("persist", self.get_params())

    def _threshold(self) -> float:
        return self.margin

    def _learn(self, rows: FloatArray) -> FloatArray:
        return self._learn_runs(rows, _ONE_RUN)

    def _learn_runs(self, rows: FloatArray, begins: Positions) -> FloatArray:
        changes = differences(limited(rows), np.empty((0, rows.shape[1])), begins, self.window)
        first, last = np.quantile(changes, [0.25, 0.75], axis=0)
        self.width_ = np.maximum(last - first, SMALLEST_WIDTH)
        return worst_of(np.abs(changes), self.width_)

    def _raw(self, rows: FloatArray) -> FloatArray:
        changes = differences(limited(rows), self.before_, _ONE_RUN, self.window)
        return worst_of(np.abs(changes), self.width_)

    def _restore(self) -> None:
        self.n_features_in_ = len(self.width_)


def begins_of(times: FloatArray, max_gap: float) -> Positions:
    """Return the rows at which a series begins: the first, and each after a gap of too many usual steps.

    Parameters
    ----------
    times
        Shape (n_rows,), ascending.
    max_gap
        Most usual steps, a usual step being the median of those that are not 0.
    """
    steps = np.diff(times)
    forward = steps[steps > 0]
    if not len(forward):
        return _ONE_RUN
    gaps: Positions = np.flatnonzero(steps > max_gap * np.median(forward)) + 1
    return np.concatenate((_ONE_RUN, gaps))


def differences(rows: FloatArray, before: FloatArray, begins: Positions, window: int) -> FloatArray:
    """Return rows less the median of the `window` rows before each, shape (n_rows, n_columns).

    Parameters
    ----------
    rows
        Shape (n_rows, n_columns), finite.
    before
        The rows before the first, at most `window`.
    begins
        Positions in `rows`, 0 the first: what was before does not count, but `before` for the first.
    """
    joined = np.concatenate((before, rows))
    starts = np.concatenate(([0], begins[1:] + len(before)))
    age = np.arange(len(joined)) - np.repeat(starts, np.diff(starts, append=len(joined)))
    age = age[len(before) :]
    place = np.arange(len(before), len(joined))
    changes: FloatArray = np.empty(rows.shape)
    full, few = np.flatnonzero(age >= window), np.flatnonzero(age < window)
    for chosen, length in [*_in_blocks(full, window, rows.shape[1]), *_by_age(few, age)]:
        windows = np.lib.stride_tricks.sliding_window_view(joined, length, axis=0)
        # what begins has nothing before it but itself
        back = length if age[chosen[0]] else 0
        changes[chosen] = rows[chosen] - _medians(windows[place[chosen] - back])
    return changes


def _in_blocks(rows: Positions, window: int, n_columns: int) -> list[tuple[Positions, int]]:
    size = max(_BLOCK_CELLS // (window * n_columns), 1)
    return [(rows[start : start + size], window) for start in range(0, len(rows), size)]


def _by_age(rows: Positions, age: Positions) -> list[tuple[Positions, int]]:
    """Return rows with fewer than a window before them, together those with equally many."""
    order = rows[np.argsort(age[rows], kind="stable")]
    ages, firsts = np.unique(age[order], return_index=True)
    bounds = pairwise([*firsts.tolist(), len(order)])
    return [
        (order[start:end], max(int(length), 1)) for length, (start, end) in zip(ages, bounds, strict=True)
    ]


def _medians(windows: FloatArray) -> FloatArray:
    """Return medians of the last axis: numpy's, faster for many short rows."""
    ordered = np.sort(windows, axis=-1)
    middle = ordered.shape[-1] // 2
    if ordered.shape[-1] % 2:
        found: FloatArray = ordered[..., middle]
        return found
    return (ordered[..., middle - 1] + ordered[..., middle]) / 2.0
