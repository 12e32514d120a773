"""Detectors by the name of their algorithm: what a user writes, and what a stored state says."""

from __future__ import annotations

import dataclasses
import difflib
import re
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.protocol.detector import Detector
from watchkeeper.detectors.streaming.series_detector import SeriesDetector
from watchkeeper.detectors.tabular import KNOWN
from watchkeeper.detectors.tabular.persist_rule import PersistRule
from watchkeeper.detectors.tabular.rules import IQRRule, QuantileRule

WATCHKEEPER = "watchkeeper"
RULES: dict[str, type[IQRRule] | type[QuantileRule] | type[PersistRule]] = {
    "iqr": IQRRule,
    "quantile": QuantileRule,
    "persist": PersistRule,
}
DETECTORS: dict[str, type[Detector]] = {WATCHKEEPER: SeriesDetector, **RULES, **KNOWN}
ALGORITHMS = tuple(DETECTORS)

_OTHER_SPELLINGS = {
    "elliptic": "elliptic_envelope",
    "iforest": "isolation_forest",
    "localoutlierfactor": "lof",
    "mcd": "elliptic_envelope",
    "nearestneighbors": "knn",
    "ocsvm": "one_class_svm",
    "randomcutforest": "rcf",
    "robustcovariance": "elliptic_envelope",
    "svm": "one_class_svm",
}


def algorithm_of(name: str) -> str:
    """Return the algorithm that a name stands for, whatever its case, spaces, hyphens and underscores.

    Raises
    ------
    InvalidInputError
        There is none; names those that there are and the nearest one.

    Examples
    --------
    >>> algorithm_of("IsolationForest"), algorithm_of("One-Class SVM"), algorithm_of("DBSCAN")
    ('isolation_forest', 'one_class_svm', 'dbscan')
    """
    spellings = {_folded(algorithm): algorithm for algorithm in ALGORITHMS} | _OTHER_SPELLINGS
    folded = _folded(name)
    if folded in spellings:
        return spellings[folded]
    near = difflib.get_close_matches(folded, spellings, n=1, cutoff=0.6)
    hint = f" (did you mean {spellings[near[0]]}?)" if near else ""
    raise InvalidInputError(
        f"algorithm is {name!r}{hint}: allowed are {', '.join(ALGORITHMS)}", reason="unknown_algorithm"
    )


def new_detector(algorithm: str, **hyperparameters: Any) -> Detector:
    """Return a detector that has learned nothing, with these hyperparameters and else its defaults.

    Raises
    ------
    InvalidInputError
        Unknown algorithm or hyperparameter. Values are checked by `fit`.
    """
    name = algorithm_of(algorithm)
    detector = DETECTORS[name]
    allowed = default_hyperparameters(name)
    for key in hyperparameters:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise InvalidInputError(
                f"{name} has no hyperparameter {key!r}{hint}: allowed are {', '.join(allowed)}",
                reason="unknown_hyperparameter",
            )
    return detector(**hyperparameters)


def default_hyperparameters(algorithm: str) -> dict[str, Any]:
    """Return an algorithm's hyperparameters with their defaults."""
    fields = dataclasses.fields(DETECTORS[algorithm_of(algorithm)])
    return {field.name: field.default for field in fields if field.init}


def detector_from_bytes(content: bytes) -> Detector:
    """Return the detector that any detector's `to_bytes` wrote.

    Raises
    ------
    InvalidInputError
        The bytes are not the state of one of these detectors.
    ContractViolationError
        Another version of this package wrote them.
    """
    written = persistence.kind_of(content)
    for detector in DETECTORS.values():
        if detector.format == written:
            return detector.from_bytes(content)
    raise InvalidInputError(f"{written!r} is not the state of a detector that this package knows")


def _folded(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).lower()
