"""What a SHAP computation gives, however it was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError

Method = Literal["kernel", "exact", "tree"]
"""`kernel`: Kernel SHAP on sampled coalitions; `exact`: on all coalitions, which makes it exact; `tree`:
interventional TreeSHAP, exact too."""

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]
"""Scores of shape (n_rows, n_outputs) of a table of features."""


@dataclass(frozen=True)
class Attribution:
    """SHAP values of some rows."""

    values: NDArray[np.float64]
    """Shape (n_rows, n_features, n_outputs)."""
    expected: NDArray[np.float64]
    """The mean score of the baseline, linked; shape (n_outputs,)."""
    scores: NDArray[np.float64]
    """The model's score of each row, not linked; shape (n_rows, n_outputs)."""
    linked: NDArray[np.float64]
    """What the values add up to with `expected`: the scores, or their log-odds."""
    method: Method
    evaluations: int
    """Rows that the model was asked about."""
    coalitions: int
    """Most coalitions that were looked at for a row; 0 for `tree`, which looks at paths."""
    seed: int | None
    """With which coalitions were sampled; none where nothing was."""
    reason: str
    """Why this method, in words."""
    undetermined: bool = False
    """Whether there were fewer coalitions than the values of a row need: then they are not unique."""

    @property
    def additivity_error(self) -> float:
        """Largest difference, over rows and outputs, of the values' sum from what they must add up to."""
        sums = self.values.sum(axis=1) + self.expected
        return float(np.abs(sums - self.linked).max())


def link_scores(scores: NDArray[np.float64], use_logit: bool) -> NDArray[np.float64]:
    """Return scores as they are, or their log-odds.

    Raises
    ------
    InvalidInputError
        If log-odds are asked for and a score is not between 0 and 1 (reason `use_logit`).
    """
    if not use_logit:
        return scores
    outside = (scores <= 0.0) | (scores >= 1.0)
    if outside.any():
        raise InvalidInputError(
            "methods.shap.use_logit: log-odds need scores between 0 and 1, and the model gave "
            f"{scores[outside][0]!r}",
            reason="use_logit",
        )
    return np.log(scores) - np.log1p(-scores)
