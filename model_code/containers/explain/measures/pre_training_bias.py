"""Bias metrics of the labels alone, which need no model.

P_a and P_d are the distributions of the outcome (favourable or not) in the two groups; logarithms are
natural.

References
----------
Amazon SageMaker developer guide, "Pre-training bias metrics"; Das et al., "Fairness measures for machine
learning in finance", The Journal of Financial Data Science 3(4), 2021.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from containers.explain.measures.bias_sample import BiasSample, demographic_disparity_by_group


def class_imbalance(sample: BiasSample) -> float:
    """Return `(n_a - n_d) / (n_a + n_d)`, in (-1, 1)."""
    return (sample.a.n - sample.d.n) / (sample.a.n + sample.d.n)


def difference_in_proportions(sample: BiasSample) -> float:
    """Return `q_a - q_d`, the difference of the shares of favourable labels, in [-1, 1]."""
    return sample.a.labelled / sample.a.n - sample.d.labelled / sample.d.n


def kullback_leibler(sample: BiasSample) -> float:
    """Return `sum P_a log(P_a / P_d)`, in [0, inf]; infinite if group d lacks an outcome that a has."""
    return _kl(*_distributions(sample))


def jensen_shannon(sample: BiasSample) -> float:
    """Return `(KL(P_a, P) + KL(P_d, P)) / 2` with `P = (P_a + P_d) / 2`, in [0, ln 2]."""
    a, d = _distributions(sample)
    mean = (a + d) / 2.0
    return (_kl(a, mean) + _kl(d, mean)) / 2.0


def lp_norm(sample: BiasSample) -> float:
    """Return the Euclidean norm of `P_a - P_d`, in [0, sqrt 2]."""
    a, d = _distributions(sample)
    return float(np.linalg.norm(a - d))


def total_variation(sample: BiasSample) -> float:
    """Return half the sum of `|P_a - P_d|`, in [0, 1]."""
    a, d = _distributions(sample)
    return float(np.abs(a - d).sum() / 2.0)


def kolmogorov_smirnov(sample: BiasSample) -> float:
    """Return the largest `|P_a - P_d|`, in [0, 1]."""
    a, d = _distributions(sample)
    return float(np.abs(a - d).max())


def conditional_demographic_disparity(sample: BiasSample) -> float:
    """Return the mean over subgroups of the demographic disparity of the labels, in [-1, 1]."""
    return demographic_disparity_by_group(sample, sample.labelled)


def _distributions(sample: BiasSample) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, d = (np.array([group.not_labelled, group.labelled]) / group.n for group in (sample.a, sample.d))
    return a, d


def _kl(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    present = p > 0.0  # what never happens adds nothing
    if (q[present] == 0.0).any():
        return float("inf")
    return float(max(0.0, (p[present] * np.log(p[present] / q[present])).sum()))
