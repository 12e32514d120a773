"""The search for the hyperparameters with the best F1, and what may be claimed about it.

A candidate is fitted without labels; labels only choose among candidates. The threshold is part of the
choice: where an algorithm has a `contamination`, all of its documented values are tried on one fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.service.labels import Labels
from containers.service.quality import Quality, measure
from containers.service.splits import Fold, Rows, Split
from containers.service.tables import Table
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.catalogue import algorithm_of
from watchkeeper.detectors.factory import candidates, default_hyperparameters
from watchkeeper.detectors.protocol.detector import Detector
from watchkeeper.detectors.protocol.scores import Scores
from watchkeeper.detectors.scorer import fit_detector, scorer_of
from watchkeeper.detectors.tabular.detector import TabularDetector

FloatArray = npt.NDArray[np.float64]

LIMIT = 12
"""Most fits that a search compares, the defaults among them."""
CONTAMINATION = "contamination"
WHOLE_SPACE = 1_000_000


@dataclass(frozen=True)
class Tried:
    """A candidate with its measures on the rows that candidates are compared on."""

    place: int
    """In the order of the candidates; 0 is the defaults."""
    hyperparameters: dict[str, Any]
    """What differs from the defaults."""
    f1: float | None = None
    precision: float | None = None
    recall: float | None = None
    pr_auc: float | None = None
    error: str | None = None
    """Why it could not be fitted."""


def share_of(algorithm: str, chunk: int, chunks: int) -> list[tuple[int, dict[str, Any]]]:
    """Return the candidates that one of several jobs tries, with their places.

    Examples
    --------
    >>> [place for place, _ in share_of("LOF", 1, 3)]
    [1, 4]
    """
    if not 0 <= chunk < chunks:
        raise InvalidInputError(f"chunk {chunk} of {chunks}: give 0 to {chunks - 1}")
    return list(enumerate(_points(algorithm)))[chunk::chunks]


def try_candidates(
    algorithm: str,
    points: Iterable[tuple[int, dict[str, Any]]],
    table: Table,
    labels: Labels,
    split: Split,
) -> list[Tried]:
    """Fit candidates to each fold and measure them on its other rows, all folds taken together."""
    return [_try(algorithm, place, point, table, labels, split.folds) for place, point in points]


def best_of(tried: Sequence[Tried]) -> Tried:
    """Return the candidate with the highest F1; of equal ones that with the higher PR-AUC, then the first.

    Raises
    ------
    InvalidInputError
        If none could be fitted.
    """
    fitted = [each for each in tried if each.f1 is not None]
    if not fitted:
        reasons = sorted({each.error or "" for each in tried})
        raise InvalidInputError(f"no candidate could be fitted: {reasons[0]}", reason="no_candidate")
    return max(fitted, key=lambda each: (each.f1 or 0.0, each.pr_auc or 0.0, -each.place))


def measure_held_out(
    algorithm: str, hyperparameters: dict[str, Any], table: Table, labels: Labels, split: Split
) -> Quality:
    """Fit to all rows of the search and measure on the rows that it never saw."""
    scores = _fit_and_score(algorithm, hyperparameters, table, split.search, split.held_out)[1]
    return measure(labels[split.held_out], scores.is_anomaly, scores.raw)


def _points(algorithm: str) -> list[dict[str, Any]]:
    """Return the points of the search space that differ in more than the threshold, at most `LIMIT`."""
    defaults = default_hyperparameters(algorithm)
    found: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    for point in candidates(algorithm, limit=WHOLE_SPACE):
        fitted = {name: value for name, value in point.items() if name != CONTAMINATION}
        if {**defaults, **fitted} not in known:
            known.append({**defaults, **fitted})
            found.append(fitted)
        if len(found) == LIMIT:
            break
    return found


def _try(
    algorithm: str,
    place: int,
    point: dict[str, Any],
    table: Table,
    labels: Labels,
    folds: Sequence[Fold],
) -> Tried:
    shares = algorithm_of(algorithm).search_space.get(CONTAMINATION, ())
    truth = np.concatenate([labels[fold.judge] for fold in folds])
    try:
        judged = [_judged_at(algorithm, point, table, fold, shares) for fold in folds]
    except InvalidInputError as error:
        return Tried(place, point, error=str(error))
    scores = _comparable(judged)
    found = []
    for position, share in enumerate((None, *shares)[: len(judged[0])]):
        flagged = np.concatenate([of_fold[position].is_anomaly for of_fold in judged])
        measured = measure(truth, flagged, scores)
        chosen = point if share is None else {**point, CONTAMINATION: share}
        found.append(Tried(place, chosen, measured.f1, measured.precision, measured.recall, measured.pr_auc))
    return best_of(found)


def _judged_at(
    algorithm: str, point: dict[str, Any], table: Table, fold: Fold, shares: Sequence[float]
) -> list[Scores]:
    """Judge a fold's rows by one fit: at its own threshold, then at the threshold of each contamination."""
    detector, own = _fit_and_score(algorithm, point, table, fold.learn, fold.judge)
    if not isinstance(detector, TabularDetector):
        return [own]
    thresholds = [detector.threshold_at(share) for share in shares]
    return [own, *(replace(own, is_anomaly=own.raw > threshold) for threshold in thresholds)]


def _fit_and_score(
    algorithm: str, hyperparameters: dict[str, Any], table: Table, learn: Rows, judge: Rows
) -> tuple[Detector, Scores]:
    learned, others = table.at(learn), table.at(judge)
    detector = fit_detector(algorithm, hyperparameters, learned.values, learned.times)
    return detector, scorer_of(detector)(others.values, others.times)


def _comparable(judged: Sequence[Sequence[Scores]]) -> FloatArray:
    """Return scores of several fits on one scale: raw scores of one fit, else the calibrated ones."""
    if len(judged) == 1:
        return judged[0][0].raw
    return np.concatenate([of_fold[0].anomaly_score for of_fold in judged])
