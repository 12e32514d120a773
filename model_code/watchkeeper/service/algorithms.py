"""The detectors and methods that a request may name, and the spellings that are understood."""

from __future__ import annotations

import difflib
import re

from watchkeeper.core.errors import InvalidInputError

ALGORITHMS = (
    "DBSCAN",
    "IsolationForest",
    "LOF",
    "OneClassSVM",
    "EllipticEnvelope",
    "ECOD",
    "HBOS",
    "COPOD",
    "KNN",
    "PCA",
    "RCF",
    "watchkeeper",
)
"""Values of `model_name`."""

UNIVARIATE_METHODS = ("iqr", "quantile", "persist")
"""Values of `method_name`."""

_ALIASES = {
    "iforest": "IsolationForest",
    "isolationtrees": "IsolationForest",
    "localoutlierfactor": "LOF",
    "ocsvm": "OneClassSVM",
    "svm": "OneClassSVM",
    "elliptic": "EllipticEnvelope",
    "ellipticalenvelope": "EllipticEnvelope",
    "robustcovariance": "EllipticEnvelope",
    "mcd": "EllipticEnvelope",
    "knearestneighbors": "KNN",
    "nearestneighbors": "KNN",
    "principalcomponentanalysis": "PCA",
    "randomcutforest": "RCF",
    "histogrambasedoutlierscore": "HBOS",
}


def canonical_algorithm(name: str) -> str:
    """Return the algorithm that a name means: case, spaces, `-` and `_` do not count.

    Raises
    ------
    InvalidInputError
        If there is no such algorithm (reason `unknown_model`); the message has the nearest known name.

    Examples
    --------
    >>> canonical_algorithm("isolation_forest")
    'IsolationForest'
    >>> canonical_algorithm("one-class SVM")
    'OneClassSVM'
    """
    known = {_plain(each): each for each in ALGORITHMS} | _ALIASES
    found = known.get(_plain(name))
    if found is None:
        nearest = difflib.get_close_matches(_plain(name), known, n=1)
        hint = f"; did you mean {known[nearest[0]]}?" if nearest else ""
        raise InvalidInputError(
            f"model_name is {name!r}: allowed are {', '.join(ALGORITHMS)}{hint}", reason="unknown_model"
        )
    return found


def canonical_method(name: str) -> str:
    """Return the univariate method that a name means; case and surrounding spaces do not count.

    Raises
    ------
    InvalidInputError
        If there is no such method (reason `unknown_method`).
    """
    found = name.strip().lower()
    if found not in UNIVARIATE_METHODS:
        raise InvalidInputError(
            f"method_name is {name!r}: allowed are {', '.join(UNIVARIATE_METHODS)}", reason="unknown_method"
        )
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
