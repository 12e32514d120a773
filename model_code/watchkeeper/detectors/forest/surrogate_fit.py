"""Fits the forest that explains the built-in Random Cut Forest; `watchkeeper.detectors.forest.surrogate`
walks it.

It has the same training rows, features, scales and sample size as the model that it explains, and the same
kind of trees, but other random cuts: how well it ranks rows as the model does is measured by
`rank_agreement` and told with every explanation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.forest.forest import FrozenForest
from watchkeeper.detectors.forest.surrogate import SurrogateForest
from watchkeeper.features.matrix import feature_matrix, fit_scales, row_arrays
from watchkeeper.features.scales import Scales
from watchkeeper.features.schema import feature_names
from watchkeeper.telemetry.rows import Row

TREES = 50
"""With 100, the shares are closer to the model's own by 0.02 of 2, at twice the time an anomaly."""
DEFAULT_SAMPLE_SIZE = 256

Floats = NDArray[np.float64]


class FittedSurrogate:
    """A forest with the scales that its vectors were made with.

    Attributes
    ----------
    forest : FrozenForest
    scales : Scales
    """

    def __init__(self, plan: WorkloadPlan, forest: FrozenForest, scales: Scales) -> None:
        self._plan = plan
        self.forest = forest
        self.scales = scales

    def score(self, rows: Sequence[Row]) -> Floats:
        """Return the forest's own scores of rows, shape (n_rows,)."""
        return self.forest.score_samples(_vectors(rows, self._plan, self.scales))

    def portable(self) -> SurrogateForest:
        """Return the forest as the Lambda functions walk it."""
        nodes = self.forest.nodes_
        return SurrogateForest(
            features=self._plan.features,
            names=tuple(feature_names(self._plan)),
            scales=self.scales,
            highest=nodes.highest.reshape(-1).tolist(),
            lowest=nodes.lowest.reshape(-1).tolist(),
            **{
                name: getattr(nodes, name).tolist()
                for name in ("roots", "left", "right", "cut_dimension", "cut_value", "mass", "span")
            },
        )


def fit_surrogate(rows: Sequence[Row], plan: WorkloadPlan) -> FittedSurrogate:
    """Fit the forest on the training rows.

    Raises
    ------
    InvalidInputError
        If there are no rows.
    """
    scales = fit_scales(row_arrays(rows, plan))
    sample_size = int(plan.detector.hyperparameters.get("num_samples_per_tree", DEFAULT_SAMPLE_SIZE))
    forest = FrozenForest(n_trees=TREES, sample_size=sample_size)
    return FittedSurrogate(plan, forest.fit(_vectors(rows, plan, scales)), scales)


def rank_agreement(first: Sequence[float] | Floats, second: Sequence[float] | Floats) -> float | None:
    """Return Spearman's rank correlation, -1 to 1; None where one side has the same value throughout."""
    left, right = (_centred_ranks(np.asarray(scores, dtype=np.float64)) for scores in (first, second))
    size = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / size if size > 0 else None


def _vectors(rows: Sequence[Row], plan: WorkloadPlan, scales: Scales) -> Floats:
    # Boxes are kept in single precision, so their corners are numbers of single precision from the start.
    return feature_matrix(row_arrays(rows, plan), plan, scales).astype(np.float32).astype(np.float64)


def _centred_ranks(scores: Floats) -> Floats:
    """Return ranks around 0; equal scores have the mean of theirs."""
    _, positions, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - counts / 2)[positions]
    centred: Floats = ranks - ranks.mean()
    return centred
