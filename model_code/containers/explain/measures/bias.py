"""Bias metrics: how outcomes differ between a group and everyone else, before and after training.

Names and formulas are those of SageMaker Clarify. The *facet* is the column that is looked at; group *d* are
the rows with its sensitive values, group *a* all others. An outcome is a boolean: of a regression, whether
the number is above a threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from containers.explain.measures import post_training_bias as post
from containers.explain.measures import pre_training_bias as pre
from containers.explain.measures.bias_sample import BiasSample, UndefinedMetricError
from watchkeeper.core.errors import InvalidInputError

Formula = Callable[[BiasSample], float]


@dataclass(frozen=True)
class BiasMetricKind:
    """A metric: what it is called, how it is computed, how its value is read."""

    name: str
    description: str
    formula: Formula
    reading: str
    """What a value means, in words that need no statistics; "the group" is group d."""


@dataclass(frozen=True)
class BiasMetric:
    """A metric's value on some data."""

    name: str
    description: str
    reading: str
    value: float | None
    """Infinite where the formula divides by zero; None where it is undefined."""
    error: str | None = None
    """Why there is no value."""


_EVEN = "0: even."

PRE_TRAINING: Mapping[str, BiasMetricKind] = {
    kind.name: kind
    for kind in (
        BiasMetricKind(
            "CDDL",
            "Conditional Demographic Disparity in Labels (CDDL)",
            pre.conditional_demographic_disparity,
            f"{_EVEN} Above: within like subgroups, the group has more of the unfavourable labels than of "
            "the favourable ones.",
        ),
        BiasMetricKind(
            "CI",
            "Class Imbalance (CI)",
            pre.class_imbalance,
            f"{_EVEN} Towards 1: the group has few rows; towards -1: it has most of them.",
        ),
        BiasMetricKind(
            "DPL",
            "Difference in Positive Proportions in Labels (DPL)",
            pre.difference_in_proportions,
            f"{_EVEN} Above: the group has favourable labels less often.",
        ),
        BiasMetricKind(
            "JS",
            "Jensen-Shannon Divergence (JS)",
            pre.jensen_shannon,
            "0: the labels of the two groups are distributed alike; ln 2 = 0.69: not at all.",
        ),
        BiasMetricKind(
            "KL",
            "Kullback-Leibler Divergence (KL)",
            pre.kullback_leibler,
            "0: the labels of the two groups are distributed alike; larger: further apart.",
        ),
        BiasMetricKind(
            "KS",
            "Kolmogorov-Smirnov Distance (KS)",
            pre.kolmogorov_smirnov,
            "0: the labels of the two groups are distributed alike; 1: not at all.",
        ),
        BiasMetricKind(
            "LP",
            "L-p Norm (LP)",
            pre.lp_norm,
            "0: the labels of the two groups are distributed alike; sqrt 2 = 1.41: not at all.",
        ),
        BiasMetricKind(
            "TVD",
            "Total Variation Distance (TVD)",
            pre.total_variation,
            "0: the labels of the two groups are distributed alike; 1: not at all.",
        ),
    )
}
"""Metrics of the labels alone, by name."""

POST_TRAINING: Mapping[str, BiasMetricKind] = {
    kind.name: kind
    for kind in (
        BiasMetricKind(
            "AD",
            "Accuracy Difference (AD)",
            post.accuracy_difference,
            f"{_EVEN} Above: the model is right less often for the group.",
        ),
        BiasMetricKind(
            "CDDPL",
            "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
            post.conditional_demographic_disparity,
            f"{_EVEN} Above: within like subgroups, the group has more of the unfavourable predictions than "
            "of the favourable ones.",
        ),
        BiasMetricKind(
            "DAR",
            "Difference in Acceptance Rates (DAR)",
            post.difference_in_acceptance_rates,
            f"{_EVEN} Above: favourable predictions are right less often for the group.",
        ),
        BiasMetricKind(
            "DCA",
            "Difference in Conditional Acceptance (DCA)",
            post.difference_in_conditional_acceptance,
            f"{_EVEN} Above: measured by its labels, the group gets more favourable predictions than the "
            "rest; below: fewer.",
        ),
        BiasMetricKind(
            "DCR",
            "Difference in Conditional Rejection (DCR)",
            post.difference_in_conditional_rejection,
            f"{_EVEN} Above: measured by its labels, the group gets fewer unfavourable predictions than the "
            "rest; below: more.",
        ),
        BiasMetricKind(
            "DI",
            "Disparate Impact (DI)",
            post.disparate_impact,
            "1: even. Below 0.8: the group gets favourable predictions markedly less often (four-fifths "
            "rule); above 1.25: markedly more often.",
        ),
        BiasMetricKind(
            "DPPL",
            "Difference in Positive Proportions in Predicted Labels (DPPL)",
            post.difference_in_proportions,
            f"{_EVEN} Above: the group gets favourable predictions less often.",
        ),
        BiasMetricKind(
            "DRR",
            "Difference in Rejection Rates (DRR)",
            post.difference_in_rejection_rates,
            f"{_EVEN} Above: unfavourable predictions are right more often for the group.",
        ),
        BiasMetricKind(
            "FT",
            "Flip Test (FT)",
            post.flip_test,
            f"{_EVEN} Above: rows of the group get an unfavourable prediction where like rows of the rest "
            "get a favourable one; below: the other way round.",
        ),
        BiasMetricKind(
            "GE",
            "Generalized Entropy (GE)",
            post.generalized_entropy,
            "0: nobody is predicted better or worse than labelled; larger: benefits are spread less evenly.",
        ),
        BiasMetricKind(
            "RD",
            "Recall Difference (RD)",
            post.recall_difference,
            f"{_EVEN} Above: favourable labels of the group are missed more often.",
        ),
        BiasMetricKind(
            "SD",
            "Specificity Difference (SD)",
            post.specificity_difference,
            f"{_EVEN} Above: unfavourable labels of the group are found more often.",
        ),
        BiasMetricKind(
            "TE",
            "Treatment Equality (TE)",
            post.treatment_equality,
            f"{_EVEN} Above: among its errors, the group has more wrongly unfavourable ones.",
        ),
    )
}
"""Metrics that look at predictions too, by name."""


def measure_bias(
    sample: BiasSample, kinds: Mapping[str, BiasMetricKind], methods: str | Sequence[str] = "all"
) -> list[BiasMetric]:
    """Compute metrics, in the order of their names.

    Parameters
    ----------
    kinds
        `PRE_TRAINING` or `POST_TRAINING`.
    methods
        Their names, or `all`: then a metric whose column is not configured, such as `CDDL` without a group
        variable, is left out.

    Raises
    ------
    InvalidInputError
        If one is not known; names it and what is allowed (reason `unknown_metric`). If there are no
        predictions for metrics that need them (`no_predictions`). What has no value on these data has an
        `error` instead.
    """
    if kinds is POST_TRAINING and sample.predicted is None:
        raise InvalidInputError("post-training metrics need predictions", reason="no_predictions")
    if methods == "all":
        names = [name for name in kinds if sample.group is not None or name not in ("CDDL", "CDDPL")]
    else:
        names = [methods] if isinstance(methods, str) else sorted(set(methods))
    unknown = [name for name in names if name not in kinds]
    if unknown:
        raise InvalidInputError(
            f"bias metric {unknown[0]!r} is not known; use all, or some of {', '.join(kinds)}",
            reason="unknown_metric",
        )
    return [_measure(kinds[name], sample) for name in names]


def _measure(kind: BiasMetricKind, sample: BiasSample) -> BiasMetric:
    try:
        value = kind.formula(sample)
    except UndefinedMetricError as error:
        return BiasMetric(kind.name, kind.description, kind.reading, None, str(error))
    return BiasMetric(kind.name, kind.description, kind.reading, float(value))


def above(values: NDArray[np.float64], threshold: float) -> NDArray[np.bool_]:
    """Return the outcome of numbers: whether each is above a threshold, which itself is not included."""
    return np.asarray(values, dtype=np.float64) > threshold
