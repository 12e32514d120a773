"""What the bias metrics are computed on: two groups, and the counts of their outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError


class UndefinedMetricError(InvalidInputError):
    """A metric has no value on these data; the text says why."""


@dataclass(frozen=True)
class Outcomes:
    """Counts of one group's rows by label and prediction; without predictions the last four are 0."""

    n: int
    labelled: int
    """Rows with a favourable label."""
    predicted: int
    """Rows with a favourable prediction."""
    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def not_labelled(self) -> int:
        """Rows with an unfavourable label."""
        return self.n - self.labelled

    @property
    def not_predicted(self) -> int:
        """Rows with an unfavourable prediction."""
        return self.n - self.predicted


@dataclass(frozen=True)
class BiasSample:
    """Rows, each in group d or in group a.

    Parameters
    ----------
    sensitive
        Whether a row is in group d; shape (n_rows,).
    labelled, predicted
        Whether its label, and its prediction, are favourable. `predicted` is None before training.
    group
        Its subgroup, for the conditional metrics.
    features
        Numbers of shape (n_rows, n_features) without facet, label and prediction, for the flip test; None
        with the reason in `no_features` where they are not numbers.

    Raises
    ------
    InvalidInputError
        If the columns differ in length (reason `lengths`), or one of the groups has no row (`empty_group`).
    """

    sensitive: NDArray[np.bool_]
    labelled: NDArray[np.bool_]
    predicted: NDArray[np.bool_] | None = None
    group: NDArray[Any] | None = None
    features: NDArray[np.float64] | None = None
    no_features: str = "the flip test needs the features"

    def __post_init__(self) -> None:
        columns = (self.sensitive, self.labelled, self.predicted, self.group, self.features)
        lengths = {len(column) for column in columns if column is not None}
        if len(lengths) != 1:
            raise InvalidInputError(f"the columns differ in length: {sorted(lengths)}", reason="lengths")
        if not self.sensitive.any():
            raise InvalidInputError("no row is in the sensitive group", reason="empty_group")
        if self.sensitive.all():
            raise InvalidInputError("every row is in the sensitive group", reason="empty_group")

    @cached_property
    def d(self) -> Outcomes:
        """Counts of the sensitive group."""
        return self._count(self.sensitive)

    @cached_property
    def a(self) -> Outcomes:
        """Counts of all others."""
        return self._count(~self.sensitive)

    def _count(self, members: NDArray[np.bool_]) -> Outcomes:
        label = self.labelled[members]
        n = int(members.sum())
        if self.predicted is None:
            return Outcomes(n, int(label.sum()), 0, 0, 0, 0, 0)
        prediction = self.predicted[members]
        return Outcomes(
            n,
            int(label.sum()),
            int(prediction.sum()),
            true_positive=int((label & prediction).sum()),
            false_positive=int((~label & prediction).sum()),
            false_negative=int((label & ~prediction).sum()),
            true_negative=int((~label & ~prediction).sum()),
        )


def ratio(numerator: float, denominator: float, undefined: str) -> float:
    """Divide; something by nothing is infinite.

    Raises
    ------
    UndefinedMetricError
        For 0 / 0, with the text `undefined`.
    """
    if denominator:
        return numerator / denominator
    if numerator:
        return float("inf") if numerator > 0 else float("-inf")
    raise UndefinedMetricError(undefined, reason="undefined_metric")


def difference(minuend: float, subtrahend: float) -> float:
    """Subtract; the difference of two equal infinities is 0."""
    return 0.0 if minuend == subtrahend else minuend - subtrahend


def demographic_disparity_by_group(sample: BiasSample, favourable: NDArray[np.bool_]) -> float:
    """Return the mean over subgroups, weighted by their rows, of group d's share of the unfavourable outcomes
    minus its share of the favourable ones; a share of nothing counts as 0.

    Raises
    ------
    UndefinedMetricError
        If there is no group variable, or all outcomes are the same.
    """
    if sample.group is None:
        raise UndefinedMetricError("group_variable is not configured", reason="undefined_metric")
    if favourable.all() or not favourable.any():
        raise UndefinedMetricError("all outcomes are the same", reason="undefined_metric")
    total = 0.0
    for subgroup in np.unique(sample.group):
        members = sample.group == subgroup
        rejected = sample.sensitive[members & ~favourable]
        accepted = sample.sensitive[members & favourable]
        share_rejected = rejected.mean() if rejected.size else 0.0
        share_accepted = accepted.mean() if accepted.size else 0.0
        total += members.sum() * (share_rejected - share_accepted)
    return float(total / len(favourable))
