"""Bias metrics of predictions, by the two groups' confusion tables.

A metric that compares two rates is undefined if a rate is one of nothing (0 / 0), and infinite if it divides
something by nothing.

References
----------
Amazon SageMaker developer guide, "Post-training data and model bias metrics"; Das et al., "Fairness measures
for machine learning in finance", The Journal of Financial Data Science 3(4), 2021. Flip test: Black, Yeom and
Fredrikson, "FlipTest: fairness testing via optimal transport", FAT* 2020, in Clarify's form with nearest
neighbours. Generalized entropy: Speicher et al., "A unified approach to quantifying algorithmic unfairness",
KDD 2018. Of the treatment equality there are several forms; this is the one of Das et al., which Clarify's
library (`smclarify` 0.5) computes. Of the flip test, the sign is the developer guide's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from containers.explain.measures.bias_sample import (
    BiasSample,
    UndefinedMetricError,
    demographic_disparity_by_group,
    difference,
    ratio,
)

NEIGHBOURS = 5
FEW_ROWS = 9
"""With no more rows than this in group a, the flip test looks at one neighbour."""
_CHUNK_CELLS = 4_000_000
"""Distances that are held in memory at once."""


def difference_in_proportions(sample: BiasSample) -> float:
    """Return `q'_a - q'_d`, the difference of the shares of favourable predictions, in [-1, 1]."""
    return sample.a.predicted / sample.a.n - sample.d.predicted / sample.d.n


def disparate_impact(sample: BiasSample) -> float:
    """Return `q'_d / q'_a`, in [0, inf]."""
    return ratio(
        sample.d.predicted / sample.d.n,
        sample.a.predicted / sample.a.n,
        "no prediction is favourable in either group",
    )


def _gap(above: str, below: str, undefined: str, *, of_d: bool = False) -> Callable[[BiasSample], float]:
    """Return the metric that is one group's rate minus the other's.

    Parameters
    ----------
    above, below
        The counts of `Outcomes` that the rate is made of.
    undefined
        Why there is no rate where both are 0.
    of_d
        Whether the rate of group d comes first.
    """

    def metric(sample: BiasSample) -> float:
        first, second = (
            ratio(getattr(group, above), getattr(group, below), undefined)
            for group in ((sample.d, sample.a) if of_d else (sample.a, sample.d))
        )
        return difference(first, second)

    return metric


difference_in_conditional_acceptance = _gap(
    "labelled", "predicted", "a group has neither favourable labels nor favourable predictions"
)
"""`c_a - c_d`, where c is favourable labels by favourable predictions, in [-inf, inf]."""
difference_in_conditional_rejection = _gap(
    *(
        "not_labelled",
        "not_predicted",
        "a group has neither unfavourable labels nor unfavourable predictions",
    ),
    of_d=True,
)
"""`r_d - r_a`, where r is unfavourable labels by unfavourable predictions, in [-inf, inf]."""
recall_difference = _gap("true_positive", "labelled", "a group has no favourable label")
"""The recall `TP / (TP + FN)` of a minus that of d, in [-1, 1]."""
specificity_difference = _gap("true_negative", "not_labelled", "a group has no unfavourable label", of_d=True)
"""The specificity `TN / (TN + FP)` of d minus that of a, in [-1, 1]."""
difference_in_acceptance_rates = _gap("true_positive", "predicted", "a group has no favourable prediction")
"""The precision `TP / (TP + FP)` of a minus that of d, in [-1, 1]."""
difference_in_rejection_rates = _gap(
    "true_negative", "not_predicted", "a group has no unfavourable prediction", of_d=True
)
"""The negative predictive value `TN / (TN + FN)` of d minus that of a, in [-1, 1]."""
treatment_equality = _gap("false_negative", "false_positive", "a group has no wrong prediction", of_d=True)
"""`FN / FP` of d minus that of a, in [-inf, inf]."""


def accuracy_difference(sample: BiasSample) -> float:
    """Return the accuracy of a minus that of d, in [-1, 1]."""
    accuracy_a, accuracy_d = (
        (group.true_positive + group.true_negative) / group.n for group in (sample.a, sample.d)
    )
    return accuracy_a - accuracy_d


def conditional_demographic_disparity(sample: BiasSample) -> float:
    """Return the mean over subgroups of the demographic disparity of the predictions, in [-1, 1]."""
    return demographic_disparity_by_group(sample, _predicted(sample))


def generalized_entropy(sample: BiasSample) -> float:
    """Return half the squared coefficient of variation of the benefit `y' - y + 1` of each row, at least 0.

    Raises
    ------
    UndefinedMetricError
        If every row is a false negative.
    """
    benefit = _predicted(sample).astype(float) - sample.labelled + 1.0
    mean = benefit.mean()
    if mean == 0.0:
        raise UndefinedMetricError("every prediction is a false negative", reason="undefined_metric")
    return float(np.mean((benefit / mean) ** 2 - 1.0) / 2.0)


def flip_test(sample: BiasSample) -> float:
    """Return how many rows of d have another prediction than the most similar rows of a, in [-1, 1].

    `(F+ - F-) / n_d`: F+ counts the rows of d with an unfavourable prediction where most of their nearest
    neighbours in a have a favourable one, F- the other way round. Distances are Euclidean, of the features
    as they are: a feature with large numbers weighs more.

    Raises
    ------
    UndefinedMetricError
        If there are no numbers to compare.
    """
    if sample.features is None:
        raise UndefinedMetricError(sample.no_features, reason="undefined_metric")
    if not np.isfinite(sample.features).all():
        raise UndefinedMetricError("a feature has missing values", reason="undefined_metric")
    predicted = _predicted(sample)
    others = sample.features[~sample.sensitive]
    outcomes = predicted[~sample.sensitive]
    expected = _majority_of_nearest(sample.features[sample.sensitive], others, outcomes)
    actual = predicted[sample.sensitive]
    return float((expected.astype(int) - actual.astype(int)).mean())


def _majority_of_nearest(
    rows: NDArray[np.float64], others: NDArray[np.float64], outcomes: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    k = 1 if len(others) <= FEW_ROWS else NEIGHBOURS
    squares = np.square(others).sum(axis=1)
    chunk = max(1, _CHUNK_CELLS // len(others))
    answers = []
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        distances = squares - 2.0 * part @ others.T  # the same for all others but the row's own square
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        answers.append(outcomes[nearest].sum(axis=1) * 2 > k)
    return np.concatenate(answers)


def _predicted(sample: BiasSample) -> NDArray[np.bool_]:
    if sample.predicted is None:
        raise UndefinedMetricError("there are no predictions", reason="undefined_metric")
    return sample.predicted
