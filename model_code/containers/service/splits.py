"""Which labelled rows a search may learn from, which it chooses by, and which it never sees.

A quarter of the rows is held out for one measurement at the end. With times it is the last quarter, and the
candidates learn the first half and are compared on the quarter between: nothing learns from the future.
Without times rows are in no order, so parts are drawn at random with anomalies in equal shares, and
candidates are compared by three-fold cross-validation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from containers.service.labels import Labels
from containers.service.tables import Part
from watchkeeper.core.errors import InvalidInputError

HELD_OUT = 0.25
FOLDS = 3
SEED = 0
MIN_ROWS = 40

Rows = npt.NDArray[np.int64]
AnyPart = TypeVar("AnyPart", bound=Part)


@dataclass(frozen=True)
class Fold:
    """Rows to learn and rows to be compared on; neither has a row of the held-out part."""

    learn: Rows
    judge: Rows


@dataclass(frozen=True)
class Split:
    """How labelled rows are used."""

    kind: str
    """`time` or `stratified`."""
    folds: tuple[Fold, ...]
    search: Rows
    """All rows that the search may use."""
    held_out: Rows


def in_order(parts: Iterable[AnyPart]) -> Iterator[AnyPart]:
    """Pass on the consecutive parts of a table whose rows do not go back in time.

    Raises
    ------
    InvalidInputError
        One does (reason `bad_time`).
    """
    last = -np.inf
    for part in parts:
        if part.times is not None:
            back = np.flatnonzero(np.diff(part.times, prepend=last) < 0)
            if len(back):
                raise InvalidInputError(
                    f"row {part.first_row + int(back[0])} is earlier than the row before it: this algorithm "
                    "takes rows in the order of time; sort the file",
                    reason="bad_time",
                )
            last = float(part.times[-1])
        yield part


def split_rows(labels: Labels, times: npt.NDArray[np.float64] | None, *, in_order: bool = False) -> Split:
    """Split the rows of a table.

    Parameters
    ----------
    labels
        Shape (n_rows,).
    times
        Shape (n_rows,), in any order, or None.
    in_order
        The rows are consecutive even without times: the detector is a streaming one.

    Raises
    ------
    InvalidInputError
        If there are too few rows, or no anomaly that a candidate can be compared by (reason `bad_labels`).
    """
    if len(labels) < MIN_ROWS:
        raise InvalidInputError(
            f"{len(labels)} labelled rows: a search needs at least {MIN_ROWS}; train without labels",
            reason="too_few_rows",
        )
    if times is None and not in_order:
        split = _stratified(labels)
    else:
        order = np.arange(len(labels)) if times is None else np.argsort(times, kind="stable")
        split = _by_time(order)
    judged = np.concatenate([fold.judge for fold in split.folds])
    if not labels[judged].any():
        raise InvalidInputError(
            f"the labels have no anomaly in the part that candidates are compared on ({split.kind} split, "
            f"{len(judged)} of {len(labels)} rows): the search has nothing to go by; train without labels, "
            "or give labels with anomalies there",
            reason="bad_labels",
        )
    return split


def _by_time(order: Rows) -> Split:
    end = len(order) - round(HELD_OUT * len(order))
    middle = len(order) // 2
    return Split("time", (Fold(order[:middle], order[middle:end]),), order[:end], order[end:])


def _stratified(labels: Labels) -> Split:
    parts = _dealt(labels, np.arange(len(labels)), round(1 / HELD_OUT))
    held_out, search = parts[0], np.sort(np.concatenate(parts[1:]))
    judged = _dealt(labels, search, FOLDS)
    folds = tuple(Fold(np.setdiff1d(search, rows), rows) for rows in judged)
    return Split("stratified", folds, search, held_out)


def _dealt(labels: Labels, rows: Rows, hands: int) -> list[Rows]:
    """Deal rows in equal shares, anomalies first, so that shares of anomalies differ by one at most."""
    shuffled = np.random.default_rng(SEED).permutation(rows)
    ordered = shuffled[np.argsort(~labels[shuffled], kind="stable")]
    return [np.sort(ordered[hand::hands]) for hand in range(hands)]
