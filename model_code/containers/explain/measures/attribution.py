"""Local attributions summed up to the importance of each feature, and two such rankings compared.

The training workflow and the attribution drift monitor use the same functions, so that a difference between
training and live data is never one of arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchkeeper.core.errors import ContractViolationError, InvalidInputError

AggregationMethod = Literal["mean_abs", "median", "mean_sq"]
AGGREGATION_METHODS: tuple[AggregationMethod, ...] = ("mean_abs", "median", "mean_sq")

DRIFT_THRESHOLD = 0.90
"""SageMaker Clarify's monitor raises a violation when the NDCG is below it."""


def global_importance(local: ArrayLike, method: AggregationMethod = "mean_abs") -> NDArray[np.float64]:
    """Sum up local SHAP values over rows.

    Parameters
    ----------
    local
        SHAP values of shape (n_rows, n_features), or (n_rows, n_features, n_outputs).
    method
        `mean_abs`: mean of the absolute values; `mean_sq`: mean of the squares; `median`: median of the
        values with their signs, as Clarify defines it.

    Returns
    -------
    ndarray of shape (n_features,) or (n_features, n_outputs)
        In the units of the values (`mean_sq`: their square).

    Raises
    ------
    InvalidInputError
        If there is no row (reason `no_rows`), or the method is not known (`aggregation_method`).

    Examples
    --------
    >>> global_importance([[1.0, -2.0], [-3.0, 2.0]]).tolist()
    [2.0, 2.0]
    """
    values = np.asarray(local, dtype=np.float64)
    if not len(values):
        raise InvalidInputError("there is no row to sum up", reason="no_rows")
    if method == "mean_abs":
        return np.asarray(np.abs(values).mean(axis=0))
    if method == "mean_sq":
        return np.asarray(np.square(values).mean(axis=0))
    if method == "median":
        return np.asarray(np.median(values, axis=0))
    raise InvalidInputError(
        f"aggregation method {method!r} is not known; use one of {', '.join(AGGREGATION_METHODS)}",
        reason="aggregation_method",
    )


def ranked(importance: Mapping[str, float]) -> list[str]:
    """Return the features, the most important first; equal ones by name.

    Examples
    --------
    >>> ranked({"height": 0.2, "weight": -0.7, "age": 0.2})
    ['weight', 'age', 'height']
    """
    return sorted(importance, key=lambda feature: (-abs(importance[feature]), feature))


def attribution_ndcg(baseline: Mapping[str, float], current: Mapping[str, float]) -> float:
    """Return how well the current ranking of features keeps the baseline's important ones at its top.

    The normalized discounted cumulative gain of Clarify's attribution drift monitor: with the features in the
    order of the current importance, `DCG = sum of a(f_i) / log2(i + 1)`, where `a` is the importance in the
    baseline; divided by the same sum in the baseline's own order. Equal current importances share the mean of
    their positions' discounts, so that the result does not hang on an arbitrary order.

    Parameters
    ----------
    baseline, current
        Importance by feature name, as of `global_importance`; of signed values the magnitude counts.

    Returns
    -------
    float
        In (0, 1]; 1 is the same ranking. Also 1 where all importances of the baseline are 0.

    Raises
    ------
    ContractViolationError
        If the two are not about the same features.
    InvalidInputError
        If an importance is not finite (reason `not_finite`), or there is no feature (`no_features`).

    References
    ----------
    Amazon SageMaker developer guide, "Feature attribution drift for models in production". Ties: McSherry and
    Najork, "Computing information retrieval performance measures efficiently in the presence of tied scores",
    ECIR 2008.

    Examples
    --------
    The guide's own example:

    >>> training = {"SAT score": 0.70, "GPA": 0.50, "Class rank": 0.05}
    >>> live = {"SAT score": 0.10, "GPA": 0.20, "Class rank": 0.70}
    >>> round(attribution_ndcg(training, live), 2)
    0.69
    """
    if baseline.keys() != current.keys():
        differing = sorted(baseline.keys() ^ current.keys())
        raise ContractViolationError(
            f"the two importances are not about the same features: {', '.join(differing)}"
        )
    if not baseline:
        raise InvalidInputError("there is no feature to rank", reason="no_features")
    gains = np.array([abs(float(baseline[feature])) for feature in baseline])
    scores = np.array([abs(float(current[feature])) for feature in baseline])
    if not (np.isfinite(gains).all() and np.isfinite(scores).all()):
        raise InvalidInputError("an importance is not finite", reason="not_finite")
    ideal = _dcg(gains, gains)
    return 1.0 if ideal == 0.0 else float(min(1.0, _dcg(gains, scores) / ideal))


def _dcg(gains: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    discounts = 1.0 / np.log2(np.arange(len(gains)) + 2.0)
    _, group, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    totals = np.concatenate(([0.0], np.cumsum(discounts)))
    shared = (totals[ends] - totals[ends - counts]) / counts
    return float(gains @ shared[group])
